//! What is known of refused rows, over batches and runs: whether they or their table are at fault.

use std::sync::{Mutex, MutexGuard, PoisonError};

use crate::state::{EventId, Refusals, Suspect};

/// At most so many refused rows are remembered. Further ones count as refused for the first time when
/// they are refused again.
const MAX_SUSPECTS: usize = 256;

/// Remembers which rows of a feed were refused, and whether their table took a row after that.
#[derive(Debug, Default)]
pub(super) struct Evidence {
    refusals: Mutex<Refusals>,
    is_certain: bool,
}

impl Evidence {
    /// Goes on from what is stored.
    pub(super) fn new(refusals: Refusals) -> Evidence {
        Evidence { refusals: Mutex::new(refusals), is_certain: false }
    }

    /// Evidence against rows that are known to be refused.
    pub(super) fn certain() -> Evidence {
        Evidence { is_certain: true, ..Evidence::default() }
    }

    /// What is to be stored.
    pub(super) fn refusals(&self) -> Refusals {
        self.lock().clone()
    }

    /// Whether the row of this event was refused, and the table then took another one.
    pub(super) fn is_bracketed(&self, id: EventId) -> bool {
        let refusals = self.lock();
        let is_known = |suspect: &&Suspect| suspect.id == id;
        let suspect = refusals.suspects.iter().find(is_known);
        self.is_certain || suspect.is_some_and(|suspect| suspect.refused < refusals.accepted)
    }

    /// Notes that the table took rows, among them those of `settled` events, if they were suspect.
    pub(super) fn note_accepted(&self, settled: impl Iterator<Item = EventId>) {
        let mut refusals = self.lock();
        refusals.clock += 1;
        refusals.accepted = refusals.clock;
        forget(&mut refusals, settled);
    }

    /// Notes that rows of these events were refused for good.
    pub(super) fn note_settled(&self, settled: impl Iterator<Item = EventId>) {
        forget(&mut self.lock(), settled);
    }

    /// Notes that rows of these events were refused. The first refusal of each counts.
    pub(super) fn note_refused(&self, suspects: impl Iterator<Item = EventId>) {
        let mut refusals = self.lock();
        refusals.clock += 1;
        for id in suspects {
            let is_known = refusals.suspects.iter().any(|suspect| suspect.id == id);
            if !is_known && refusals.suspects.len() < MAX_SUSPECTS {
                let refused = refusals.clock;
                refusals.suspects.push(Suspect { id, refused });
            }
        }
    }

    fn lock(&self) -> MutexGuard<'_, Refusals> {
        self.refusals.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn forget(refusals: &mut Refusals, settled: impl Iterator<Item = EventId>) {
    if refusals.suspects.is_empty() {
        return;
    }
    for id in settled {
        refusals.suspects.retain(|suspect| suspect.id != id);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn id(text: &str) -> EventId {
        EventId::of(text)
    }

    #[test]
    fn a_row_is_bracketed_once_another_was_taken_after_it() {
        let evidence = Evidence::default();
        evidence.note_accepted([id("before")].into_iter());
        evidence.note_refused([id("bad")].into_iter());
        assert!(!evidence.is_bracketed(id("bad")));
        evidence.note_refused([id("bad")].into_iter());
        assert!(!evidence.is_bracketed(id("bad")), "refused twice proves nothing");

        let evidence = Evidence::new(evidence.refusals());
        evidence.note_accepted([id("good")].into_iter());
        assert!(evidence.is_bracketed(id("bad")) && !evidence.is_bracketed(id("other")));
        evidence.note_settled([id("bad")].into_iter());
        assert_eq!(evidence.refusals().suspects, []);
    }

    #[test]
    fn a_suspect_that_is_taken_is_none_any_more() {
        let evidence = Evidence::default();
        evidence.note_refused([id("a"), id("b")].into_iter());
        evidence.note_accepted([id("a")].into_iter());
        assert!(!evidence.is_bracketed(id("a")) && evidence.is_bracketed(id("b")));
    }

    #[test]
    fn what_is_remembered_is_bounded() {
        let evidence = Evidence::default();
        evidence.note_refused((0..10_000).map(|number| id(&number.to_string())));
        assert_eq!(evidence.refusals().suspects.len(), MAX_SUSPECTS);
    }
}
