//! What follows from a fault of a reading. This is the one place that decides it.
//!
//! | a fault of | examples | while an hour is read | while the live stream is read |
//! |---|---|---|---|
//! | an event | not JSON, too long for a row | a dead letter, and the reading goes on | likewise |
//! | some rows | they are refused without proof that they are at fault, and others are taken | the reading goes on, and then is a fault of the hour | likewise, and then of the feed |
//! | an hour | its session is refused with 400, 404 or 5xx or can't be opened, its part of the ledger is damaged, its rows are refused and none is taken | the hour is [tried again later](AfterHour::RetryHour), other hours go on; if [several](HOURS_IN_A_ROW) in a row fail alike, it is the feed's fault | the archive goes on |
//! | the feed | its live stream is refused or ends time and again, the proxy is busy | the feed waits for the next run | the [archive goes on](AfterLive::LeaveLive) |
//! | the cluster | its token is refused or in use | the feed waits for the next run | likewise |
//! | the destination | it takes no rows | the feed waits for the next run, and is [on hold](holds_rows) | likewise |
//! | the process | storage, TLS, a stop | the feed waits for the next run | likewise |
//!
//! Two faults look like faults of an hour and are something else. An hour that is refused because
//! Proofpoint no longer keeps it is lost: [`is_near_end_of_retention`](super::plan::is_near_end_of_retention)
//! and [`ArchivePass`](super::archive_pass::ArchivePass) say which these are. An hour that was done before
//! stays done.
//!
//! Whether a fault is passing, permanent or unknown decides only how often it is retried at once, where
//! it arises: [`RefusalKind`] for sessions, the destination's verdicts for posts. What outlasts these
//! tries is tried again in later runs, permanent or not, since it heals when its cause is mended.

use super::delivery_error::DeliveryError;
use super::session_reader::ReadError;
use crate::pod::{OpenError, RefusalKind, SessionEnd};
use crate::state::StateError;

/// If so many hours in a row can't be read for the same reason, it is not the hours' fault.
pub(super) const HOURS_IN_A_ROW: usize = 3;

/// What a fault is a fault of, from the narrowest to the widest.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum FaultScope {
    Hour,
    Feed,
    Cluster,
    Destination,
    Process,
}

/// What follows from a fault while an hour is read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum AfterHour {
    /// The hour is on record to be tried again, and other hours go on.
    RetryHour,
    /// The work on the feed ends for this run.
    EndFeed,
}

/// What follows from a fault while the live stream is read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum AfterLive {
    /// The live stream is left for this run, and the archive goes on.
    LeaveLive,
    /// The work on the feed ends for this run.
    EndFeed,
}

/// What follows from a fault while an hour is read.
pub(super) fn after_hour(error: &ReadError<DeliveryError>) -> AfterHour {
    match scope(error, FaultScope::Hour) {
        FaultScope::Hour => AfterHour::RetryHour,
        _ => AfterHour::EndFeed,
    }
}

/// What follows from a fault while the live stream is read.
pub(super) fn after_live(error: &ReadError<DeliveryError>) -> AfterLive {
    match scope(error, FaultScope::Feed) {
        FaultScope::Hour | FaultScope::Feed => AfterLive::LeaveLive,
        _ => AfterLive::EndFeed,
    }
}

/// Whether the feed is on hold after the error: no live session is opened before the destination has
/// taken rows, or a post without rows, since the server of the live stream forgets what it has sent.
/// That is so if the destination takes no rows, and if it refused rows of the feed and `has_delivered`
/// none in this run.
pub(super) fn holds_rows(error: &ReadError<DeliveryError>, has_delivered: bool) -> bool {
    match error {
        ReadError::Sink(DeliveryError::Unconfirmed { .. }) => !has_delivered,
        _ => scope(error, FaultScope::Feed) == FaultScope::Destination,
    }
}

/// Whether a reading goes on after a batch failed: other rows of it were `delivered`, and the fault is
/// that of the rows alone.
pub(super) fn reading_goes_on(error: &DeliveryError, delivered: u64) -> bool {
    matches!(error, DeliveryError::Unconfirmed { .. }) && delivered > 0
}

/// Whether a live session that ended in this way, after several that brought nothing, is a fault of the
/// feed. A server that goes away, or that has nothing more, says so with 1001 or 1000.
pub(super) fn live_stream_fails(last: &SessionEnd) -> bool {
    !matches!(last, SessionEnd::Closed(Some(1000 | 1001)))
}

/// Of two faults of one batch, the one that decides what follows: that of the wider scope, or else the
/// first.
pub(super) fn wider(first: DeliveryError, second: DeliveryError) -> DeliveryError {
    if scope_of_delivery(&second) > scope_of_delivery(&first) { second } else { first }
}

/// What the error is a fault of. Opening a session fails for `session`, if not for something wider.
fn scope(error: &ReadError<DeliveryError>, session: FaultScope) -> FaultScope {
    match error {
        ReadError::Open(error) => scope_of_opening(error, session),
        ReadError::Sink(error) => scope_of_delivery(error),
        ReadError::Abandoned => FaultScope::Process,
    }
}

fn scope_of_opening(error: &OpenError, session: FaultScope) -> FaultScope {
    match error {
        OpenError::Refused(refusal) => match (refusal.status, refusal.kind()) {
            (401 | 403, _) | (_, RefusalKind::Busy) => FaultScope::Cluster,
            _ => session,
        },
        OpenError::Unreachable { .. } => session,
        OpenError::Proxy(error) if error.is_passing() => FaultScope::Feed,
        OpenError::Proxy(_) | OpenError::Tls { .. } => FaultScope::Process,
        OpenError::Token => FaultScope::Cluster,
    }
}

fn scope_of_delivery(error: &DeliveryError) -> FaultScope {
    match error {
        DeliveryError::Held(_) => FaultScope::Destination,
        DeliveryError::Unconfirmed { .. } => FaultScope::Hour,
        DeliveryError::Ledger(StateError::Ledger { .. } | StateError::TooLarge { .. }) => {
            FaultScope::Hour
        }
        DeliveryError::Ledger(_) | DeliveryError::DeadLetter(_) | DeliveryError::Fault(_) => {
            FaultScope::Process
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::destination::{Answer, HeldReason, RowRefusal};

    #[test]
    fn the_wider_of_two_faults_of_a_batch_decides() {
        let held = || DeliveryError::Held(HeldReason::OutOfTime { last: None });
        let refused = || DeliveryError::Unconfirmed {
            refused: 1,
            last: RowRefusal::Invalid(Answer::default()),
        };
        for decides in [wider(held(), refused()), wider(refused(), held())] {
            assert!(matches!(decides, DeliveryError::Held(_)), "{decides}");
        }
        let first = wider(refused(), refused());
        assert!(matches!(first, DeliveryError::Unconfirmed { .. }), "{first}");
    }
}
