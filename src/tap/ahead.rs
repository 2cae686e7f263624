//! What a clock that was ahead has left behind, once the clock is right. Pure: no clock, no network,
//! no storage.

use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use proofpoint_sentinel_core::hour::Hour;

use super::hours::HourQueue;
use super::progress::TapProgress;

/// No wait is longer. What waits longer was told to by a clock that was ahead.
const LONGEST_WAIT: Duration = Duration::from_secs(60 * 60);

/// How far back hours are read again that such a clock gave up: as long as the ledger keeps their
/// records from arriving twice.
const READ_AGAIN: SignedDuration = SignedDuration::from_hours(72);

impl TapProgress {
    /// Ends waits that are too long, and reads hours again if some were given up that had not begun.
    /// The current window never waits beyond `latest_current`.
    pub(super) fn undo_clock_ahead(&mut self, latest_current: Timestamp, now: Timestamp) {
        self.next_current = self.next_current.filter(|next| *next <= latest_current);
        let is_too_long = |until: &Timestamp| *until > now + LONGEST_WAIT;
        self.throttle = self.throttle.filter(|throttle| !is_too_long(&throttle.not_before));
        self.catch_up_not_before = self.catch_up_not_before.filter(|until| !is_too_long(until));
        for queue in std::iter::once(&mut self.settled).chain(&mut self.false_positives) {
            for begun in queue.unfinished.iter_mut().filter(|it| is_too_long(&it.not_before)) {
                begun.not_before = now;
            }
            if queue.next > Hour::containing(now).plus(1) {
                *queue = HourQueue::starting_at(Hour::containing(now - READ_AGAIN));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tap::{Next, Outcome, Purpose, TapTiming};

    const TIMING: TapTiming =
        TapTiming { interval: SignedDuration::from_secs(300), false_positives: true };

    fn now() -> Timestamp {
        "2026-11-20T10:00:00Z".parse().unwrap()
    }

    #[test]
    fn waits_of_a_clock_that_was_ahead_are_over() {
        let ahead = now() + SignedDuration::from_hours(30);
        let mut progress = TapProgress::starting(now(), 3);
        let Next::Ask(call) = progress.next(TIMING, ahead) else { panic!("a call is due") };
        progress.record(call, Outcome::Throttled, ahead);
        assert!(matches!(progress.next(TIMING, ahead), Next::Rest(_)));
        let Next::Ask(call) = progress.next(TIMING, now()) else { panic!("it waits") };
        assert_eq!(call.purpose, Purpose::Current);
    }

    #[test]
    fn waits_of_a_clock_that_is_right_stay() {
        for (early_by, is_asked) in [(0, false), (60, false), (300, true)] {
            let mut progress = TapProgress::starting(now(), 3);
            let Next::Ask(call) = progress.next(TIMING, now()) else { panic!("a call is due") };
            progress.record(call, Outcome::Throttled, now());
            let later = now() + SignedDuration::from_secs(early_by);
            let next = progress.next(TIMING, later);
            assert_eq!(matches!(next, Next::Ask(_)), is_asked, "{early_by}: {next:?}");
        }
    }

    #[test]
    fn hours_that_had_not_begun_are_read_again() {
        let mut progress = TapProgress::starting(now(), 3);
        progress.next(TIMING, now() + SignedDuration::from_hours(24 * 20));
        assert!(progress.next_hour() > Hour::containing(now()));
        progress.next(TIMING, now());
        let expected = Hour::containing(now()).plus(-72);
        assert_eq!((progress.next_hour(), progress.unfinished_from()), (expected, expected));
    }
}
