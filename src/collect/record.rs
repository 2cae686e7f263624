//! What is recorded of hours in the checkpoint. Pure: no clock, no network, no storage.

use jiff::Timestamp;
use proofpoint_sentinel_core::hour::Hour;

use super::hour_status::HourStatus;
use super::ledger;
use super::plan::{RETENTION, is_reread};
use super::timing::Timing;
use crate::state::{Checkpoint, HourAttempt, HourRange};

/// Drops the hours that will not be read again though they are done: Proofpoint no longer keeps
/// them, or no hour is read twice any more.
pub(crate) fn drop_expired_rereads(checkpoint: &mut Checkpoint, now: Timestamp, timing: Timing) {
    let is_kept = |hour: Hour| hour.start() >= now - RETENTION;
    checkpoint.second.retain(|hour| timing.second_read.is_some() && is_kept(*hour));
    checkpoint.believed.retain(|attempt| is_kept(attempt.hour));
}

/// Undoes what a clock that was ahead recorded, if the checkpoint shows that there was one: its next
/// hour has not begun by this clock. Hours may have been read before their events were there, so they
/// are read again, as far back as the ledger tells what has arrived. Gives the first of them.
pub(crate) fn rewind_fast_clock(checkpoint: &mut Checkpoint, now: Timestamp) -> Option<Hour> {
    if checkpoint.next_hour.start() <= now {
        return None;
    }
    let first = Hour::containing(now).plus(-ledger::KEPT_HOURS);
    checkpoint.next_hour = first;
    checkpoint.backlog.retain(|range| range.first < first);
    if let Some(range) = checkpoint.backlog.last_mut() {
        range.last = range.last.min(first.plus(-1));
    }
    checkpoint.retry.retain(|attempt| attempt.hour < first);
    checkpoint.believed.retain(|attempt| attempt.hour < first);
    checkpoint.lost.retain(|hour| *hour < first);
    checkpoint.second.retain(|hour| *hour < first);
    for attempt in checkpoint.retry.iter_mut().chain(&mut checkpoint.believed) {
        attempt.not_before = attempt.not_before.min(now);
    }
    Some(first)
}

/// Records the status of `hour`, which is one of the plan's.
pub(crate) fn record(checkpoint: &mut Checkpoint, hour: Hour, status: HourStatus) {
    leave_lists(checkpoint, hour);
    match status {
        HourStatus::Retry(attempt) => insert(&mut checkpoint.retry, attempt),
        HourStatus::Believed(attempt) => insert(&mut checkpoint.believed, attempt),
        HourStatus::Proved { second_read: true } => {
            let position = checkpoint.second.partition_point(|other| *other < hour);
            checkpoint.second.insert(position, hour);
        }
        HourStatus::Proved { second_read: false } | HourStatus::Settled => {}
    }
}

/// Records that Proofpoint no longer keeps `hour`, which is one of the plan's. An hour that was done
/// is not lost.
pub(crate) fn record_lost(checkpoint: &mut Checkpoint, hour: Hour) {
    let was_done = is_reread(checkpoint, hour);
    leave_lists(checkpoint, hour);
    if !was_done && let Err(position) = checkpoint.lost.binary_search(&hour) {
        checkpoint.lost.insert(position, hour);
    }
}

/// Takes `hour` out of every list of hours to read. Hours that were passed over to reach it enter
/// the backlog.
fn leave_lists(checkpoint: &mut Checkpoint, hour: Hour) {
    checkpoint.retry.retain(|attempt| attempt.hour != hour);
    checkpoint.believed.retain(|attempt| attempt.hour != hour);
    checkpoint.second.retain(|other| *other != hour);
    if hour >= checkpoint.next_hour {
        if hour > checkpoint.next_hour {
            let passed = HourRange { first: checkpoint.next_hour, last: hour.plus(-1) };
            checkpoint.backlog.push(passed);
        }
        checkpoint.next_hour = hour.plus(1);
    } else {
        checkpoint.backlog =
            checkpoint.backlog.iter().flat_map(|range| without(*range, hour)).collect();
    }
}

/// What is left of `range` without `hour`.
fn without(range: HourRange, hour: Hour) -> impl Iterator<Item = HourRange> {
    let HourRange { first, last } = range;
    let parts = if hour < first || hour > last {
        [Some(range), None]
    } else {
        let before = (first < hour).then(|| HourRange { first, last: hour.plus(-1) });
        let after = (hour < last).then(|| HourRange { first: hour.plus(1), last });
        [before, after]
    };
    parts.into_iter().flatten()
}

fn insert(attempts: &mut Vec<HourAttempt>, attempt: HourAttempt) {
    let position = attempts.partition_point(|other| other.hour < attempt.hour);
    attempts.insert(position, attempt);
}
