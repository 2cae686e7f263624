//! The budget of calls: so many of a credential and pool in any 24 hours.

use std::collections::{HashMap, VecDeque};
use std::sync::{Mutex, MutexGuard};

use jiff::{SignedDuration, Timestamp};

use super::endpoint::CallPool;

/// How long a call counts.
const DAY: SignedDuration = SignedDuration::from_hours(24);

/// The times of the calls that count, by credential and pool.
#[derive(Debug, Default)]
pub(super) struct CallBudget(Mutex<HashMap<(String, CallPool), VecDeque<Timestamp>>>);

impl CallBudget {
    /// Counts a call at `now`, unless `limit` calls count already.
    pub(super) fn take(
        &self,
        principal: &str,
        pool: CallPool,
        now: Timestamp,
        limit: usize,
    ) -> bool {
        let mut pools = self.lock();
        let calls = pools.entry((principal.to_owned(), pool)).or_default();
        forget(calls, now);
        let has_room = calls.len() < limit;
        if has_room {
            calls.push_back(now);
        }
        has_room
    }

    /// Counts `count` calls at `at`, whatever the limit.
    pub(super) fn spend(&self, principal: &str, pool: CallPool, at: Timestamp, count: usize) {
        let mut pools = self.lock();
        let calls = pools.entry((principal.to_owned(), pool)).or_default();
        calls.extend(std::iter::repeat_n(at, count));
        calls.make_contiguous().sort_unstable();
    }

    /// How many calls count at `now`.
    pub(super) fn used(&self, principal: &str, pool: CallPool, now: Timestamp) -> usize {
        let mut pools = self.lock();
        let calls = pools.entry((principal.to_owned(), pool)).or_default();
        forget(calls, now);
        calls.len()
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<(String, CallPool), VecDeque<Timestamp>>> {
        self.0.lock().expect("no holder of the budget panics")
    }
}

/// A call counts for exactly 24 hours.
fn forget(calls: &mut VecDeque<Timestamp>, now: Timestamp) {
    while calls.front().is_some_and(|at| *at + DAY <= now) {
        calls.pop_front();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_second(1_800_000_000 + seconds).unwrap()
    }

    #[test]
    fn each_call_counts_for_24_hours() {
        let budget = CallBudget::default();
        let take = |seconds| budget.take("a", CallPool::Shared, at(seconds), 2);
        assert!(take(0) && take(10));
        assert!(!take(20) && !take(86_399));
        assert_eq!(budget.used("a", CallPool::Shared, at(86_399)), 2);
        assert!(take(86_400), "the first call no longer counts");
        assert!(!take(86_409));
        assert!(take(86_410), "refused calls were not counted");
    }

    #[test]
    fn pools_and_credentials_are_counted_apart() {
        let budget = CallBudget::default();
        assert!(budget.take("a", CallPool::Shared, at(0), 1));
        assert!(!budget.take("a", CallPool::Shared, at(0), 1));
        assert!(budget.take("a", CallPool::PermittedClicks, at(0), 1));
        assert!(budget.take("b", CallPool::Shared, at(0), 1));
    }

    #[test]
    fn calls_of_others_can_be_spent() {
        let budget = CallBudget::default();
        assert!(budget.take("a", CallPool::Shared, at(0), 10));
        budget.spend("a", CallPool::Shared, at(-40_000), 9);
        assert!(!budget.take("a", CallPool::Shared, at(1), 10));
        assert_eq!(budget.used("a", CallPool::Shared, at(46_400)), 1);
    }
}
