//! How many calls the service still grants. Pure: no clock, no network, no storage.
//!
//! A credential has 1,800 calls in any 24 hours. The service says neither how many are left nor when
//! room returns, so calls are counted here, and the count is kept in the checkpoint.

use std::collections::BTreeMap;

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

/// How many calls the service grants in any 24 hours.
pub const CALLS_A_DAY: u32 = 1_800;

/// Calls are counted together by the quarter of an hour in which they were noted.
const SLOT_SECONDS: i64 = 15 * 60;

const SLOT: SignedDuration = SignedDuration::from_secs(SLOT_SECONDS);

/// How long a slot counts, from its beginning: a day from its end, and a slot more, because a call
/// may be sent so long after it was noted.
const KEPT: SignedDuration = SignedDuration::from_secs(24 * 3600 + 2 * SLOT_SECONDS);

/// The calls of the last day.
///
/// It never counts too few, as long as a call is noted before it is sent, and sent within 15 minutes
/// after that. It counts a call for at most half an hour longer than the service does.
///
/// Stored as an object: the beginning of each quarter of an hour, and how many calls were noted in it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct CallBudget(BTreeMap<Timestamp, u32>);

impl CallBudget {
    /// Counts `calls` calls. To be stored before they are sent.
    pub fn note(&mut self, calls: u32, now: Timestamp) {
        let slot = slot_of(now);
        // Slots that are yet to come are those of a clock that was ahead.
        let ahead = self.0.split_off(&(slot + SLOT));
        self.0.retain(|slot, _| *slot + KEPT > now);
        let noted = self.0.entry(slot).or_default();
        *noted = ahead.into_values().fold(noted.saturating_add(calls), u32::saturating_add);
    }

    /// Takes back calls that were noted last and not sent.
    pub fn give_back(&mut self, calls: u32) {
        let mut left = calls;
        for noted in self.0.values_mut().rev() {
            let taken = left.min(*noted);
            *noted -= taken;
            left -= taken;
        }
        self.0.retain(|_, noted| *noted > 0);
    }

    /// How many calls count at `now`.
    pub fn used(&self, now: Timestamp) -> u32 {
        let counting = self.0.iter().filter(|(slot, _)| **slot + KEPT > now);
        counting.fold(0, |sum, (_, noted)| sum.saturating_add(*noted))
    }

    /// How many more calls are granted at `now`.
    pub fn room(&self, now: Timestamp) -> u32 {
        CALLS_A_DAY.saturating_sub(self.used(now))
    }

    /// How many calls may catch up, so that one call every `interval` is granted at any time from now
    /// on until these calls no longer count.
    pub fn catch_up_room(&self, now: Timestamp, interval: SignedDuration) -> u32 {
        let every = interval.as_secs().max(1);
        let granted_until = |end: Timestamp, used: u32| {
            // The first call may be due at once.
            let coming = end.duration_since(now).as_secs().div_euclid(every) + 1;
            let taken = i64::from(used) + coming;
            u32::try_from(i64::from(CALLS_A_DAY) - taken).unwrap_or(0)
        };
        let mut used = self.used(now);
        let mut room =
            granted_until(slot_of(now) + KEPT, self.0.get(&slot_of(now)).map_or(0, |n| *n));
        for (slot, noted) in &self.0 {
            let end = *slot + KEPT;
            if end > now {
                room = room.min(granted_until(end, used));
                used -= noted;
            }
        }
        room
    }

    /// Where its slots begin.
    pub(super) fn times(&self) -> impl Iterator<Item = Timestamp> {
        self.0.keys().copied()
    }

    /// When `calls` more calls are granted; `now` if they are already. It does not expect calls
    /// until then.
    pub fn room_returns(&self, calls: u32, now: Timestamp) -> Timestamp {
        let mut at = now;
        for slot in self.0.keys() {
            if self.room(at) >= calls {
                break;
            }
            at = at.max(*slot + KEPT);
        }
        at
    }
}

fn slot_of(at: Timestamp) -> Timestamp {
    let second = at.as_second().div_euclid(SLOT_SECONDS) * SLOT_SECONDS;
    Timestamp::from_second(second).unwrap_or(at)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const START: Timestamp = Timestamp::constant(1_780_000_000, 0);

    fn after(seconds: i64) -> Timestamp {
        START + SignedDuration::from_secs(seconds)
    }

    #[test]
    fn a_spent_budget_says_when_room_returns() {
        let mut budget = CallBudget::default();
        budget.note(1_000, START);
        budget.note(800, after(3_600));
        assert_eq!((budget.used(after(3_600)), budget.room(after(3_600))), (1_800, 0));
        let first = budget.room_returns(1, after(3_600));
        assert_eq!(budget.room(first), 1_000);
        assert_eq!(budget.room(first - SignedDuration::from_secs(1)), 0);
        assert!(first >= after(24 * 3_600) && first <= after(24 * 3_600 + 1_800));
        assert_eq!(budget.room(budget.room_returns(1_001, after(3_600))), 1_800);
        assert_eq!(budget.room_returns(0, after(3_600)), after(3_600));
    }

    #[test]
    fn calls_that_were_not_sent_are_given_back() {
        let mut budget = CallBudget::default();
        budget.note(5, START);
        budget.note(5, after(3_600));
        budget.give_back(7);
        assert_eq!(budget.used(after(3_600)), 3);
        budget.give_back(9);
        assert_eq!(budget, CallBudget::default());
    }

    #[test]
    fn calls_of_a_clock_that_was_ahead_do_not_count_for_longer() {
        let mut budget = CallBudget::default();
        budget.note(1_799, after(9 * 86_400));
        budget.note(1, START);
        assert_eq!((budget.room(START), budget.room(after(86_400 + 1_800))), (0, 1_800));
    }

    #[test]
    fn a_quiet_day_leaves_all_but_the_current_windows() {
        let budget = CallBudget::default();
        // Up to half an hour more than a day.
        for (interval, least) in [(300, 1_800 - 295), (60, 1_800 - 1_471)] {
            let room = budget.catch_up_room(START, SignedDuration::from_secs(interval));
            assert!((least..least + 31).contains(&room), "{interval}: {room}");
        }
    }

    #[test]
    fn it_is_stored_as_text_that_a_human_can_read() {
        let mut budget = CallBudget::default();
        budget.note(3, "2026-11-27T08:14:59Z".parse().unwrap());
        budget.note(2, "2026-11-27T08:15:00Z".parse().unwrap());
        let json = serde_json::to_string(&budget).unwrap();
        assert_eq!(json, r#"{"2026-11-27T08:00:00Z":3,"2026-11-27T08:15:00Z":2}"#);
        assert_eq!(serde_json::from_str::<CallBudget>(&json).unwrap(), budget);
    }

    proptest! {
        #[test]
        fn no_call_of_the_last_day_is_left_out(
            steps in prop::collection::vec((0i64..8_000, 1u32..40, 0i64..900), 1..120),
        ) {
            let mut budget = CallBudget::default();
            let mut sent = Vec::new();
            let mut now = 0;
            for (pause, calls, delay) in steps {
                now += pause;
                budget.note(calls, after(now));
                sent.push((now + delay, calls));
                for check in [now, now + delay] {
                    let recent = sent.iter().filter(|(at, _)| (check - 86_400..=check).contains(at));
                    let count: u32 = recent.map(|(_, calls)| calls).sum();
                    prop_assert!(budget.used(after(check)) >= count);
                }
                let older = sent.iter().filter(|(at, _)| *at >= now - 86_400 - 2 * SLOT_SECONDS);
                prop_assert!(budget.used(after(now)) <= older.map(|(_, calls)| calls).sum::<u32>());
            }
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(16))]

        #[test]
        fn catch_up_never_takes_the_place_of_a_current_window(
            interval in 60i64..3_600,
            greed in prop::collection::vec(0u32..2_000, 1..60),
        ) {
            let mut budget = CallBudget::default();
            let every = SignedDuration::from_secs(interval);
            let mut now = START;
            for window in 0..3 * 86_400 / interval {
                prop_assert!(budget.room(now) > 0, "window {window} is refused");
                budget.note(1, now);
                let wanted = greed[window as usize % greed.len()];
                budget.note(budget.catch_up_room(now, every).min(wanted), now);
                prop_assert!(budget.used(now) <= CALLS_A_DAY);
                now += every;
            }
        }
    }
}
