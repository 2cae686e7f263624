//! Finds the rows at fault in a batch that is refused as a whole, by halving it.

use super::batch::Batch;
use super::outcome::{BatchOutcome, PostCounts, RefusedRow};
use super::verdict::{HeldReason, RowRefusal};

/// If so many rows are refused one by one and none is accepted, the rows are probably not at fault.
const SUSPICIOUS_REFUSALS: usize = 16;

/// A batch that is being sorted into rows accepted, refused and held.
///
/// A refusal is final only if the table took another row after it, and the row was then refused once
/// more: otherwise the table or its rule may be at fault, and each good row would be given up.
pub(super) struct Bisection<T> {
    /// What is yet to be posted; the last one comes next.
    pending: Vec<Batch<T>>,
    /// Rows that were refused once.
    suspects: Vec<SuspectRow<T>>,
    /// How many parts were accepted.
    accepted: usize,
    outcome: BatchOutcome<T>,
}

/// A row that was refused.
struct SuspectRow<T> {
    /// The row alone.
    part: Batch<T>,
    reason: RowRefusal,
    /// How many parts had been accepted by then.
    accepted: usize,
}

impl<T> Bisection<T> {
    pub(super) fn new(batch: Batch<T>) -> Bisection<T> {
        let outcome = BatchOutcome {
            delivered: Vec::new(),
            refused: Vec::new(),
            unconfirmed: Vec::new(),
            held: Vec::new(),
            hold: None,
            counts: PostCounts::default(),
        };
        Bisection { pending: vec![batch], suspects: Vec::new(), accepted: 0, outcome }
    }

    /// The next part of the batch to post; `None` once every row is sorted or suspect.
    pub(super) fn next_part(&mut self) -> Option<Batch<T>> {
        self.pending.pop()
    }

    /// The next suspect row to post once more: one after whose refusal another was accepted, here or
    /// as `is_bracketed` knows.
    pub(super) fn next_suspect(&mut self, is_bracketed: impl Fn(&T) -> bool) -> Option<Batch<T>> {
        if !self.outcome.held.is_empty() {
            return None;
        }
        let has_evidence = |suspect: &SuspectRow<T>| {
            suspect.accepted < self.accepted || suspect.part.tags().iter().any(&is_bracketed)
        };
        let position = self.suspects.iter().position(has_evidence)?;
        Some(self.suspects.remove(position).part)
    }

    /// Where posts are counted.
    pub(super) fn counts(&mut self) -> &mut PostCounts {
        &mut self.outcome.counts
    }

    /// What became of each row.
    pub(super) fn finish(mut self) -> BatchOutcome<T> {
        for SuspectRow { part, reason, .. } in self.suspects {
            self.outcome.unconfirmed.extend(refused_rows(part, &reason));
        }
        self.outcome
    }

    /// The workspace has accepted `part`.
    pub(super) fn deliver(&mut self, part: Batch<T>) {
        self.accepted += 1;
        self.outcome.delivered.extend(part.into_tags());
    }

    /// The workspace refuses `part` as a whole: halves it, or suspects its only row.
    pub(super) fn split(&mut self, part: Batch<T>, reason: RowRefusal) {
        if part.len() > 1 {
            if let Ok((left, right)) = part.split() {
                self.pending.extend([right, left]);
            }
        } else if let RowRefusal::TooLongCompressed { .. } = reason {
            // That is our own finding, and holds of the row whatever the table is like.
            self.refuse(part, &reason);
        } else {
            self.suspects.push(SuspectRow { part, reason, accepted: self.accepted });
            self.check_all_refused();
        }
    }

    /// The row is refused for good.
    pub(super) fn refuse(&mut self, part: Batch<T>, reason: &RowRefusal) {
        self.outcome.refused.extend(refused_rows(part, reason));
    }

    /// Holds `part` and everything that is yet to be posted.
    pub(super) fn hold(&mut self, part: Batch<T>, reason: HeldReason) {
        self.outcome.held.extend(part.into_tags());
        self.hold_pending();
        self.outcome.hold = Some(reason);
    }

    /// If every row so far was refused, goes on at the far end of the batch. If it is the same there,
    /// the rest is not posted.
    fn check_all_refused(&mut self) {
        let refused = self.suspects.len();
        if self.accepted > 0 || self.pending.is_empty() {
            return;
        }
        if refused == 2 * SUSPICIOUS_REFUSALS {
            self.hold_pending();
        } else if refused == SUSPICIOUS_REFUSALS {
            self.pending.reverse();
        }
    }

    fn hold_pending(&mut self) {
        let pending = self.pending.drain(..).rev().flat_map(Batch::into_tags);
        self.outcome.held.extend(pending);
    }
}

fn refused_rows<T>(part: Batch<T>, reason: &RowRefusal) -> impl Iterator<Item = RefusedRow<T>> {
    part.into_tags().into_iter().map(|tag| RefusedRow { tag, reason: reason.clone() })
}

#[cfg(test)]
mod tests;
