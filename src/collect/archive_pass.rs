//! One pass over the hours that are due: which comes next, and what failures of several hours mean
//! together. Pure: no clock, no network, no storage.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use proofpoint_sentinel_core::hour::Hour;

use super::fault::HOURS_IN_A_ROW;
use crate::error_code::{self, ErrorCode};

/// An hour that could not be read, and why.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct FailedHour {
    pub hour: Hour,
    pub code: ErrorCode,
    pub reason: String,
}

/// What is known now that an hour was asked for.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Finding {
    /// Each of these hours has failed by itself.
    HoursFailed(Vec<FailedHour>),
    /// Proofpoint keeps no hour older than `oldest_kept`, so these are lost.
    Lost { hours: Vec<Hour>, oldest_kept: Hour },
    /// Hours fail alike, so the feed is at fault and not they. The last one is given.
    FeedFailed { count: usize, last: FailedHour },
}

/// The hours of one pass.
///
/// Proofpoint answers 400 to an hour that it no longer keeps, and to a bad request. Which of the two
/// it is shows in other hours: the pass looks for the oldest hour that is kept by halving the hours
/// between one that is refused and one that is read.
pub(super) struct ArchivePass {
    queue: VecDeque<Hour>,
    /// The hours that are not done, which retention is sought among.
    open: BTreeSet<Hour>,
    kept: BTreeSet<Hour>,
    refused: BTreeMap<Hour, FailedHour>,
    /// Hours that failed alike, one after the other.
    in_a_row: Vec<FailedHour>,
    /// Whether the hours from one to another can be such that are no longer kept.
    can_be_lost: Box<dyn Fn(Hour, Hour) -> bool + Send + Sync>,
}

impl ArchivePass {
    /// A pass over `due`, of which those for which `is_open` says so are not done. `can_be_lost` says
    /// whether the hours from one to another can be such that are no longer kept.
    pub(super) fn new(
        due: Vec<Hour>,
        is_open: impl Fn(Hour) -> bool,
        can_be_lost: impl Fn(Hour, Hour) -> bool + Send + Sync + 'static,
    ) -> ArchivePass {
        ArchivePass {
            open: due.iter().copied().filter(|hour| is_open(*hour)).collect(),
            queue: due.into(),
            kept: BTreeSet::new(),
            refused: BTreeMap::new(),
            in_a_row: Vec::new(),
            can_be_lost: Box::new(can_be_lost),
        }
    }

    /// The hour to read next.
    pub(super) fn next(&mut self) -> Option<Hour> {
        let next = self.probe().or_else(|| self.queue.front().copied())?;
        self.queue.retain(|hour| *hour != next);
        Some(next)
    }

    /// The hour was read, whatever came of it.
    pub(super) fn note_read(&mut self, hour: Hour) -> Vec<Finding> {
        self.kept.insert(hour);
        let mut findings = Vec::new();
        if !self.in_a_row.is_empty() {
            findings.push(Finding::HoursFailed(std::mem::take(&mut self.in_a_row)));
        }
        findings.extend(self.conclude());
        findings
    }

    /// Proofpoint no longer keeps the hour, which says nothing of others.
    pub(super) fn note_lost(&mut self, hour: Hour) {
        self.open.remove(&hour);
    }

    /// The hour could not be read.
    pub(super) fn note_failed(&mut self, failed: FailedHour) -> Vec<Finding> {
        if failed.code == error_code::REFUSED_BAD_REQUEST && self.open.contains(&failed.hour) {
            self.refused.insert(failed.hour, failed);
            return self.conclude().into_iter().collect();
        }
        let mut findings = Vec::new();
        if self.in_a_row.last().is_some_and(|last| last.code != failed.code) {
            findings.push(Finding::HoursFailed(std::mem::take(&mut self.in_a_row)));
        }
        self.in_a_row.push(failed.clone());
        if self.in_a_row.len() >= HOURS_IN_A_ROW {
            let count = self.in_a_row.len();
            self.in_a_row.clear();
            findings.push(Finding::FeedFailed { count, last: failed });
        }
        findings
    }

    /// What is left to say when the pass ends.
    pub(super) fn finish(mut self) -> Vec<FailedHour> {
        let refused = std::mem::take(&mut self.refused);
        self.in_a_row.into_iter().chain(refused.into_values()).collect()
    }

    /// The hour whose answer says most about where retention ends, while that is sought.
    fn probe(&self) -> Option<Hour> {
        let between = self.between()?;
        match self.oldest_kept() {
            Some(_) => between.get(between.len() / 2).copied(),
            // The newest one says whether any hour is kept.
            None => between.last().copied(),
        }
    }

    /// The hours between the newest that was refused and the oldest that is kept, while one was
    /// refused and no older one was read.
    fn between(&self) -> Option<Vec<Hour>> {
        let (newest_refused, _) = self.refused.last_key_value()?;
        let newer = self.open.range(newest_refused.plus(1)..).copied();
        match self.oldest_kept() {
            Some(kept) if kept < *newest_refused => None,
            Some(kept) => {
                Some(newer.take_while(|hour| *hour < kept).filter(self.is_queued()).collect())
            }
            None => Some(newer.filter(self.is_queued()).collect()),
        }
    }

    fn is_queued(&self) -> impl Fn(&Hour) -> bool {
        |hour| self.queue.contains(hour)
    }

    fn oldest_kept(&self) -> Option<Hour> {
        self.kept.iter().find(|hour| self.open.contains(hour)).copied()
    }

    /// What the refused hours mean, if that is known.
    fn conclude(&mut self) -> Option<Finding> {
        let (newest_refused, last) = self.refused.last_key_value()?;
        match self.between() {
            Some(between) if !between.is_empty() => return None,
            Some(_) if self.refused.len() >= 2 => {}
            // A single hour may be at fault itself, and so may one that is newer than one that is
            // kept.
            _ => {
                let refused = std::mem::take(&mut self.refused);
                return Some(Finding::HoursFailed(refused.into_values().collect()));
            }
        }
        let hours: Vec<Hour> = self.open.range(..=*newest_refused).copied().collect();
        let oldest = hours.first().copied().unwrap_or(*newest_refused);
        let finding = match self.oldest_kept() {
            Some(oldest_kept) if (self.can_be_lost)(oldest, *newest_refused) => {
                Finding::Lost { hours, oldest_kept }
            }
            Some(_) => {
                let refused = std::mem::take(&mut self.refused);
                return Some(Finding::HoursFailed(refused.into_values().collect()));
            }
            None => Finding::FeedFailed { count: self.refused.len(), last: last.clone() },
        };
        self.refused.clear();
        if let Finding::Lost { hours, .. } = &finding {
            self.queue.retain(|hour| !hours.contains(hour));
        }
        Some(finding)
    }
}

#[cfg(test)]
mod tests;
