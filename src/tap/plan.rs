//! What to ask next. Pure: no clock, no network, no storage.
//!
//! | what is asked | when | why |
//! |---|---|---|
//! | the current window, up to a minute ago | once an interval | records arrive within minutes |
//! | what lies between it and the closed hours | after a pause | likewise |
//! | each closed hour | an hour after its end | a record can be found only half an hour after its creation, so the current window misses some |
//! | each closed hour, for false positives | likewise | the service sends them only to calls that ask for them |
//!
//! In this order: what is new goes first, then hours, the oldest first. A pause leaves several hours
//! due; all of them are asked in the same run, as long as the budget lasts.

use jiff::{SignedDuration, Timestamp};
use proofpoint_sentinel_core::hour::Hour;

use super::call::{Call, Purpose};
use super::hours::{HourQueue, LONGEST_WAIT, SETTLED_AFTER, is_waiting, reach, window};
use super::interval::{Interval, MIN_AGE, SHORTEST, whole_second};
use super::progress::TapProgress;

/// How much of what was read the current window reads again: a record can be found so long after its
/// creation.
const OVERLAP: SignedDuration = SignedDuration::from_mins(30);

/// The longest part of an interval by which a call may come early, so that a timer that is not
/// punctual does not double the time between two calls.
const MAX_EARLY: SignedDuration = SignedDuration::from_secs(30);

/// How far back hours are read again after a clock was ahead. The ledger drops what was delivered.
const AGAIN: SignedDuration = SignedDuration::from_hours(24);

/// What settings say.
#[derive(Clone, Copy, Debug)]
pub struct TapTiming {
    /// The current window is not asked for more often than this. It may come up to a tenth of it
    /// early, and not more often on average.
    pub interval: SignedDuration,
    /// Whether closed hours are also asked for false positives.
    pub false_positives: bool,
}

/// What follows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Next {
    /// Make this call. It is counted already.
    Ask(Call),
    /// Make none now.
    Rest(Rest),
}

/// Why no call is made now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Rest {
    /// Nothing is due before the next interval.
    UpToDate,
    /// Hours are due, and wait after calls that failed, until this.
    Failing(Timestamp),
    /// The budget is spent, or what is left of it is for current windows. Room returns at this time,
    /// if nobody else calls.
    BudgetSpent(Timestamp),
    /// The service asked for fewer calls; the next is made at this time.
    Throttled(Timestamp),
}

impl TapProgress {
    /// The next call. It counts in the budget from now on: store the progress before it is made. Give
    /// its outcome to [`record`](Self::record) before the next call is asked for.
    pub fn next(&mut self, timing: TapTiming, now: Timestamp) -> Next {
        self.adjust(timing, now);
        let call = match self.choose(timing, now) {
            Ok(call) => call,
            Err(rest) => return Next::Rest(rest),
        };
        if call.purpose == Purpose::Current {
            let early = early(timing.interval);
            let planned =
                self.next_current.map_or(now, |next| next.clamp(now - early, now + early));
            self.next_current = Some(planned + timing.interval);
        }
        self.calls.note(1, now);
        Next::Ask(call)
    }

    /// Follows the settings, and gives up what is out of reach.
    fn adjust(&mut self, timing: TapTiming, now: Timestamp) {
        if !timing.false_positives {
            self.false_positives = None;
        } else if self.false_positives.is_none() {
            self.false_positives = Some(HourQueue::starting_at(self.settled.next));
        }
        self.begin_again_after_a_fast_clock(now);
        // Only a time that the service has confirmed can have put hours out of reach.
        let Some(proved) = self.proved(now) else { return };
        let mut lost = self.settled.give_up_before(reach(proved), now);
        if let Some(queue) = &mut self.false_positives {
            lost.append(&mut queue.give_up_before(reach(proved), now));
        }
        lost.into_iter().for_each(|span| self.add_lost(span));
    }

    /// If an hour that has not begun is taken for the next one, a clock was ahead, and the hours
    /// before it were never asked for. If the service has confirmed a later time than ours, our clock
    /// is behind instead.
    fn begin_again_after_a_fast_clock(&mut self, now: Timestamp) {
        let is_behind = self.current.is_some_and(|span| span.to > now);
        if self.settled.next.start() > now && !is_behind {
            let hour = Hour::containing(now - AGAIN);
            self.settled.begin_again(hour);
            self.false_positives.iter_mut().for_each(|queue| queue.begin_again(hour));
        }
    }

    /// The time, as far as the service has confirmed it by granting a window that ended then.
    fn proved(&self, now: Timestamp) -> Option<Timestamp> {
        self.current.map(|span| now.min(span.to + MIN_AGE))
    }

    fn choose(&self, timing: TapTiming, now: Timestamp) -> Result<Call, Rest> {
        if let Some(throttle) = &self.throttle
            && is_waiting(throttle.not_before, LONGEST_WAIT, now)
        {
            return Err(Rest::Throttled(throttle.not_before));
        }
        let waits = |next| is_waiting(next, timing.interval, now + early(timing.interval));
        if !self.next_current.is_some_and(waits)
            && let Some(interval) = self.current_window(now)
        {
            let call = Call { interval, purpose: Purpose::Current };
            return match self.calls.room(now) {
                0 => Err(Rest::BudgetSpent(self.calls.room_returns(1, now))),
                _ => Ok(call),
            };
        }
        let call = self.catch_up_call(now).ok_or(Rest::UpToDate)?;
        if let Some(at) = self.catch_up_not_before
            && is_waiting(at, LONGEST_WAIT, now)
        {
            return Err(Rest::Failing(at));
        }
        match self.calls.catch_up_room(now, timing.interval) {
            0 => Err(Rest::BudgetSpent(self.catch_up_room_returns(timing, now))),
            _ => Ok(call),
        }
    }

    /// The window that ends a minute ago, and reads the last half hour again. After a pause it is
    /// the newest part of what is to be read.
    fn current_window(&self, now: Timestamp) -> Option<Interval> {
        let end = whole_second(now - MIN_AGE);
        let newest = end - window(self.window_seconds);
        let start = match self.current {
            Some(span) => (span.to.min(end) - OVERLAP).max(newest),
            None => newest,
        };
        Interval::new(start, end, now)
    }

    fn catch_up_call(&self, now: Timestamp) -> Option<Call> {
        // A clock that is ahead would take hours for settled that are not.
        let proved = self.proved(now)?;
        let gap = || {
            let interval = self.gap(proved, now)?;
            Some(Call { interval, purpose: Purpose::Gap })
        };
        let settle = || {
            let (hour, interval) = self.settled.due(proved, now)?;
            Some(Call { interval, purpose: Purpose::Settle(hour) })
        };
        let false_positives = || {
            let (hour, interval) = self.false_positives.as_ref()?.due(proved, now)?;
            Some(Call { interval, purpose: Purpose::FalsePositives(hour) })
        };
        gap().or_else(settle).or_else(false_positives)
    }

    /// The newest part of what lies between the closed hours that are due and what was read since.
    fn gap(&self, proved: Timestamp, now: Timestamp) -> Option<Interval> {
        let end = self.current?.from;
        let closed = Hour::newest_due(proved, SETTLED_AFTER).end().max(self.settled.next.start());
        let start = closed.max(end - window(self.window_seconds)).min(end - SHORTEST);
        (closed < end).then(|| Interval::new(start, end, now)).flatten()
    }

    /// When a call may catch up again, to a quarter of an hour.
    fn catch_up_room_returns(&self, timing: TapTiming, now: Timestamp) -> Timestamp {
        let quarter = SignedDuration::from_mins(15);
        let mut times = std::iter::successors(Some(now + quarter), |at| Some(*at + quarter));
        let has_room = |at: &Timestamp| self.calls.catch_up_room(*at, timing.interval) > 0;
        times
            .find(|at| has_room(at) || at.duration_since(now) > SignedDuration::from_hours(25))
            .unwrap_or(now)
    }
}

/// How early the current window may be asked for.
fn early(interval: SignedDuration) -> SignedDuration {
    (interval / 10).min(MAX_EARLY)
}

#[cfg(test)]
mod tests;
