//! What follows from a fault of a reading. This is the one place that decides it.
//!
//! | a fault of | examples | the archive | the live stream |
//! |---|---|---|---|
//! | an event | not JSON, too long for a row | a dead letter, and the reading goes on | likewise |
//! | an hour | its session is refused with 400, 404 or 5xx or can't be opened, its part of the ledger is damaged, its rows are refused and no other row was taken since | the hour is tried again later, other hours go on; if [several](HOURS_IN_A_ROW) in a row fail alike, it is the feed's fault | the archive goes on |
//! | the feed | its live stream is refused, the proxy is busy | the feed waits for the next run | the archive goes on |
//! | the cluster | its token is refused or in use | the feed waits for the next run | likewise |
//! | the destination | it takes no rows | the feed waits, and opens no live session until it takes rows again | likewise |
//! | the process | storage, TLS, a stop | the feed waits for the next run | likewise |
//!
//! An hour that is refused because Proofpoint no longer keeps it is lost, and no fault:
//! [`is_near_end_of_retention`](super::plan::is_near_end_of_retention) says which these are.
//!
//! Whether a fault passes by itself decides only whether it is retried at once, where it arises:
//! [`RefusalKind`] for sessions, the destination's verdicts for posts. What does not pass is tried
//! again in later runs all the same, since it heals when its cause is mended.

use super::delivery_error::DeliveryError;
use super::session_reader::ReadError;
use crate::pod::{OpenError, RefusalKind};
use crate::state::StateError;

/// If so many hours in a row can't be read for the same reason, it is not the hours' fault.
pub(super) const HOURS_IN_A_ROW: usize = 3;

/// What a fault is a fault of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Scope {
    Hour,
    Feed,
    Cluster,
    Destination,
    Process,
}

/// What was being read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Source {
    Live,
    Archive,
}

/// What follows from a fault.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Consequence {
    /// The hour is on record to be tried again, and other hours go on.
    RetryHour,
    /// The live stream is left for this run, and the archive goes on.
    LeaveLive,
    /// The work on the feed ends for this run.
    EndFeed,
    /// Likewise, and the next run opens no live session before the destination has taken rows.
    Hold,
}

/// What follows from a fault of this scope.
pub(super) fn consequence(scope: Scope, source: Source) -> Consequence {
    match (scope, source) {
        (Scope::Hour, Source::Archive) => Consequence::RetryHour,
        (Scope::Hour | Scope::Feed, Source::Live) => Consequence::LeaveLive,
        (Scope::Feed, Source::Archive) | (Scope::Cluster | Scope::Process, _) => {
            Consequence::EndFeed
        }
        (Scope::Destination, _) => Consequence::Hold,
    }
}

/// Whether live sessions wait until the destination takes rows of the feed again, though the fault is
/// that of an hour: rows were refused and none was taken in this run. The server of the live stream
/// forgets what it has sent.
pub(super) fn holds_live_back(error: &ReadError<DeliveryError>, has_delivered: bool) -> bool {
    matches!(error, ReadError::Sink(DeliveryError::Unconfirmed { .. })) && !has_delivered
}

/// What the error is a fault of.
pub(super) fn scope(error: &ReadError<DeliveryError>, source: Source) -> Scope {
    match error {
        ReadError::Open(error) => scope_of_opening(error, source),
        ReadError::Sink(error) => scope_of_delivery(error),
        ReadError::Abandoned => Scope::Process,
    }
}

fn scope_of_opening(error: &OpenError, source: Source) -> Scope {
    let of_one_session = match source {
        Source::Archive => Scope::Hour,
        Source::Live => Scope::Feed,
    };
    match error {
        OpenError::Refused(refusal) => match (refusal.status, refusal.kind()) {
            (401 | 403, _) | (_, RefusalKind::Busy) => Scope::Cluster,
            _ => of_one_session,
        },
        OpenError::Unreachable { .. } => of_one_session,
        OpenError::Proxy(error) if error.is_passing() => Scope::Feed,
        OpenError::Proxy(_) | OpenError::Tls { .. } => Scope::Process,
        OpenError::Token => Scope::Cluster,
    }
}

fn scope_of_delivery(error: &DeliveryError) -> Scope {
    match error {
        DeliveryError::Held(_) => Scope::Destination,
        DeliveryError::Unconfirmed { .. } => Scope::Hour,
        DeliveryError::Ledger(StateError::Ledger { .. } | StateError::TooLarge { .. }) => {
            Scope::Hour
        }
        DeliveryError::Ledger(_) | DeliveryError::DeadLetter(_) | DeliveryError::Fault(_) => {
            Scope::Process
        }
    }
}
