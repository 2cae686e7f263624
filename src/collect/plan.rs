//! Which hours to read, by the checkpoint. Pure: no clock, no network, no storage.

use jiff::{SignedDuration, Timestamp};
use proofpoint_sentinel_core::hour::Hour;

use super::hour_status::is_too_long;
use super::timing::{Timing, signed};
use crate::state::Checkpoint;

/// How far back Proofpoint keeps events.
pub(super) const RETENTION: SignedDuration = SignedDuration::from_hours(30 * 24);

/// The work that is due for a feed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Plan {
    /// Hours to read now, in this order.
    pub due: Vec<Hour>,
    /// How many hours will be retried later.
    pub later: usize,
    /// Hours that Proofpoint no longer keeps.
    pub lost: Vec<Hour>,
}

/// Plans what to read: hours to retry and hours never read, up to the newest one that is due. Oldest
/// first; after them hours that are read a second time, and then those that are
/// [too long](is_too_long).
pub(crate) fn plan(checkpoint: &Checkpoint, now: Timestamp, timing: Timing) -> Plan {
    let retries = checkpoint.retry.iter();
    let fresh = checkpoint.next_hour.through(Hour::newest_due(now, signed(timing.delay)));
    let candidates = retries
        .map(|attempt| (attempt.hour, attempt.not_before))
        .chain(fresh.map(|hour| (hour, now)));
    let mut plan = Plan { due: Vec::new(), later: 0, lost: Vec::new() };
    let mut too_long = Vec::new();
    for (hour, not_before) in candidates {
        if hour.start() < now - RETENTION {
            plan.lost.push(hour);
        } else if not_before > now {
            plan.later += 1;
        } else if checkpoint.retry.iter().any(|retry| retry.hour == hour && is_too_long(retry)) {
            too_long.push(hour);
        } else {
            plan.due.push(hour);
        }
    }
    let is_due = |hour: &&Hour| timing.second_read_at(**hour).is_some_and(|at| at <= now);
    plan.due.extend(checkpoint.second.iter().filter(is_due));
    plan.due.append(&mut too_long);
    plan
}

/// Whether the hour is done and is to be read once more.
pub(super) fn awaits_second_read(checkpoint: &Checkpoint, hour: Hour) -> bool {
    checkpoint.second.binary_search(&hour).is_ok()
}

/// Whether the hour is so old that Proofpoint may have dropped it since the plan was made: there, a
/// refusal for a bad time means just that.
pub(super) fn is_near_end_of_retention(hour: Hour, now: Timestamp) -> bool {
    hour.start() < now - RETENTION + SignedDuration::from_hours(2)
}

/// The oldest hour that will be read, for the first time or once more.
pub(super) fn oldest_unfinished(checkpoint: &Checkpoint) -> Hour {
    let retry = checkpoint.retry.first().map(|attempt| attempt.hour);
    let second = checkpoint.second.first().copied();
    [retry, second].into_iter().flatten().fold(checkpoint.next_hour, Hour::min)
}

#[cfg(test)]
mod tests;
