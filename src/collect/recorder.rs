//! Records delivered events in the ledger, those of several batches together.

use std::sync::{Mutex, MutexGuard, PoisonError};

use tokio::sync::oneshot::error::TryRecvError;
use tokio::sync::{Mutex as AsyncMutex, oneshot};

use crate::state::{EventId, LedgerPart};

/// Appends ids one time after the other. What comes while an append is in flight waits, and is
/// appended with the next one.
#[derive(Default)]
pub(super) struct Recorder {
    waiting: Mutex<Vec<Waiting>>,
    turn: AsyncMutex<()>,
}

/// Ids that wait to be appended. If they are not, `recorded` is dropped.
struct Waiting {
    of: LedgerPart,
    ids: Vec<EventId>,
    recorded: oneshot::Sender<()>,
}

impl Recorder {
    /// Returns once `append` has taken `ids`, here or with those of another call. If another call
    /// fails or is dropped, this one appends its ids itself: the ledger takes ids twice.
    pub(super) async fn record<E>(
        &self,
        of: LedgerPart,
        ids: &[EventId],
        append: impl AsyncFnOnce(&[EventId]) -> Result<(), E>,
    ) -> Result<(), E> {
        let mut recorded = self.wait(of, ids);
        let _turn = self.turn.lock().await;
        match recorded.try_recv() {
            Ok(()) => return Ok(()),
            Err(TryRecvError::Closed) => drop(self.wait(of, ids)),
            Err(TryRecvError::Empty) => {}
        }
        let together: Vec<Waiting> =
            self.lock().extract_if(.., |waiting| waiting.of == of).collect();
        let all: Vec<EventId> = together.iter().flat_map(|waiting| &waiting.ids).copied().collect();
        append(&all).await?;
        for waiting in together {
            // Nobody may wait for it any more.
            let _ = waiting.recorded.send(());
        }
        Ok(())
    }

    fn wait(&self, of: LedgerPart, ids: &[EventId]) -> oneshot::Receiver<()> {
        let (sender, recorded) = oneshot::channel();
        self.lock().push(Waiting { of, ids: ids.to_vec(), recorded: sender });
        recorded
    }

    fn lock(&self) -> MutexGuard<'_, Vec<Waiting>> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Mutex;
    use std::time::Duration;

    use futures_util::future::join_all;
    use tokio::time::sleep;

    use super::*;
    use crate::state::Arrival;

    fn id(number: u32) -> EventId {
        EventId::of(number.to_le_bytes())
    }

    fn part(number: u32) -> LedgerPart {
        let arrival = if number % 4 < 2 { Arrival::Live } else { Arrival::Archive };
        arrival.of(format!("2026-11-20T{:02}", number % 2).parse().unwrap())
    }

    /// Every third append fails, and takes its time as the others do.
    #[tokio::test(start_paused = true)]
    async fn what_is_recorded_was_appended_and_failures_are_told() {
        let (recorder, appended) = (Recorder::default(), Mutex::new(Vec::new()));
        let tries = Mutex::new(0_u32);
        let record = async |number: u32| {
            sleep(Duration::from_millis(u64::from(number) * 3)).await;
            let append = async |ids: &[EventId]| {
                sleep(Duration::from_millis(10)).await;
                let mut tries = tries.lock().unwrap();
                *tries += 1;
                if (*tries).is_multiple_of(3) {
                    return Err("full");
                }
                appended.lock().unwrap().extend(ids.iter().map(|id| (part(number), *id)));
                Ok(())
            };
            let recorded = recorder.record(part(number), &[id(number)], append).await;
            let is_there = appended.lock().unwrap().contains(&(part(number), id(number)));
            assert!(is_there || recorded.is_err(), "{number}");
            recorded.is_err()
        };
        let failed = join_all((0..40).map(record)).await;
        let (tries, failures) = (*tries.lock().unwrap(), failed.iter().filter(|it| **it).count());
        assert_eq!(failures, tries as usize / 3, "one failure for each append that failed");
        assert!(tries < 40, "{tries} appends are not fewer than calls");
        assert!(recorder.lock().is_empty());
    }

    #[tokio::test(start_paused = true)]
    async fn a_call_that_is_dropped_takes_no_other_with_it() {
        let recorder = Recorder::default();
        let never = async |_: &[EventId]| std::future::pending::<Result<(), ()>>().await;
        let ids = [id(0)];
        let dropped = recorder.record(part(0), &ids, never);
        let appended = Mutex::new(Vec::new());
        let other = async {
            let append = async |ids: &[EventId]| {
                appended.lock().unwrap().extend_from_slice(ids);
                Ok::<(), ()>(())
            };
            recorder.record(part(0), &[id(1)], append).await
        };
        let (_, recorded) =
            tokio::join!(tokio::time::timeout(Duration::from_secs(1), dropped), other);
        assert!(recorded.is_ok() && appended.lock().unwrap().contains(&id(1)));
    }
}
