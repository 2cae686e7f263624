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

use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use proofpoint_sentinel_core::hour::Hour;

use super::hours::{HourQueue, HourSpan, SETTLED_AFTER, halved, reach, window};
use super::interval::{Interval, LONGEST, MIN_AGE, SHORTEST, whole_second};
use super::progress::{ReadSpan, TapProgress, Throttle};
use crate::retry::Backoff;

/// How much of what was read the current window reads again: a record can be found so long after its
/// creation.
const OVERLAP: SignedDuration = SignedDuration::from_mins(30);

/// The longest part of an interval by which a call may come early, so that a timer that is not
/// punctual does not double the time between two calls.
const MAX_EARLY: SignedDuration = SignedDuration::from_secs(30);

/// After so many calls in a row that were to catch up and failed, catching up waits.
const FAILURES_IN_A_ROW: u32 = 3;

/// How long catching up waits after calls that failed, by their count.
const FAILING: Backoff = Backoff {
    first: Duration::from_secs(5 * 60),
    longest: Duration::from_secs(60 * 60),
    tries: u32::MAX,
};

/// How long no call is made after 429, by the count of such answers. Room returns slowly: each old
/// call must age out.
const THROTTLED: Backoff = Backoff {
    first: Duration::from_secs(5 * 60),
    longest: Duration::from_secs(60 * 60),
    tries: u32::MAX,
};

/// How long catching up waits after 429. What room returns is for the current windows.
const NO_CATCHING_UP: SignedDuration = SignedDuration::from_mins(60);

/// What settings say.
#[derive(Clone, Copy, Debug)]
pub struct TapTiming {
    /// The current window is not asked for more often than this. It may come up to a tenth of it
    /// early, and not more often on average.
    pub interval: SignedDuration,
    /// Whether closed hours are also asked for false positives.
    pub false_positives: bool,
}

/// Why a call is made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Purpose {
    /// For the newest records.
    Current,
    /// For records since the last closed hour that the current window does not reach.
    Gap,
    /// For all records of a closed hour.
    Settle(Hour),
    /// For records of a closed hour that were found to be false positives.
    FalsePositives(Hour),
}

impl Purpose {
    /// For the log.
    pub fn name(self) -> &'static str {
        match self {
            Purpose::Current => "current",
            Purpose::Gap => "gap",
            Purpose::Settle(_) => "closed hour",
            Purpose::FalsePositives(_) => "false positives",
        }
    }
}

/// One call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Call {
    /// What it asks for.
    pub interval: Interval,
    /// Why.
    pub purpose: Purpose,
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

/// How a call ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// It was read to its end, and all records of it are accounted for.
    Read,
    /// There was no whole answer in time. A shorter window may have one.
    TooLong,
    /// The service says that the window is too far back.
    TooOld,
    /// The service refuses it, and may grant others.
    Refused,
    /// The service has had too many calls (429).
    Throttled,
    /// Something else failed that is no fault of the window: the credential, the network, the
    /// destination, or the run's time was up. The call comes again; ask for no other in this run.
    Abandoned,
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
            let planned = self.next_current.map_or(now, |next| next.max(now - early));
            self.next_current = Some(planned + timing.interval);
        }
        self.calls.note(1, now);
        Next::Ask(call)
    }

    /// Gives up what is out of reach, and follows the clock and the settings.
    fn adjust(&mut self, timing: TapTiming, now: Timestamp) {
        // A call that came early leaves the next one its place.
        self.undo_clock_ahead(now + timing.interval + early(timing.interval), now);
        let lost = self.settled.give_up_before(reach(now), now);
        self.note_lost(lost);
        if !timing.false_positives {
            self.false_positives = None;
        } else if self.false_positives.is_none() {
            self.false_positives = Some(HourQueue::starting_at(self.settled.next));
        }
        if let Some(queue) = &mut self.false_positives {
            let lost = queue.give_up_before(reach(now), now);
            self.note_lost(lost);
        }
    }

    fn choose(&self, timing: TapTiming, now: Timestamp) -> Result<Call, Rest> {
        if let Some(throttle) = &self.throttle
            && throttle.not_before > now
        {
            return Err(Rest::Throttled(throttle.not_before));
        }
        let is_due = self.next_current.is_none_or(|next| next - early(timing.interval) <= now);
        if is_due && let Some(interval) = self.current_window(now) {
            let call = Call { interval, purpose: Purpose::Current };
            return match self.calls.room(now) {
                0 => Err(Rest::BudgetSpent(self.calls.room_returns(1, now))),
                _ => Ok(call),
            };
        }
        let call = self.catch_up_call(now).ok_or(Rest::UpToDate)?;
        if let Some(at) = self.catch_up_not_before
            && at > now
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
        let gap = self.gap(now).map(|interval| Call { interval, purpose: Purpose::Gap });
        let settle = || {
            let (hour, interval) = self.settled.due(now)?;
            Some(Call { interval, purpose: Purpose::Settle(hour) })
        };
        let false_positives = || {
            let (hour, interval) = self.false_positives.as_ref()?.due(now)?;
            Some(Call { interval, purpose: Purpose::FalsePositives(hour) })
        };
        gap.or_else(settle).or_else(false_positives)
    }

    /// The newest part of what lies between the closed hours that are due and what was read since.
    fn gap(&self, now: Timestamp) -> Option<Interval> {
        let end = self.current?.from;
        let closed = Hour::newest_due(now, SETTLED_AFTER).end().max(self.settled.next.start());
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

    /// Notes how a call ended. What was lost by it is among [`newly_lost`](Self::newly_lost).
    pub fn record(&mut self, call: Call, outcome: Outcome, now: Timestamp) {
        match outcome {
            Outcome::Read => self.record_read(call, now),
            Outcome::TooLong => self.record_failed(call.purpose, true, now),
            Outcome::TooOld => self.record_too_old(call.purpose, now),
            Outcome::Refused => self.record_failed(call.purpose, false, now),
            Outcome::Throttled => self.record_throttled(now),
            Outcome::Abandoned => {}
        }
    }

    fn record_read(&mut self, Call { interval, purpose }: Call, now: Timestamp) {
        self.throttle = None;
        let (from, to) = (interval.start(), interval.end());
        if purpose == Purpose::Current {
            self.current_fails = false;
            match &mut self.current {
                Some(span) if from <= span.to => {
                    *span = ReadSpan { from: span.from.min(from), to: span.to.max(to) };
                }
                current => *current = Some(ReadSpan { from, to }),
            }
        } else {
            self.failures = 0;
            self.catch_up_not_before = None;
        }
        match (purpose, &mut self.current, &mut self.false_positives) {
            (Purpose::Gap, Some(span), _) => span.from = span.from.min(from),
            (Purpose::Settle(hour), ..) => self.settled.read(hour, to, now),
            (Purpose::FalsePositives(hour), _, Some(queue)) => queue.read(hour, to, now),
            _ => {}
        }
        if matches!(purpose, Purpose::Current | Purpose::Gap) {
            let longest = LONGEST.as_secs() as u32;
            self.window_seconds = self.window_seconds.saturating_mul(2).min(longest);
        }
    }

    /// Lets other hours go before the one that failed. If the current window fails too, that says
    /// nothing about the length of an hour's windows.
    fn record_failed(&mut self, purpose: Purpose, is_too_long: bool, now: Timestamp) {
        let halve = is_too_long && !self.current_fails;
        let queue = match (purpose, &mut self.false_positives) {
            (Purpose::Settle(hour), _) => Some((&mut self.settled, hour)),
            (Purpose::FalsePositives(hour), Some(queue)) => Some((queue, hour)),
            _ => None,
        };
        match queue {
            Some((queue, hour)) if halve => queue.too_long(hour, now),
            Some((queue, hour)) => queue.failed(hour, now),
            None if is_too_long => self.window_seconds = halved(self.window_seconds),
            None => {}
        }
        if purpose == Purpose::Current {
            self.current_fails = true;
        } else {
            self.note_failure(now);
        }
    }

    fn record_too_old(&mut self, purpose: Purpose, now: Timestamp) {
        let lost = match (purpose, &mut self.false_positives) {
            (Purpose::Settle(hour), _) => self.settled.give_up_through(hour),
            (Purpose::FalsePositives(hour), Some(queue)) => queue.give_up_through(hour),
            _ => return self.record_failed(purpose, false, now),
        };
        self.note_lost(lost);
    }

    fn record_throttled(&mut self, now: Timestamp) {
        let refusals = self.throttle.map_or(0, |throttle| throttle.refusals).saturating_add(1);
        let wait = THROTTLED.wait(refusals, None, 0.0).unwrap_or(THROTTLED.longest);
        self.throttle = Some(Throttle { refusals, not_before: now + wait });
        self.catch_up_not_before = Some(now + NO_CATCHING_UP);
    }

    fn note_failure(&mut self, now: Timestamp) {
        self.failures = self.failures.saturating_add(1);
        if self.failures >= FAILURES_IN_A_ROW {
            let tries = self.failures - FAILURES_IN_A_ROW + 1;
            let wait = FAILING.wait(tries, None, 0.0).unwrap_or(FAILING.longest);
            self.catch_up_not_before = Some(now + wait);
        }
    }

    fn note_lost(&mut self, spans: Vec<HourSpan>) {
        for span in spans {
            self.add_lost(span);
        }
    }
}

/// How early the current window may be asked for.
fn early(interval: SignedDuration) -> SignedDuration {
    (interval / 10).min(MAX_EARLY)
}

#[cfg(test)]
mod tests;
