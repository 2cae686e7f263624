//! What a reading of an hour means. Pure: no clock, no network, no storage.

use jiff::{SignedDuration, Timestamp};
use proofpoint_sentinel_core::hour::Hour;

use super::read_end::ReadEnd;
use super::timing::{Timing, later, signed};
use crate::pod::SessionEnd;
use crate::state::{HourAttempt, RecordedEnd};

/// How often an hour that has no events is read before it counts as truly empty. The archive
/// sometimes yields nothing, without an error, for an hour that has events.
const EMPTY_READS_TO_BELIEVE: u32 = 3;

/// The longest time until an hour that could not be read whole is tried again.
const MAX_WAIT: SignedDuration = SignedDuration::from_hours(1);

/// What a reading of an hour means.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum HourStatus {
    /// The hour is whole.
    Done {
        /// It is to be read once more.
        second_read: bool,
    },
    /// The hour must be read again.
    Retry(HourAttempt),
}

/// Classifies a reading of `hour` of which every event has been accounted for.
///
/// A reading is whole where it ended with close code 1000 and has events. One that ended without any
/// code may be whole as well, since some servers never send one: it counts where two readings in a
/// row gave as many events and ended in the same way.
pub(super) fn classify_read(
    hour: Hour,
    previous: Option<&HourAttempt>,
    end: &ReadEnd,
    events: u64,
    now: Timestamp,
    timing: Timing,
) -> HourStatus {
    let attempts = previous.map_or(0, |attempt| attempt.attempts).saturating_add(1);
    let mut attempt = HourAttempt {
        hour,
        attempts,
        empty_reads: previous.map_or(0, |attempt| attempt.empty_reads),
        not_before: now,
        last_events: events,
        last_end: end.into(),
    };
    let done =
        HourStatus::Done { second_read: timing.second_read_at(hour).is_some_and(|at| now < at) };
    match end {
        ReadEnd::Session(SessionEnd::Closed(Some(1000))) if events > 0 => done,
        ReadEnd::Session(SessionEnd::Closed(Some(1000))) => {
            attempt.empty_reads = attempt.empty_reads.saturating_add(1);
            if attempt.empty_reads >= EMPTY_READS_TO_BELIEVE {
                return done;
            }
            attempt.not_before = later(now, Some(signed(timing.empty_retry)));
            HourStatus::Retry(attempt)
        }
        ReadEnd::Session(SessionEnd::Closed(None) | SessionEnd::Cut)
            if events > 0
                && previous.is_some_and(|previous| {
                    previous.last_events == events && previous.last_end == attempt.last_end
                }) =>
        {
            done
        }
        ReadEnd::Session(_) => {
            attempt.not_before = later(now, Some(wait(attempts)));
            HourStatus::Retry(attempt)
        }
        // We ended it ourselves: no reason to wait.
        ReadEnd::Stopped | ReadEnd::OutOfTime | ReadEnd::Quiet => HourStatus::Retry(attempt),
    }
}

/// Classifies the second reading of an hour that was done. It may be empty where nothing of the hour
/// was ever delivered: the first readings made sure of that. Where something was delivered, the hour
/// is read again as for the first time.
pub(super) fn classify_second_read(
    hour: Hour,
    end: &ReadEnd,
    events: u64,
    has_delivered: bool,
    now: Timestamp,
    timing: Timing,
) -> HourStatus {
    match end {
        ReadEnd::Session(SessionEnd::Closed(Some(1000))) if !has_delivered => {
            HourStatus::Done { second_read: false }
        }
        _ => classify_read(hour, None, end, events, now, timing),
    }
}

/// Not at all after the first attempt, then from five minutes up to an hour.
fn wait(attempts: u32) -> SignedDuration {
    match attempts {
        0 | 1 => SignedDuration::ZERO,
        _ => {
            let minutes = 5i64.saturating_mul(1 << (attempts - 2).min(6));
            SignedDuration::from_mins(minutes).min(MAX_WAIT)
        }
    }
}

/// Whether the hour filled whole runs without coming to its end. It must not keep newer ones from
/// being read.
pub(super) fn is_too_long(attempt: &HourAttempt) -> bool {
    attempt.attempts >= 2 && attempt.last_end == RecordedEnd::OutOfTime
}

/// Whether so many readings of the hour have failed that the operator should know. A reading that
/// only was empty, or that we ended ourselves, has not failed.
pub(super) fn has_failed_often(attempt: &HourAttempt) -> bool {
    let was_ended_by_us = matches!(attempt.last_end, RecordedEnd::Stopped | RecordedEnd::OutOfTime);
    attempt.attempts.saturating_sub(attempt.empty_reads) >= 3 && !was_ended_by_us
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::collect::timing::examples::{ONCE, TWICE, at, hour};

    const DONE: HourStatus = HourStatus::Done { second_read: false };

    fn closed(code: u16) -> ReadEnd {
        ReadEnd::Session(SessionEnd::Closed(Some(code)))
    }

    fn classify(previous: Option<&HourAttempt>, end: &ReadEnd, events: u64) -> HourStatus {
        let now = at("2026-11-20T08:00:00Z");
        classify_read(hour("2026-11-20T06"), previous, end, events, now, ONCE)
    }

    fn retried(status: HourStatus) -> HourAttempt {
        match status {
            HourStatus::Retry(attempt) => attempt,
            HourStatus::Done { .. } => panic!("the hour counts as done"),
        }
    }

    #[test]
    fn an_hour_closed_with_1000_that_has_events_is_whole() {
        assert_eq!(classify(None, &closed(1000), 1), DONE);
        for end in [
            closed(1001),
            closed(1011),
            ReadEnd::Session(SessionEnd::Closed(None)),
            ReadEnd::Session(SessionEnd::Cut),
            ReadEnd::Session(SessionEnd::Stalled),
            ReadEnd::Session(SessionEnd::Invalid("x".into())),
            ReadEnd::Stopped,
            ReadEnd::OutOfTime,
        ] {
            assert_eq!(retried(classify(None, &end, 5)).attempts, 1, "{end}");
        }
    }

    #[test]
    fn an_empty_hour_is_read_three_times_an_hour_apart() {
        let first = retried(classify(None, &closed(1000), 0));
        assert_eq!(first.not_before, at("2026-11-20T09:00:00Z"));
        let second = retried(classify(Some(&first), &closed(1000), 0));
        assert_eq!((second.attempts, second.empty_reads), (2, 2));
        assert_eq!(classify(Some(&second), &closed(1000), 0), DONE);
    }

    #[test]
    fn a_second_reading_has_to_be_whole() {
        let second = |end: &ReadEnd, has_delivered| {
            let now = at("2026-11-20T13:00:00Z");
            classify_second_read(hour("2026-11-20T06"), end, 0, has_delivered, now, TWICE)
        };
        for has_delivered in [false, true] {
            let cut = second(&ReadEnd::Session(SessionEnd::Cut), has_delivered);
            assert_eq!(retried(cut).attempts, 1);
            let out_of_time = second(&ReadEnd::OutOfTime, has_delivered);
            assert_eq!(retried(out_of_time).not_before, at("2026-11-20T13:00:00Z"));
        }
    }

    #[test]
    fn a_second_reading_may_be_empty_where_nothing_was_delivered() {
        let second = |events, has_delivered| {
            let now = at("2026-11-20T13:00:00Z");
            classify_second_read(
                hour("2026-11-20T06"),
                &closed(1000),
                events,
                has_delivered,
                now,
                TWICE,
            )
        };
        assert_eq!(second(0, false), DONE);
        assert_eq!(second(7, true), DONE);
        let first = retried(second(0, true));
        assert_eq!((first.empty_reads, first.not_before), (1, at("2026-11-20T14:00:00Z")));
    }

    #[test]
    fn events_in_an_hour_that_was_empty_before_make_it_whole() {
        let first = retried(classify(None, &closed(1000), 0));
        assert_eq!(classify(Some(&first), &closed(1000), 7), DONE);
    }

    #[test]
    fn an_error_of_the_server_is_not_believed_however_often() {
        let error = closed(1011);
        let mut attempt = retried(classify(None, &error, 5));
        for _ in 0..5 {
            attempt = retried(classify(Some(&attempt), &error, 5));
        }
        assert!(has_failed_often(&attempt));
    }

    #[test]
    fn an_hour_has_failed_often_after_three_failed_readings() {
        let stalled = ReadEnd::Session(SessionEnd::Stalled);
        let first = retried(classify(None, &closed(1000), 0));
        let second = retried(classify(Some(&first), &stalled, 5));
        let third = retried(classify(Some(&second), &stalled, 5));
        assert!(!has_failed_often(&third), "one of them was only empty");
        let fourth = retried(classify(Some(&third), &stalled, 5));
        assert!(has_failed_often(&fourth));
        assert!(!has_failed_often(&retried(classify(Some(&fourth), &ReadEnd::Stopped, 5))));
    }

    #[test]
    fn two_equal_readings_without_the_code_are_believed() {
        let cut = ReadEnd::Session(SessionEnd::Cut);
        let first = retried(classify(None, &cut, 5));
        assert_eq!(retried(classify(Some(&first), &cut, 6)).attempts, 2);
        assert_eq!(classify(Some(&first), &cut, 5), DONE);
        let empty = retried(classify(None, &cut, 0));
        assert_eq!(retried(classify(Some(&empty), &cut, 0)).attempts, 2);
    }

    #[test]
    fn waits_grow_from_nothing_to_an_hour() {
        let minutes: Vec<i64> = (1..8).map(|attempts| wait(attempts).as_mins()).collect();
        assert_eq!(minutes, [0, 5, 10, 20, 40, 60, 60]);
    }
}
