//! Which hours to read, by the checkpoint. Pure: no clock, no network, no storage.

use std::collections::BTreeSet;

use jiff::{SignedDuration, Timestamp};
use proofpoint_sentinel_core::hour::Hour;

use super::hour_status::is_too_long;
use super::timing::{Timing, signed};
use crate::state::{Checkpoint, HourAttempt};

/// How far back Proofpoint keeps events.
pub(super) const RETENTION: SignedDuration = SignedDuration::from_hours(30 * 24);

/// The work that is due for a feed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Plan {
    /// Hours to read now, in this order.
    pub due: Vec<Hour>,
    /// How many hours that are not done will be tried later.
    pub later: usize,
    /// Hours that Proofpoint no longer keeps.
    pub lost: Vec<Hour>,
}

/// Plans what to read: hours to retry and hours never read, up to the newest one that is due. The
/// newest and the oldest of them take turns, so that neither a long backlog nor new hours starve.
/// After them come hours that are read a second time, those that are only believed to be done, and
/// those that are [too long](is_too_long).
pub(crate) fn plan(checkpoint: &Checkpoint, now: Timestamp, timing: Timing) -> Plan {
    let mut plan = Plan { due: Vec::new(), later: 0, lost: Vec::new() };
    let mut open = Vec::new();
    let mut too_long = Vec::new();
    for attempt in &checkpoint.retry {
        match attempt.hour {
            hour if is_expired(hour, now) => plan.lost.push(hour),
            _ if attempt.not_before > now => plan.later += 1,
            hour if is_too_long(attempt) => too_long.push(hour),
            hour => open.push(hour),
        }
    }
    let passed_over = checkpoint.backlog.iter().flat_map(|range| range.hours());
    let fresh = checkpoint.next_hour.through(Hour::newest_due(now, signed(timing.delay)));
    for hour in passed_over.chain(fresh) {
        if is_expired(hour, now) { plan.lost.push(hour) } else { open.push(hour) }
    }
    open.sort_unstable();
    plan.lost.sort_unstable();
    plan.due = taking_turns(&open, checkpoint.oldest_next);
    let is_due = |hour: &&Hour| timing.second_read_at(**hour).is_some_and(|at| at <= now);
    plan.due.extend(checkpoint.second.iter().filter(is_due));
    let looks = checkpoint.believed.iter().filter(|attempt| attempt.not_before <= now);
    plan.due.extend(looks.map(|attempt| attempt.hour));
    plan.due.append(&mut too_long);
    plan
}

/// The newest and the oldest hour, the second newest and the second oldest, and so on, or the oldest
/// one first.
fn taking_turns(hours: &[Hour], oldest_first: bool) -> Vec<Hour> {
    let mut rest = hours.iter().copied();
    let mut oldest_next = oldest_first;
    std::iter::from_fn(|| {
        let next = if oldest_next { rest.next() } else { rest.next_back() };
        oldest_next = !oldest_next;
        next
    })
    .collect()
}

/// Whether Proofpoint no longer keeps the hour.
fn is_expired(hour: Hour, now: Timestamp) -> bool {
    hour.start() < now - RETENTION
}

/// Whether the hour is done and is to be read once more.
pub(super) fn awaits_second_read(checkpoint: &Checkpoint, hour: Hour) -> bool {
    checkpoint.second.binary_search(&hour).is_ok()
}

/// The hour's last attempt, if the hour was tried and is not done.
pub(super) fn tried(checkpoint: &Checkpoint, hour: Hour) -> Option<&HourAttempt> {
    checkpoint.retry.iter().find(|attempt| attempt.hour == hour)
}

/// The hour's last reading, if the hour is only believed to be done.
pub(super) fn believed(checkpoint: &Checkpoint, hour: Hour) -> Option<&HourAttempt> {
    checkpoint.believed.iter().find(|attempt| attempt.hour == hour)
}

/// Whether the hour is done, and is read again all the same.
pub(super) fn is_reread(checkpoint: &Checkpoint, hour: Hour) -> bool {
    awaits_second_read(checkpoint, hour) || believed(checkpoint, hour).is_some()
}

/// Proofpoint documents 30 days. A tenant that keeps less than this is not believed in.
const MIN_RETENTION: SignedDuration = SignedDuration::from_hours(24);

/// Which hours that are refused can be such that Proofpoint no longer keeps.
pub(super) struct Forgettable {
    /// Hours before this one are old enough.
    before: Hour,
    /// The hours before `next_hour` that are not done.
    open: BTreeSet<Hour>,
    next_hour: Hour,
}

impl Forgettable {
    /// What the checkpoint says: an hour is not forgotten at an age at which another one was read.
    pub(super) fn of(checkpoint: &Checkpoint, now: Timestamp) -> Forgettable {
        let kept = Hour::containing(now).plus(-i64::from(checkpoint.kept_hours));
        let passed_over = checkpoint.backlog.iter().flat_map(|range| range.hours());
        let tried = checkpoint.retry.iter().map(|attempt| attempt.hour);
        Forgettable {
            before: kept.min(Hour::containing(now - MIN_RETENTION).plus(1)),
            open: passed_over.chain(tried).collect(),
            next_hour: checkpoint.next_hour,
        }
    }

    /// Whether the hours from `first` to `last` can all be forgotten. If one between them is done, the
    /// older ones were not forgotten when it was read.
    pub(super) fn holds(&self, first: Hour, last: Hour) -> bool {
        let is_open = |hour: Hour| hour >= self.next_hour || self.open.contains(&hour);
        last < self.before && first.through(last).all(is_open)
    }
}

/// Whether the hour is so old that Proofpoint may have dropped it since the plan was made: there, a
/// refusal for a bad time means just that.
pub(super) fn is_near_end_of_retention(
    checkpoint: &Checkpoint,
    hour: Hour,
    now: Timestamp,
) -> bool {
    let learnt = checkpoint.retention_hours.map(|hours| SignedDuration::from_hours(hours.into()));
    let retention = learnt.map_or(RETENTION, |learnt| learnt.min(RETENTION));
    hour.start() < now - retention + SignedDuration::from_hours(2)
}

/// The oldest hour that will be read, for the first time or once more.
pub(super) fn oldest_unfinished(checkpoint: &Checkpoint) -> Hour {
    let first = |attempts: &[HourAttempt]| attempts.first().map(|attempt| attempt.hour);
    let backlog = checkpoint.backlog.first().map(|range| range.first);
    let lists = [first(&checkpoint.retry), first(&checkpoint.believed), backlog];
    let second = checkpoint.second.first().copied();
    lists.into_iter().chain([second]).flatten().fold(checkpoint.next_hour, Hour::min)
}

#[cfg(test)]
mod tests;
