//! What the work on a feed may still do, by the state of its lease.

use std::future::Future;

use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

/// What the work on a feed may still do. A clone stands for the same lease.
///
/// Three things narrow it, each for good:
/// - a halt: no new work begins, and work in flight is finished;
/// - the loss of the lease: nothing more is posted or saved, but posts in flight are awaited;
/// - the posting deadline: no post begins at that time or later, and none is awaited after it.
#[derive(Clone, Debug)]
pub struct LeaseScope {
    halt: CancellationToken,
    lost: CancellationToken,
    posting_ends: Instant,
}

impl LeaseScope {
    /// A scope that halts when `stop` is cancelled, in which posts may begin until
    /// `posting_ends`.
    pub fn new(stop: &CancellationToken, posting_ends: Instant) -> LeaseScope {
        LeaseScope { halt: stop.child_token(), lost: CancellationToken::new(), posting_ends }
    }

    /// Halts the work.
    pub fn halt(&self) {
        self.halt.cancel();
    }

    /// Halts the work because the lease is lost.
    pub fn lose(&self) {
        self.lost.cancel();
        self.halt.cancel();
    }

    /// Whether the work is halted, for whatever reason.
    pub fn is_halted(&self) -> bool {
        self.halt.is_cancelled()
    }

    /// Whether the lease is lost.
    pub fn is_lost(&self) -> bool {
        self.lost.is_cancelled()
    }

    /// Is cancelled when the work is halted.
    pub fn halt_token(&self) -> &CancellationToken {
        &self.halt
    }

    /// No post begins at this time or later.
    pub fn posting_ends(&self) -> Instant {
        self.posting_ends
    }

    /// What `wait` gives, or `None` where the lease is lost before or meanwhile.
    pub async fn unless_lost<T>(&self, wait: impl Future<Output = T>) -> Option<T> {
        self.lost.run_until_cancelled(wait).await.filter(|_| !self.is_lost())
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    fn scope(stop: &CancellationToken) -> LeaseScope {
        LeaseScope::new(stop, Instant::now() + Duration::from_secs(60))
    }

    #[test]
    fn a_stop_halts_the_work_and_keeps_the_lease() {
        let stop = CancellationToken::new();
        let scope = scope(&stop);
        assert!(!scope.is_halted());
        stop.cancel();
        assert!(scope.is_halted() && !scope.is_lost());
    }

    #[test]
    fn a_halt_of_one_feed_does_not_stop_the_others() {
        let stop = CancellationToken::new();
        let (one, other) = (scope(&stop), scope(&stop));
        one.halt();
        assert!(one.is_halted() && !other.is_halted() && !stop.is_cancelled());
    }

    #[tokio::test]
    async fn a_lost_lease_halts_every_clone_and_ends_its_waits() {
        let scope = scope(&CancellationToken::new());
        assert_eq!(scope.unless_lost(async { 7 }).await, Some(7));
        let clone = scope.clone();
        let wait = scope.unless_lost(std::future::pending::<()>());
        let (waited, ()) = tokio::join!(wait, async { clone.lose() });
        assert_eq!(waited, None);
        assert!(scope.is_halted() && scope.is_lost());
        assert_eq!(scope.unless_lost(async { 7 }).await, None);
    }
}
