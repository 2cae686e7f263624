//! Why the work on a feed ended early.

use jiff::Timestamp;
use proofpoint_sentinel_core::hour::Hour;

use super::delivery_error::DeliveryError;
use super::read_end::ReadEnd;
use super::session_reader::ReadError;
use crate::error_code::{self, Coded, ErrorCode};
use crate::state::{RecordedEnd, StateError};
use crate::tap::{AskError, TapNotice};

/// Why the work on a feed ended early.
#[derive(Debug, thiserror::Error)]
pub(super) enum FeedError {
    #[error("{0}")]
    State(#[from] StateError),
    #[error("{0}")]
    Read(#[from] ReadError<DeliveryError>),
    #[error(
        "the live stream can't be read: {error}; until then events come from the archive, an hour or two late"
    )]
    LiveUnreadable {
        #[source]
        error: ReadError<DeliveryError>,
    },
    #[error(
        "live sessions end as soon as they begin, the last one was {end}; the next run tries again; until then events come from the archive, an hour or two late"
    )]
    LiveCutShort { end: ReadEnd },
    #[error(
        "the hour {hour} can't be read, and is tried again while Proofpoint keeps it; other hours go on: {reason}"
    )]
    HourUnreadable { hour: Hour, code: ErrorCode, reason: String },
    #[error(
        "{count} hours can't be read for the same reason, so the feed waits for the next run: {reason}"
    )]
    HoursUnreadable { count: usize, code: ErrorCode, reason: String },
    #[error(
        "the hour {hour} could not be read to its end in {attempts} runs, {events} events in the last one: raise functionTimeout in host.json, or read it with `collect`"
    )]
    HourTooLong { hour: Hour, attempts: u32, events: u64 },
    #[error(
        "the hour {hour} could not be read to its end in {attempts} tries, the last one was {end}: its events up to there are delivered, and it is tried again at most hourly while Proofpoint keeps it"
    )]
    HourCutShort { hour: Hour, attempts: u32, end: RecordedEnd },
    #[error(
        "the workspace refused {count} rows for good; their events are kept as dead letters, see docs/operate.md"
    )]
    RowsRefused { count: u64 },
    #[error(
        "the run's time was up: the workspace wants no posts before {until}. A later run goes on"
    )]
    Paused { until: Timestamp },
    #[error("{0}")]
    Ask(#[from] AskError),
    #[error("{0}")]
    Tap(#[from] TapNotice),
    #[error("the feed's lease was lost: another run may have it; the next run goes on")]
    LeaseLost,
    #[error(
        "this machine's clock is behind: it shows {now}, and what came before {reached} has been read. Set it right, and the next run goes on"
    )]
    ClockBehind { now: Timestamp, reached: Timestamp },
}

impl Coded for FeedError {
    fn code(&self) -> ErrorCode {
        match self {
            FeedError::State(error) => error.code(),
            FeedError::Read(error) | FeedError::LiveUnreadable { error, .. } => error.code(),
            FeedError::LiveCutShort { .. } => error_code::LIVE_SESSIONS_END,
            FeedError::HourUnreadable { code, .. } | FeedError::HoursUnreadable { code, .. } => {
                *code
            }
            FeedError::HourTooLong { .. } => error_code::HOUR_TOO_LONG,
            FeedError::HourCutShort { .. } => error_code::HOUR_FAILS,
            FeedError::RowsRefused { .. } => error_code::ROW_REFUSED,
            FeedError::Paused { .. } => error_code::POSTING_OUT_OF_TIME,
            FeedError::Ask(error) => error.code(),
            FeedError::Tap(notice) => notice.code(),
            FeedError::LeaseLost => error_code::LEASE_LOST,
            FeedError::ClockBehind { .. } => error_code::CLOCK_BEHIND,
        }
    }
}
