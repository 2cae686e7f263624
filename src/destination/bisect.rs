//! Finds the rows at fault in a batch that is refused as a whole, by halving it.

use super::batch::Batch;
use super::outcome::{BatchOutcome, HeldRows, PostCounts, RefusedRow};
use super::verdict::{HeldReason, RowRefusal};

/// If so many rows are refused one by one and none is accepted, the rows are probably not at fault.
const SUSPICIOUS_REFUSALS: usize = 16;

/// A batch that is being sorted into rows accepted, refused and held.
pub(super) struct Bisection<T> {
    /// What is yet to be posted; the last one comes next.
    pending: Vec<Batch<T>>,
    outcome: BatchOutcome<T>,
}

impl<T> Bisection<T> {
    pub(super) fn new(batch: Batch<T>) -> Bisection<T> {
        let (delivered, refused, counts) = (Vec::new(), Vec::new(), PostCounts::default());
        let outcome = BatchOutcome { delivered, refused, held: None, counts };
        Bisection { pending: vec![batch], outcome }
    }

    /// The next part of the batch to post; `None` once every row is sorted.
    pub(super) fn next_part(&mut self) -> Option<Batch<T>> {
        self.pending.pop()
    }

    /// Where posts are counted.
    pub(super) fn counts(&mut self) -> &mut PostCounts {
        &mut self.outcome.counts
    }

    /// What became of each row.
    pub(super) fn finish(self) -> BatchOutcome<T> {
        self.outcome
    }

    /// The workspace has accepted `part`.
    pub(super) fn deliver(&mut self, part: Batch<T>) {
        self.outcome.delivered.extend(part.into_tags());
    }

    /// The workspace refuses `part` as a whole: halves it, or refuses its only row.
    pub(super) fn split(&mut self, part: Batch<T>, reason: RowRefusal) {
        match part.split() {
            Ok((left, right)) => self.pending.extend([right, left]),
            Err(tag) => {
                self.outcome.refused.push(RefusedRow { tag, reason });
                self.check_all_refused();
            }
        }
    }

    /// Holds `part` and everything that is yet to be posted.
    pub(super) fn hold(&mut self, part: Batch<T>, reason: HeldReason) {
        self.hold_rows(part.into_tags(), reason);
    }

    /// Where every row so far was refused, goes on at the far end of the batch. Where it is the
    /// same there, or no row is left, the table or the rule is at fault and not the rows.
    fn check_all_refused(&mut self) {
        let refused = self.outcome.refused.len();
        if !self.outcome.delivered.is_empty() || refused < SUSPICIOUS_REFUSALS {
            return;
        }
        if refused == 2 * SUSPICIOUS_REFUSALS || self.pending.is_empty() {
            self.hold_all();
        } else if refused == SUSPICIOUS_REFUSALS {
            self.pending.reverse();
        }
    }

    fn hold_all(&mut self) {
        let refused = self.outcome.refused.len();
        if let Some(RefusedRow { tag, reason: last }) = self.outcome.refused.pop() {
            let others = self.outcome.refused.drain(..).map(|refused| refused.tag);
            let tags = others.chain([tag]).collect();
            self.hold_rows(tags, HeldReason::EveryRowRefused { refused, last });
        }
    }

    fn hold_rows(&mut self, mut tags: Vec<T>, reason: HeldReason) {
        tags.extend(self.pending.drain(..).rev().flat_map(Batch::into_tags));
        self.outcome.held = Some(HeldRows { tags, reason });
    }
}

#[cfg(test)]
mod tests;
