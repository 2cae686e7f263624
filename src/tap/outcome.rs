//! What follows from the outcome of a call. Pure: no clock, no network, no storage.

use jiff::{SignedDuration, Timestamp};

use super::call::{Call, Purpose};
use super::hours::{HourSpan, RETRY, doubled, halved};
use super::interval::SHORTEST;
use super::progress::{ReadSpan, TapProgress, Throttle};

/// After so many calls in a row that were to catch up and failed, catching up waits.
const FAILURES_IN_A_ROW: u32 = 3;

/// The shortest length of a window as it is stored.
const SHORTEST_SECONDS: u32 = SHORTEST.as_secs() as u32;

/// How long catching up waits after 429. What room returns is for the current windows.
const NO_CATCHING_UP: SignedDuration = SignedDuration::from_mins(60);

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
    /// Notes how a call ended. What was lost by it is among [`newly_lost`](Self::newly_lost).
    pub fn record(&mut self, call: Call, outcome: Outcome, now: Timestamp) {
        match outcome {
            Outcome::Read => self.record_read(call, now),
            Outcome::TooLong => self.record_failed(call, true, now),
            Outcome::TooOld => self.record_too_old(call, now),
            Outcome::Refused => self.record_failed(call, false, now),
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
            self.window_seconds = doubled(self.window_seconds);
        }
    }

    /// Lets other hours go before the one that failed. If the current window fails too, that says
    /// nothing about the length of an hour's windows.
    fn record_failed(&mut self, call: Call, is_too_long: bool, now: Timestamp) {
        let purpose = call.purpose;
        let halve = is_too_long && !self.current_fails;
        let queue = match (purpose, &mut self.false_positives) {
            (Purpose::Settle(hour), _) => Some((&mut self.settled, hour)),
            (Purpose::FalsePositives(hour), Some(queue)) => Some((queue, hour)),
            _ => None,
        };
        match queue {
            Some((queue, hour)) if halve => queue.too_long(hour, now),
            Some((queue, hour)) => queue.failed(hour, now),
            None if is_too_long && self.window_seconds > SHORTEST_SECONDS => {
                self.window_seconds = halved(self.window_seconds);
            }
            None => self.leave_gap(call),
        }
        if purpose == Purpose::Current {
            self.current_fails = true;
        } else {
            self.note_failure(now);
        }
    }

    /// Lets hours go before a gap that can't be read: its records come with their hour.
    fn leave_gap(&mut self, Call { interval, purpose }: Call) {
        if let (Purpose::Gap, Some(span)) = (purpose, &mut self.current) {
            span.from = span.from.min(interval.start());
        }
    }

    fn record_too_old(&mut self, call: Call, now: Timestamp) {
        let lost = match (call.purpose, &mut self.false_positives) {
            (Purpose::Settle(hour), _) => self.settled.give_up_through(hour),
            (Purpose::FalsePositives(hour), Some(queue)) => queue.give_up_through(hour),
            _ => return self.record_failed(call, false, now),
        };
        self.note_lost(lost);
    }

    fn record_throttled(&mut self, now: Timestamp) {
        let refusals = self.throttle.map_or(0, |throttle| throttle.refusals).saturating_add(1);
        let wait = RETRY.wait(refusals, None, 0.0).unwrap_or(RETRY.longest);
        self.throttle = Some(Throttle { refusals, not_before: now + wait });
        self.catch_up_not_before = Some(now + NO_CATCHING_UP);
    }

    fn note_failure(&mut self, now: Timestamp) {
        self.failures = self.failures.saturating_add(1);
        if self.failures >= FAILURES_IN_A_ROW {
            let tries = self.failures - FAILURES_IN_A_ROW + 1;
            let wait = RETRY.wait(tries, None, 0.0).unwrap_or(RETRY.longest);
            self.catch_up_not_before = Some(now + wait);
        }
    }

    fn note_lost(&mut self, spans: Vec<HourSpan>) {
        for span in spans {
            self.add_lost(span);
        }
    }
}
