//! What a reading of an hour means. Pure: no clock, no network, no storage.

use jiff::{SignedDuration, Timestamp};
use proofpoint_sentinel_core::hour::Hour;

use super::read_end::ReadEnd;
use super::timing::{Timing, later, signed};
use crate::error_code::ErrorCode;
use crate::pod::SessionEnd;
use crate::state::{HourAttempt, RecordedEnd};

/// How often an hour that has no events is read before it counts as truly empty. The archive
/// sometimes yields nothing, without an error, for an hour that has events.
const EMPTY_READS_TO_BELIEVE: u32 = 3;

/// The longest time until an hour that could not be read whole is tried again.
const MAX_WAIT: SignedDuration = SignedDuration::from_hours(1);

/// How often an hour whose readings lack events that the live stream brought is read, each time with
/// the same result, before it is believed to hold no more.
const EQUAL_READS_TO_BELIEVE: u32 = 3;

/// How long after its last reading an hour that is only believed to be done is looked at again.
const LOOK_INTERVAL: SignedDuration = SignedDuration::from_hours(24);

/// What a reading of an hour means.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum HourStatus {
    /// The hour is done: Proofpoint said that it was all, and it holds what the live stream brought.
    Proved {
        /// It is to be read once more.
        second_read: bool,
    },
    /// The hour counts as done without that proof, and is looked at again.
    Believed(HourAttempt),
    /// The hour is done: Proofpoint says that it was all, time and again, though it lacks events that
    /// the live stream brought. There is nothing more to gain from it.
    Settled,
    /// The hour must be read again.
    Retry(HourAttempt),
}

/// What a reading brought, of which every event has been accounted for.
#[derive(Clone, Copy, Debug)]
pub(crate) struct HourReading<'a> {
    /// How it ended.
    pub end: &'a ReadEnd,
    /// How many events it had.
    pub events: u64,
    /// How many events of the hour were delivered before and did not come again.
    pub missing: usize,
}

/// Classifies a reading of `hour`.
///
/// It is proof if it ended with close code 1000, has events, and lacks none that was delivered
/// before. One that ended without any code may be whole as well, since some servers never send one:
/// it is believed if two readings in a row gave as many events and ended in the same way.
pub(super) fn classify_read(
    hour: Hour,
    previous: Option<&HourAttempt>,
    reading: HourReading<'_>,
    now: Timestamp,
    timing: Timing,
) -> HourStatus {
    let HourReading { end, events, missing } = reading;
    let mut attempt = next_attempt(hour, previous, end.into(), events, now);
    let is_empty = events == 0 && *end == ReadEnd::Session(SessionEnd::Closed(Some(1000)));
    attempt.empty_reads = attempt.empty_reads.saturating_add(u32::from(is_empty));
    let backoff = wait(attempt.attempts);
    let again = |attempt: HourAttempt, after| HourAttempt {
        not_before: later(now, Some(after)),
        ..attempt
    };
    let equals_last = previous.is_some_and(|previous| {
        previous.last_events == events && previous.last_end == attempt.last_end
    });
    match end {
        ReadEnd::Session(SessionEnd::Closed(Some(1000))) if missing > 0 => {
            if equals_last && attempt.attempts >= EQUAL_READS_TO_BELIEVE {
                return believed(attempt, now, timing);
            }
            let after = if events == 0 { signed(timing.empty_retry) } else { backoff };
            HourStatus::Retry(again(attempt, after))
        }
        ReadEnd::Session(SessionEnd::Closed(Some(1000))) => {
            if events > 0 || attempt.empty_reads >= EMPTY_READS_TO_BELIEVE {
                return proved(hour, now, timing);
            }
            HourStatus::Retry(again(attempt, signed(timing.empty_retry)))
        }
        ReadEnd::Session(SessionEnd::Closed(None) | SessionEnd::Cut)
            if events > 0 && missing == 0 && equals_last =>
        {
            believed(attempt, now, timing)
        }
        // An hour that does not fit into a run must not take the time of every run either.
        ReadEnd::Session(_) | ReadEnd::OutOfTime => HourStatus::Retry(again(attempt, backoff)),
        // We ended it ourselves: no reason to wait.
        ReadEnd::NotOpened | ReadEnd::Stopped | ReadEnd::Quiet | ReadEnd::CaughtUp => {
            HourStatus::Retry(attempt)
        }
    }
}

/// Classifies the second reading of an hour that was done. It may be empty if nothing of the hour
/// was ever delivered: the first readings made sure of that. If something was delivered, the hour
/// is read again as for the first time.
pub(super) fn classify_second_read(
    hour: Hour,
    reading: HourReading<'_>,
    has_delivered: bool,
    now: Timestamp,
    timing: Timing,
) -> HourStatus {
    match reading.end {
        ReadEnd::Session(SessionEnd::Closed(Some(1000))) if !has_delivered => {
            HourStatus::Proved { second_read: false }
        }
        _ => classify_read(hour, None, reading, now, timing),
    }
}

/// Classifies another look at an hour that is believed to be done. It stays so if the look did not
/// come to an end of its own, and is settled once Proofpoint says on another day that this is all.
pub(super) fn classify_look(
    believed: &HourAttempt,
    reading: HourReading<'_>,
    now: Timestamp,
    timing: Timing,
) -> HourStatus {
    match (reading.end, classify_read(believed.hour, Some(believed), reading, now, timing)) {
        (ReadEnd::Session(SessionEnd::Closed(Some(1000))), HourStatus::Believed(_))
            if now >= later(believed.hour.end(), Some(LOOK_INTERVAL)) =>
        {
            HourStatus::Settled
        }
        (ReadEnd::Session(_), status) => status,
        _ => HourStatus::Believed(look_later(believed, now)),
    }
}

/// The status of an hour whose reading failed with the error of this code. Nothing is known by it.
pub(super) fn failed_read(
    hour: Hour,
    previous: Option<&HourAttempt>,
    code: ErrorCode,
    now: Timestamp,
) -> HourAttempt {
    let end = RecordedEnd::Failed(code.to_string());
    let attempt = next_attempt(hour, previous, end, 0, now);
    HourAttempt { not_before: later(now, Some(wait(attempt.attempts))), ..attempt }
}

/// The hour, still believed to be done, to be looked at another day.
pub(super) fn look_later(believed: &HourAttempt, now: Timestamp) -> HourAttempt {
    HourAttempt { not_before: later(now, Some(LOOK_INTERVAL)), ..believed.clone() }
}

/// The hour is believed to be done. It is looked at when an hour is read a second time, and then once a
/// day.
fn believed(attempt: HourAttempt, now: Timestamp, timing: Timing) -> HourStatus {
    let second_read = timing.second_read_at(attempt.hour).filter(|at| *at > now);
    let not_before = second_read.unwrap_or_else(|| later(now, Some(LOOK_INTERVAL)));
    HourStatus::Believed(HourAttempt { not_before, ..attempt })
}

fn proved(hour: Hour, now: Timestamp, timing: Timing) -> HourStatus {
    HourStatus::Proved { second_read: timing.second_read_at(hour).is_some_and(|at| now < at) }
}

fn next_attempt(
    hour: Hour,
    previous: Option<&HourAttempt>,
    last_end: RecordedEnd,
    last_events: u64,
    now: Timestamp,
) -> HourAttempt {
    HourAttempt {
        hour,
        attempts: previous.map_or(0, |attempt| attempt.attempts).saturating_add(1),
        empty_reads: previous.map_or(0, |attempt| attempt.empty_reads),
        not_before: now,
        last_events,
        last_end,
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
    use crate::error_code;

    const PROVED: HourStatus = HourStatus::Proved { second_read: false };

    fn closed(code: u16) -> ReadEnd {
        ReadEnd::Session(SessionEnd::Closed(Some(code)))
    }

    fn classify(previous: Option<&HourAttempt>, end: &ReadEnd, events: u64) -> HourStatus {
        let now = at("2026-11-20T08:00:00Z");
        let reading = HourReading { end, events, missing: 0 };
        classify_read(hour("2026-11-20T06"), previous, reading, now, ONCE)
    }

    fn classify_lacking(previous: Option<&HourAttempt>, end: &ReadEnd, events: u64) -> HourStatus {
        let now = at("2026-11-20T08:00:00Z");
        let reading = HourReading { end, events, missing: 2 };
        classify_read(hour("2026-11-20T06"), previous, reading, now, ONCE)
    }

    fn believed(status: HourStatus) -> HourAttempt {
        match status {
            HourStatus::Believed(attempt) => attempt,
            other => panic!("the hour is not believed: {other:?}"),
        }
    }

    fn retried(status: HourStatus) -> HourAttempt {
        match status {
            HourStatus::Retry(attempt) => attempt,
            other => panic!("the hour is not read again: {other:?}"),
        }
    }

    #[test]
    fn an_hour_closed_with_1000_that_has_events_is_whole() {
        assert_eq!(classify(None, &closed(1000), 1), PROVED);
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
        assert_eq!(classify(Some(&second), &closed(1000), 0), PROVED);
    }

    #[test]
    fn a_second_reading_has_to_be_whole() {
        let second = |end: &ReadEnd, has_delivered| {
            let now = at("2026-11-20T13:00:00Z");
            let reading = HourReading { end, events: 0, missing: usize::from(has_delivered) };
            classify_second_read(hour("2026-11-20T06"), reading, has_delivered, now, TWICE)
        };
        for has_delivered in [false, true] {
            let cut = second(&ReadEnd::Session(SessionEnd::Cut), has_delivered);
            assert_eq!(retried(cut).attempts, 1);
            let out_of_time = second(&ReadEnd::OutOfTime, has_delivered);
            assert_eq!(retried(out_of_time).not_before, at("2026-11-20T13:00:00Z"));
        }
    }

    #[test]
    fn a_second_reading_may_be_empty_if_nothing_was_delivered() {
        let second = |events, has_delivered| {
            let now = at("2026-11-20T13:00:00Z");
            let missing = usize::from(has_delivered && events == 0);
            let reading = HourReading { end: &closed(1000), events, missing };
            classify_second_read(hour("2026-11-20T06"), reading, has_delivered, now, TWICE)
        };
        assert_eq!(second(0, false), PROVED);
        assert_eq!(second(7, true), PROVED);
        let first = retried(second(0, true));
        assert_eq!((first.empty_reads, first.not_before), (1, at("2026-11-20T14:00:00Z")));
    }

    #[test]
    fn events_in_an_hour_that_was_empty_before_make_it_whole() {
        let first = retried(classify(None, &closed(1000), 0));
        assert_eq!(classify(Some(&first), &closed(1000), 7), PROVED);
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
        let believed = believed(classify(Some(&first), &cut, 5));
        assert_eq!(believed.not_before, at("2026-11-21T08:00:00Z"));
        let empty = retried(classify(None, &cut, 0));
        assert_eq!(retried(classify(Some(&empty), &cut, 0)).attempts, 2);
    }

    #[test]
    fn a_reading_that_lacks_delivered_events_is_no_proof() {
        let first = retried(classify_lacking(None, &closed(1000), 5));
        assert_eq!(first.not_before, at("2026-11-20T08:00:00Z"));
        assert_eq!(classify(Some(&first), &closed(1000), 7), PROVED);
        let second = retried(classify_lacking(Some(&first), &closed(1000), 5));
        let third = believed(classify_lacking(Some(&second), &closed(1000), 5));
        assert_eq!(third.not_before, at("2026-11-21T08:00:00Z"));
        let other = retried(classify_lacking(Some(&second), &closed(1000), 6));
        assert_eq!(other.attempts, 3);
        let cut = ReadEnd::Session(SessionEnd::Cut);
        let mut attempt = retried(classify_lacking(None, &cut, 5));
        for _ in 0..5 {
            attempt = retried(classify_lacking(Some(&attempt), &cut, 5));
        }
    }

    #[test]
    fn another_look_proves_confirms_or_reopens_an_hour() {
        let cut = ReadEnd::Session(SessionEnd::Cut);
        let first = retried(classify(None, &cut, 5));
        let known = believed(classify(Some(&first), &cut, 5));
        let now = at("2026-11-21T08:00:00Z");
        let look = |end: &ReadEnd, events| {
            classify_look(&known, HourReading { end, events, missing: 0 }, now, ONCE)
        };
        assert_eq!(look(&closed(1000), 5), PROVED);
        assert_eq!(believed(look(&cut, 5)).not_before, at("2026-11-22T08:00:00Z"));
        assert_eq!(retried(look(&cut, 6)).last_events, 6);
        let lacking = HourReading { end: &closed(1000), events: 5, missing: 2 };
        let equal = HourAttempt { last_end: RecordedEnd::Closed(Some(1000)), ..known.clone() };
        assert_eq!(classify_look(&equal, lacking, now, ONCE), HourStatus::Settled);
        let stopped = believed(look(&ReadEnd::Stopped, 2));
        assert_eq!((stopped.last_events, stopped.not_before), (5, at("2026-11-22T08:00:00Z")));
    }

    #[test]
    fn a_failed_reading_is_on_record_and_backs_off() {
        let now = at("2026-11-20T08:00:00Z");
        let failed = |previous: Option<&HourAttempt>| {
            failed_read(hour("2026-11-20T06"), previous, error_code::REFUSED_BAD_REQUEST, now)
        };
        let mut attempt = failed(None);
        for minutes in [0, 5, 10, 20, 40, 60, 60] {
            assert_eq!(attempt.not_before, now + SignedDuration::from_mins(minutes));
            attempt = failed(Some(&attempt));
        }
        assert!(has_failed_often(&attempt));
    }

    #[test]
    fn waits_grow_from_nothing_to_an_hour() {
        let minutes: Vec<i64> = (1..8).map(|attempts| wait(attempts).as_mins()).collect();
        assert_eq!(minutes, [0, 5, 10, 20, 40, 60, 60]);
    }
}
