//! What was asked, and what is left to ask: the part of a checkpoint that is an account's own.

use jiff::{SignedDuration, Timestamp};
use proofpoint_sentinel_core::hour::Hour;
use serde::{Deserialize, Serialize};

use super::budget::CallBudget;
use super::hours::{
    HourQueue, HourSpan, LONGEST_WAIT, add_span, check_time, check_window, is_waiting, reach,
};
use super::interval::LONGEST;

/// So many spans of lost hours are remembered, the newest ones.
const MAX_LOST: usize = 100;

/// What was asked of an account, and what is left to ask. Stored as JSON:
///
/// | field | meaning |
/// |---|---|
/// | `current` | what the current windows have read without a gap, up to the newest: `from`, `to`; part of it may be left to the closed hours if it could not be read; `null` before the first |
/// | `next_current` | the current window is next asked for at about this time; `null` before the first |
/// | `settled` | which closed hours were read after they had settled: every hour before `next` is done or lost, or in `unfinished`: `hour`, `read_until`, `window_seconds`, `attempts` that failed in a row, `not_before`; in order, each once. Its `window_seconds` are halved when no whole answer comes in time, and doubled after two reads in a row |
/// | `false_positives` | the same for false positives; `null` if they are not asked for |
/// | `window_seconds` | how long a window other than of a closed hour is asked for at most. It is halved when no whole answer comes in time, and doubled after one |
/// | `current_fails` | whether the last call for the current window failed |
/// | `failures` | how many other calls failed in a row |
/// | `catch_up_not_before` | no other calls are made before this; `null` if they may be |
/// | `throttle` | after 429: how many such answers came in a row (`refusals`), and that no call is made before `not_before`; `null` once a call was answered |
/// | `lost` | hours of which something was never read: spans of `first` and `last` |
/// | `calls` | the calls of the last day, by the quarter of an hour in which they were made |
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TapProgress {
    #[serde(deserialize_with = "Option::deserialize")]
    pub(super) current: Option<ReadSpan>,
    #[serde(deserialize_with = "Option::deserialize")]
    pub(super) next_current: Option<Timestamp>,
    pub(super) settled: HourQueue,
    #[serde(deserialize_with = "Option::deserialize")]
    pub(super) false_positives: Option<HourQueue>,
    pub(super) window_seconds: u32,
    pub(super) current_fails: bool,
    pub(super) failures: u32,
    #[serde(deserialize_with = "Option::deserialize")]
    pub(super) catch_up_not_before: Option<Timestamp>,
    #[serde(deserialize_with = "Option::deserialize")]
    pub(super) throttle: Option<Throttle>,
    lost: Vec<HourSpan>,
    pub(super) calls: CallBudget,
    /// Lost since this was last asked.
    #[serde(skip)]
    newly_lost: Vec<HourSpan>,
}

/// Time that was read without a gap.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct ReadSpan {
    pub(super) from: Timestamp,
    pub(super) to: Timestamp,
}

/// The service has had too many calls.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Throttle {
    /// How often in a row it said so.
    pub(super) refusals: u32,
    /// No call is made before this.
    pub(super) not_before: Timestamp,
}

impl TapProgress {
    /// Nothing was asked yet. The first hour is the one that contains what was `lookback_hours` ago,
    /// or the next if that one is partly out of the service's reach.
    pub fn starting(now: Timestamp, lookback_hours: i64) -> TapProgress {
        let first = Hour::containing(now - SignedDuration::from_hours(lookback_hours));
        let first = if first.start() < reach(now) { first.plus(1) } else { first };
        TapProgress {
            current: None,
            next_current: None,
            settled: HourQueue::starting_at(first),
            false_positives: None,
            window_seconds: LONGEST.as_secs() as u32,
            current_fails: false,
            failures: 0,
            catch_up_not_before: None,
            throttle: None,
            lost: Vec::new(),
            calls: CallBudget::default(),
            newly_lost: Vec::new(),
        }
    }

    /// Every record that was created in an hour before this one was read, or is lost.
    pub fn settled_before(&self) -> Hour {
        self.settled.done_before()
    }

    /// No record that was created in an hour before this one is asked for again.
    pub fn unfinished_from(&self) -> Hour {
        let false_positives = self.false_positives.as_ref().map(HourQueue::done_before);
        false_positives.map_or(self.settled_before(), |hour| hour.min(self.settled_before()))
    }

    /// The oldest closed hour that was never tried.
    pub fn next_hour(&self) -> Hour {
        self.settled.next
    }

    /// Closed hours that were tried and are not done, in order.
    pub fn unfinished_hours(&self) -> impl Iterator<Item = Hour> {
        self.settled.unfinished.iter().map(|unfinished| unfinished.hour)
    }

    /// How many closed hours are still to be read, false positives aside.
    pub fn open_hours(&self, now: Timestamp) -> usize {
        self.settled.open(now)
    }

    /// Up to when the current windows have read; `None` before the first.
    pub fn read_up_to(&self) -> Option<Timestamp> {
        self.current.map(|span| span.to)
    }

    /// How many calls were made in the last 24 hours, or some more.
    pub fn calls_used(&self, now: Timestamp) -> u32 {
        self.calls.used(now)
    }

    /// Before this no call is made: the service asked for fewer, or the budget is spent. `None` if
    /// calls may be made.
    pub fn waits_until(&self, now: Timestamp) -> Option<Timestamp> {
        let throttled = self.throttle.map(|throttle| throttle.not_before);
        let throttled = throttled.filter(|until| is_waiting(*until, LONGEST_WAIT, now));
        let room = Some(self.calls.room_returns(1, now)).filter(|returns| *returns > now);
        throttled.max(room)
    }

    /// The calls of the last day. Calls that will be made before the progress is stored again can be
    /// noted in advance, and given back.
    pub fn calls_mut(&mut self) -> &mut CallBudget {
        &mut self.calls
    }

    /// Hours of which something was never read, the newest 100 spans of them.
    pub fn lost(&self) -> &[HourSpan] {
        &self.lost
    }

    /// Hours that were lost since this was last asked.
    pub fn newly_lost(&mut self) -> Vec<HourSpan> {
        std::mem::take(&mut self.newly_lost)
    }

    pub(super) fn add_lost(&mut self, span: HourSpan) {
        add_span(&mut self.newly_lost, span);
        add_span(&mut self.lost, span);
        self.lost.drain(..self.lost.len().saturating_sub(MAX_LOST));
    }

    /// What the types don't say already. The error says what is wrong.
    ///
    /// # Errors
    /// If hours are out of order, or a value makes no sense.
    pub fn check(&self) -> Result<(), String> {
        check_window(self.window_seconds)?;
        if let Some(ReadSpan { from, to }) = self.current {
            check_time("current", from)?;
            check_time("current", to)?;
            if from >= to {
                return Err(format!("current ends at {to}, before its beginning {from}"));
            }
        }
        let waits = [self.next_current, self.catch_up_not_before];
        let throttled = self.throttle.map(|throttle| throttle.not_before);
        let waits = waits.into_iter().flatten().chain(throttled);
        waits.into_iter().try_for_each(|at| check_time("not_before", at))?;
        let bounds = self.lost.iter().flat_map(|span| [span.first, span.last]);
        bounds.into_iter().try_for_each(|hour| check_time("lost", hour.start()))?;
        self.calls.times().try_for_each(|at| check_time("calls", at))?;
        self.settled.check("settled")?;
        self.false_positives.as_ref().map_or(Ok(()), |queue| queue.check("false_positives"))
    }
}
