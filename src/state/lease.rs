//! Owning a feed: a lease that is renewed in the background until it is released or lost.

use std::fs::File;
use std::future::{Future, pending};
use std::time::Duration;

use tokio::time::{Instant, sleep_until, timeout_at};
use tokio_util::sync::CancellationToken;
use tokio_util::task::AbortOnDropHandle;
use tracing::Instrument as _;

use super::blob::{BlobLease, Renewal};
use super::error::StateError;
use crate::error_code;

/// When a lease on a blob is renewed and when it is given up.
#[derive(Clone, Copy, Debug)]
pub struct LeaseTimes {
    /// How long it lasts without renewal; the blob service takes 15 to 60 seconds.
    pub length: Duration,
    /// How long after a renewal the next one is due.
    pub renew_every: Duration,
    /// How long after a renewal that failed for a passing reason the next one is due.
    pub retry_every: Duration,
    /// How long after the last successful renewal the lease counts as lost. Shorter than `length`,
    /// so that its owner has stopped when the next owner starts.
    pub give_up_after: Duration,
}

impl Default for LeaseTimes {
    fn default() -> LeaseTimes {
        LeaseTimes {
            length: Duration::from_secs(60),
            renew_every: Duration::from_secs(20),
            retry_every: Duration::from_secs(3),
            give_up_after: Duration::from_secs(40),
        }
    }
}

/// One feed's ownership. Dropped without [`release`](Lease::release), it is renewed no more and
/// runs out by itself.
#[derive(Debug)]
pub struct Lease(Held);

#[derive(Debug)]
enum Held {
    /// Unlocked by dropping it; nobody can take it away.
    Locked(File),
    Renewed {
        lease: BlobLease,
        renewing: AbortOnDropHandle<()>,
        lost: CancellationToken,
    },
}

impl Lease {
    /// The lock on a file that is held until it is dropped.
    pub(super) fn locked(file: File) -> Lease {
        Lease(Held::Locked(file))
    }

    /// Keeps renewing `lease`.
    pub(super) fn renewed(lease: BlobLease, times: LeaseTimes) -> Lease {
        let lost = CancellationToken::new();
        let (own, gone) = (lease.clone(), lost.clone().drop_guard());
        let keeping = async move {
            let _gone = gone;
            keep(own.since, times, || own.renew()).await;
        };
        let span = tracing::info_span!("lease", name = lease.name);
        let renewing = tokio::spawn(keeping.instrument(span));
        Lease(Held::Renewed { lease, renewing: AbortOnDropHandle::new(renewing), lost })
    }

    /// Resolves when the lease was lost: it was taken away, or it could not be renewed before it
    /// ran out. Pending as long as it holds. Cancel-safe; resolves at once when asked again.
    pub async fn lost(&self) {
        match &self.0 {
            Held::Locked(_) => pending().await,
            Held::Renewed { lost, .. } => lost.cancelled().await,
        }
    }

    /// Lets the next owner have the feed at once. A lease that is lost already counts as released.
    pub async fn release(self) -> Result<(), StateError> {
        match self.0 {
            Held::Locked(file) => {
                drop(file);
                Ok(())
            }
            Held::Renewed { lease, renewing, .. } => {
                drop(renewing);
                Ok(lease.release().await?)
            }
        }
    }
}

/// Renews until the lease is lost; `since` is when it was acquired.
///
/// A lease is trusted from the moment *before* the request that renewed it, for it can't have
/// started to run earlier than that.
async fn keep<R: Future<Output = Renewal>>(
    since: Instant,
    times: LeaseTimes,
    mut renew: impl FnMut() -> R,
) {
    let mut trusted_until = since + times.give_up_after;
    let mut next = since + times.renew_every;
    loop {
        sleep_until(next.min(trusted_until)).await;
        let asked = Instant::now();
        if asked >= trusted_until {
            tracing::warn!(code = %error_code::LEASE_EXPIRED, "the lease could not be renewed in time and counts as lost");
            return;
        }
        match timeout_at(trusted_until, renew()).await {
            Ok(Renewal::Done) => {
                trusted_until = asked + times.give_up_after;
                next = asked + times.renew_every;
            }
            Ok(Renewal::Failed(error)) => {
                tracing::warn!(code = %error_code::LEASE_NOT_RENEWED, %error, "the lease was not renewed; trying again");
                next = Instant::now() + times.retry_every;
            }
            Ok(Renewal::Refused) => {
                tracing::warn!(code = %error_code::LEASE_TAKEN, "the lease was taken away");
                return;
            }
            // The check above ends the loop.
            Err(_elapsed) => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use std::cell::RefCell;

    use super::*;
    use crate::state::blob::BlobError;

    fn failed() -> Renewal {
        let (host, reason) = ("a.example".to_owned(), "refused".to_owned());
        Renewal::Failed(BlobError::Unreachable { host, reason })
    }

    /// Runs `keep` with a script of what each renewal gives, and tells at which seconds it asked
    /// and at which it gave up.
    async fn run(script: impl Fn(usize) -> Option<Renewal>) -> (Vec<u64>, u64) {
        let since = Instant::now();
        let asked = RefCell::new(Vec::new());
        let renew = || {
            asked.borrow_mut().push(since.elapsed().as_secs());
            let answer = script(asked.borrow().len());
            async move {
                match answer {
                    Some(renewal) => renewal,
                    None => pending().await,
                }
            }
        };
        keep(since, LeaseTimes::default(), renew).await;
        (asked.into_inner(), since.elapsed().as_secs())
    }

    #[tokio::test(start_paused = true)]
    async fn is_renewed_well_before_it_runs_out_and_lost_when_refused() {
        let script = |nth| Some(if nth < 5 { Renewal::Done } else { Renewal::Refused });
        assert_eq!(run(script).await, (vec![20, 40, 60, 80, 100], 100));
    }

    #[tokio::test(start_paused = true)]
    async fn survives_a_passing_fault() {
        let script = |nth| match nth {
            2 | 3 => Some(failed()),
            5 => Some(Renewal::Refused),
            _ => Some(Renewal::Done),
        };
        assert_eq!(run(script).await, (vec![20, 40, 43, 46, 66], 66));
    }

    #[tokio::test(start_paused = true)]
    async fn is_lost_before_it_runs_out_where_nobody_answers() {
        let (asked, lost) = run(|nth| (nth == 1).then_some(Renewal::Done)).await;
        assert_eq!((asked, lost), (vec![20, 40], 60));
    }

    #[tokio::test(start_paused = true)]
    async fn is_lost_before_it_runs_out_where_renewal_keeps_failing() {
        let (asked, lost) = run(|_| Some(failed())).await;
        assert_eq!(lost, 40);
        assert_eq!(asked.len(), 7, "{asked:?}");
    }
}
