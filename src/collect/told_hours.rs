//! What the connector's table is told of the hours of a feed. Pure: no clock, no network, no storage.

use proofpoint_sentinel_core::hour::Hour;

use super::plan::{believed, tried};
use crate::state::{Checkpoint, Completeness};
use crate::tap::TapProgress;

/// What the table is told of an hour, besides its events.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct ToldState {
    pub(super) completeness: Completeness,
    /// How often it was read, if that is known.
    pub(super) attempts: Option<u32>,
}

/// The state of an hour of a cluster's feed; `None` if it was not read yet.
pub(super) fn state_of(checkpoint: &Checkpoint, hour: Hour) -> Option<ToldState> {
    let passed_over = || checkpoint.backlog.iter().any(|it| (it.first..=it.last).contains(&hour));
    if hour >= checkpoint.next_hour || passed_over() {
        return None;
    }
    let (completeness, attempt) = if let Some(attempt) = tried(checkpoint, hour) {
        (Completeness::Unknown, Some(attempt))
    } else if let Some(attempt) = believed(checkpoint, hour) {
        (Completeness::Believed, Some(attempt))
    } else if checkpoint.lost.contains(&hour) {
        (Completeness::Lost, None)
    } else {
        (Completeness::Proved, None)
    };
    Some(ToldState { completeness, attempts: attempt.map(|attempt| attempt.attempts) })
}

/// The state of an hour of a TAP account; `None` if it was not asked for yet.
pub(super) fn state_of_tap(progress: &TapProgress, hour: Hour) -> Option<ToldState> {
    if hour >= progress.next_hour() {
        return None;
    }
    let completeness = if progress.unfinished_hours().any(|unfinished| unfinished == hour) {
        Completeness::Unknown
    } else if progress.lost().iter().any(|span| span.contains(hour)) {
        Completeness::Lost
    } else {
        Completeness::Proved
    };
    Some(ToldState { completeness, attempts: None })
}
