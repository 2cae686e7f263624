//! What is recorded of hours in the checkpoint. Pure: no clock, no network, no storage.

use jiff::Timestamp;
use proofpoint_sentinel_core::hour::Hour;

use super::hour_status::HourStatus;
use super::ledger;
use super::plan::{RETENTION, awaits_second_read};
use super::timing::Timing;
use crate::state::Checkpoint;

/// Drops the hours that will not be read a second time: Proofpoint no longer keeps them, or no hour
/// is read twice any more.
pub(crate) fn drop_expired_second_reads(
    checkpoint: &mut Checkpoint,
    now: Timestamp,
    timing: Timing,
) {
    let is_read = |hour: &Hour| timing.second_read.is_some() && hour.start() >= now - RETENTION;
    checkpoint.second.retain(is_read);
}

/// Skips every hour that Proofpoint no longer keeps, where the archive is not read: should it be
/// read again one day, it goes on from there.
pub(crate) fn skip_expired_hours(checkpoint: &mut Checkpoint, now: Timestamp, timing: Timing) {
    let oldest = Hour::containing(now - RETENTION).plus(1);
    drop_expired_second_reads(checkpoint, now, timing);
    checkpoint.retry.retain(|attempt| attempt.hour >= oldest);
    checkpoint.next_hour = checkpoint.next_hour.max(oldest);
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
    checkpoint.retry.retain(|attempt| attempt.hour < first);
    checkpoint.lost.retain(|hour| *hour < first);
    checkpoint.second.retain(|hour| *hour < first);
    for attempt in &mut checkpoint.retry {
        attempt.not_before = attempt.not_before.min(now);
    }
    Some(first)
}

/// Records the status of `hour`, which is one of the plan's.
pub(crate) fn record(checkpoint: &mut Checkpoint, hour: Hour, status: HourStatus) {
    checkpoint.retry.retain(|attempt| attempt.hour != hour);
    checkpoint.second.retain(|other| *other != hour);
    match status {
        HourStatus::Retry(attempt) => {
            let position = checkpoint.retry.partition_point(|other| other.hour < hour);
            checkpoint.retry.insert(position, attempt);
        }
        HourStatus::Done { second_read: true } => {
            let position = checkpoint.second.partition_point(|other| *other < hour);
            checkpoint.second.insert(position, hour);
        }
        HourStatus::Done { second_read: false } => {}
    }
    if hour >= checkpoint.next_hour {
        checkpoint.next_hour = hour.plus(1);
    }
}

/// Records that Proofpoint no longer keeps `hour`, which is one of the plan's. An hour that was done
/// is not lost.
pub(crate) fn record_lost(checkpoint: &mut Checkpoint, hour: Hour) {
    let was_done = awaits_second_read(checkpoint, hour);
    record(checkpoint, hour, HourStatus::Done { second_read: false });
    if !was_done && let Err(position) = checkpoint.lost.binary_search(&hour) {
        checkpoint.lost.insert(position, hour);
    }
}
