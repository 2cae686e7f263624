//! What a reading of an hour means. Pure: no clock, no network, no storage.

use jiff::{SignedDuration, Timestamp};
use proofpoint_sentinel_core::hour::Hour;

use super::read::ReadEnd;
use super::timing::{Timing, later, signed};
use crate::pod::SessionEnd;
use crate::state::HourAttempt;

/// How often an hour that has no events is read before it counts as truly empty. The archive
/// sometimes yields nothing, without an error, for an hour that has events.
const EMPTY_READS: u32 = 3;

/// The longest time until an hour that could not be read whole is tried again.
const LONGEST_WAIT: SignedDuration = SignedDuration::from_hours(1);

/// What a reading of an hour means.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum HourStatus {
    /// The hour is whole.
    Done {
        /// It is to be read once more.
        second: bool,
    },
    /// The hour has to be read again.
    Again(HourAttempt),
}

/// Judges a reading of `hour` of which every event has been accounted for.
///
/// Whole is what ended with close code 1000 and has events. What ended without any code may be whole
/// as well, since some servers never send one: it counts where two readings on end gave as many
/// events in the same way.
pub(super) fn classify_read(
    hour: Hour,
    previous: Option<&HourAttempt>,
    end: &ReadEnd,
    events: u64,
    now: Timestamp,
    timing: Timing,
) -> HourStatus {
    let attempts = previous.map_or(0, |attempt| attempt.attempts).saturating_add(1);
    let mut again = HourAttempt {
        hour,
        attempts,
        empty_reads: previous.map_or(0, |attempt| attempt.empty_reads),
        not_before: now,
        last_events: events,
        last_end: end.to_string(),
    };
    let done = HourStatus::Done { second: timing.second_at(hour).is_some_and(|at| now < at) };
    match end {
        ReadEnd::Session(SessionEnd::Closed(Some(1000))) if events > 0 => done,
        ReadEnd::Session(SessionEnd::Closed(Some(1000))) => {
            again.empty_reads = again.empty_reads.saturating_add(1);
            if again.empty_reads >= EMPTY_READS {
                return done;
            }
            again.not_before = later(now, Some(signed(timing.empty_retry)));
            HourStatus::Again(again)
        }
        ReadEnd::Session(SessionEnd::Closed(None) | SessionEnd::Cut)
            if events > 0
                && previous.is_some_and(|attempt| {
                    attempt.last_events == events && attempt.last_end == again.last_end
                }) =>
        {
            done
        }
        ReadEnd::Session(_) => {
            again.not_before = later(now, Some(wait(attempts)));
            HourStatus::Again(again)
        }
        // Our own doing, no reason to wait.
        ReadEnd::Stopped | ReadEnd::OutOfTime | ReadEnd::Quiet => HourStatus::Again(again),
    }
}

/// Judges the second reading of an hour that was done. Empty is nothing to wonder at where nothing
/// of the hour was ever delivered: the first time it was made sure of. Where something was, the
/// hour is read again as for the first time.
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
            HourStatus::Done { second: false }
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
            SignedDuration::from_mins(minutes).min(LONGEST_WAIT)
        }
    }
}

/// Whether the hour filled whole runs without coming to its end. It must not keep newer ones from
/// being read.
pub(super) fn is_too_long(attempt: &HourAttempt) -> bool {
    attempt.attempts >= 2 && attempt.last_end == ReadEnd::OutOfTime.to_string()
}

/// Whether so many readings of the hour have failed that somebody should hear of it. An hour that
/// only is empty, or that we left ourselves, has not failed.
pub(super) fn is_troubled(attempt: &HourAttempt) -> bool {
    let own = [ReadEnd::Stopped, ReadEnd::OutOfTime].map(|end| end.to_string());
    attempt.attempts.saturating_sub(attempt.empty_reads) >= 3 && !own.contains(&attempt.last_end)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::collect::timing::examples::{ONCE, TWICE, at, hour};

    const DONE: HourStatus = HourStatus::Done { second: false };

    fn closed(code: u16) -> ReadEnd {
        ReadEnd::Session(SessionEnd::Closed(Some(code)))
    }

    fn judged(previous: Option<&HourAttempt>, end: &ReadEnd, events: u64) -> HourStatus {
        let now = at("2026-11-20T08:00:00Z");
        classify_read(hour("2026-11-20T06"), previous, end, events, now, ONCE)
    }

    fn again(judgement: HourStatus) -> HourAttempt {
        match judgement {
            HourStatus::Again(attempt) => attempt,
            HourStatus::Done { .. } => panic!("the hour counts as done"),
        }
    }

    #[test]
    fn whole_is_what_was_closed_with_1000_and_has_events() {
        assert_eq!(judged(None, &closed(1000), 1), DONE);
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
            assert_eq!(again(judged(None, &end, 5)).attempts, 1, "{end}");
        }
    }

    #[test]
    fn an_empty_hour_is_read_three_times_an_hour_apart() {
        let first = again(judged(None, &closed(1000), 0));
        assert_eq!(first.not_before, at("2026-11-20T09:00:00Z"));
        let second = again(judged(Some(&first), &closed(1000), 0));
        assert_eq!((second.attempts, second.empty_reads), (2, 2));
        assert_eq!(judged(Some(&second), &closed(1000), 0), DONE);
    }

    #[test]
    fn a_second_reading_has_to_be_whole() {
        let second = |end: &ReadEnd, has_delivered| {
            let now = at("2026-11-20T13:00:00Z");
            classify_second_read(hour("2026-11-20T06"), end, 0, has_delivered, now, TWICE)
        };
        for has_delivered in [false, true] {
            let cut = second(&ReadEnd::Session(SessionEnd::Cut), has_delivered);
            assert_eq!(again(cut).attempts, 1);
            let out_of_time = second(&ReadEnd::OutOfTime, has_delivered);
            assert_eq!(again(out_of_time).not_before, at("2026-11-20T13:00:00Z"));
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
        let first = again(second(0, true));
        assert_eq!((first.empty_reads, first.not_before), (1, at("2026-11-20T14:00:00Z")));
    }

    #[test]
    fn events_in_an_hour_that_was_empty_before_make_it_whole() {
        let first = again(judged(None, &closed(1000), 0));
        assert_eq!(judged(Some(&first), &closed(1000), 7), DONE);
    }

    #[test]
    fn an_error_of_the_server_is_not_believed_however_often() {
        let error = closed(1011);
        let mut attempt = again(judged(None, &error, 5));
        for _ in 0..5 {
            attempt = again(judged(Some(&attempt), &error, 5));
        }
        assert!(is_troubled(&attempt));
    }

    #[test]
    fn trouble_is_three_failed_readings() {
        let stalled = ReadEnd::Session(SessionEnd::Stalled);
        let first = again(judged(None, &closed(1000), 0));
        let second = again(judged(Some(&first), &stalled, 5));
        let third = again(judged(Some(&second), &stalled, 5));
        assert!(!is_troubled(&third), "one of them was only empty");
        let fourth = again(judged(Some(&third), &stalled, 5));
        assert!(is_troubled(&fourth));
        assert!(!is_troubled(&again(judged(Some(&fourth), &ReadEnd::Stopped, 5))));
    }

    #[test]
    fn two_equal_readings_without_the_code_are_believed() {
        let cut = ReadEnd::Session(SessionEnd::Cut);
        let first = again(judged(None, &cut, 5));
        assert_eq!(again(judged(Some(&first), &cut, 6)).attempts, 2);
        assert_eq!(judged(Some(&first), &cut, 5), DONE);
        let empty = again(judged(None, &cut, 0));
        assert_eq!(again(judged(Some(&empty), &cut, 0)).attempts, 2);
    }

    #[test]
    fn waits_grow_from_nothing_to_an_hour() {
        let minutes: Vec<i64> = (1..8).map(|attempts| wait(attempts).as_mins()).collect();
        assert_eq!(minutes, [0, 5, 10, 20, 40, 60, 60]);
    }
}
