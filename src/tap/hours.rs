//! Closed hours, each of which is to be read once to its end. Pure: no clock, no network, no storage.

use std::fmt;
use std::ops::Range;
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use proofpoint_sentinel_core::hour::Hour;
use serde::{Deserialize, Serialize};

use super::interval::{Interval, LONGEST, REACH, SHORTEST, next_whole_second};
use crate::retry::Backoff;

/// How long after its end an hour is read. A record can be found up to half an hour after its
/// creation; as much again is margin.
pub const SETTLED_AFTER: SignedDuration = SignedDuration::from_mins(60);

/// Nothing is put off for longer than this.
pub(super) const LONGEST_WAIT: SignedDuration = SignedDuration::from_mins(60);

/// How long something that failed waits, by the count of its tries: an hour, all that catches up, and
/// after 429 all calls.
pub(super) const RETRY: Backoff = Backoff {
    first: Duration::from_secs(5 * 60),
    longest: LONGEST_WAIT.unsigned_abs(),
    tries: u32::MAX,
};

/// Hours without a gap.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct HourSpan {
    /// The oldest one.
    pub first: Hour,
    /// The newest one.
    pub last: Hour,
}

impl HourSpan {
    /// The hours, oldest first.
    pub fn hours(self) -> impl DoubleEndedIterator<Item = Hour> {
        self.first.through(self.last)
    }

    /// Whether the hour is one of them.
    pub fn contains(self, hour: Hour) -> bool {
        (self.first..=self.last).contains(&hour)
    }
}

impl fmt::Display for HourSpan {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let HourSpan { first, last } = self;
        if first == last { write!(f, "{first}") } else { write!(f, "{first} to {last}") }
    }
}

/// Which hours are read. Every hour before `next` is done or lost, or is in `unfinished`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct HourQueue {
    /// The oldest hour that was not begun.
    pub next: Hour,
    /// Hours that were begun or tried, in order, each once.
    pub unfinished: Vec<UnfinishedHour>,
}

/// An hour that was begun or tried, and is not done.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct UnfinishedHour {
    /// The hour.
    pub hour: Hour,
    /// How far it was read, or can no longer be read.
    pub read_until: Timestamp,
    /// How long a window of it is asked for at most. It is halved when no whole answer comes in time,
    /// and doubled after two reads in a row.
    pub window_seconds: u32,
    /// How often in a row it could not be read.
    pub attempts: u32,
    /// It is not asked for before this.
    pub not_before: Timestamp,
}

impl UnfinishedHour {
    fn of(hour: Hour, now: Timestamp) -> UnfinishedHour {
        UnfinishedHour {
            hour,
            read_until: hour.start(),
            window_seconds: LONGEST.as_secs() as u32,
            attempts: 0,
            not_before: now,
        }
    }
}

impl HourQueue {
    pub(super) fn starting_at(next: Hour) -> HourQueue {
        HourQueue { next, unfinished: Vec::new() }
    }

    /// The oldest part of an hour that is due and that the service still has. `proved` is the time as far
    /// as it is certain.
    pub(super) fn due(&self, proved: Timestamp, now: Timestamp) -> Option<(Hour, Interval)> {
        let is_ready = |begun: &&UnfinishedHour| !is_waiting(begun.not_before, LONGEST_WAIT, now);
        let begun = self.unfinished.iter().filter(is_ready);
        let begun = begun.map(|it| (it.hour, it.read_until, window(it.window_seconds)));
        let next = (self.next, self.next.start(), LONGEST);
        let settled = |hour: &Hour| hour.end() + SETTLED_AFTER <= proved;
        // One that is just out of reach must not keep the others waiting.
        begun.chain([next]).filter(|(hour, ..)| settled(hour)).find_map(|(hour, start, longest)| {
            let end = match start + longest {
                // What would be left is too short for a window of its own.
                end if end + SHORTEST > hour.end() => hour.end(),
                end => end,
            };
            Some((hour, Interval::new(start, end, now)?))
        })
    }

    /// How many hours are due now or were already tried.
    pub(super) fn open(&self, now: Timestamp) -> usize {
        let fresh = Hour::newest_due(now, SETTLED_AFTER).hours_since(self.next) + 1;
        self.unfinished.len() + usize::try_from(fresh).unwrap_or(0)
    }

    /// Every hour before this one is done or lost.
    pub(super) fn done_before(&self) -> Hour {
        self.unfinished.first().map_or(self.next, |begun| begun.hour)
    }

    /// Notes that `hour` was read up to `end`.
    pub(super) fn read(&mut self, hour: Hour, end: Timestamp, now: Timestamp) {
        let Some(begun) = self.begun(hour, now) else { return };
        // The read right after a failure shows only that this length is short enough.
        if begun.attempts == 0 {
            begun.window_seconds = doubled(begun.window_seconds);
        }
        (begun.read_until, begun.attempts, begun.not_before) = (end, 0, now);
        self.unfinished.retain(|begun| begun.read_until < begun.hour.end());
    }

    /// Notes that `hour` could not be read: it waits, the longer the more often it was tried.
    pub(super) fn failed(&mut self, hour: Hour, now: Timestamp) {
        let Some(begun) = self.begun(hour, now) else { return };
        begun.attempts = begun.attempts.saturating_add(1);
        let wait = RETRY.wait(begun.attempts, None, 0.0).unwrap_or(RETRY.longest);
        begun.not_before = now + wait;
    }

    /// As [`failed`](Self::failed), and next time a window half as long is asked for.
    pub(super) fn too_long(&mut self, hour: Hour, now: Timestamp) {
        self.failed(hour, now);
        if let Some(begun) = self.begun(hour, now) {
            begun.window_seconds = halved(begun.window_seconds);
        }
    }

    /// The hour among the unfinished, where it goes if its turn has just come. `None` if it is not
    /// open.
    fn begun(&mut self, hour: Hour, now: Timestamp) -> Option<&mut UnfinishedHour> {
        if hour == self.next {
            self.next = hour.plus(1);
            self.unfinished.push(UnfinishedHour::of(hour, now));
        }
        self.unfinished.iter_mut().find(|begun| begun.hour == hour)
    }

    /// Gives up what begins before `reach`, and says which hours lack something. Of an hour that is
    /// partly within reach the rest stays.
    pub(super) fn give_up_before(&mut self, reach: Timestamp, now: Timestamp) -> Vec<HourSpan> {
        let reach = next_whole_second(reach);
        let oldest = Hour::containing(reach);
        let mut lost = Vec::new();
        if self.next < oldest {
            add_span(&mut lost, HourSpan { first: self.next, last: oldest.plus(-1) });
            self.next = oldest;
        }
        if self.next == oldest && oldest.start() < reach {
            self.begun(oldest, now);
        }
        for begun in self.unfinished.iter_mut().filter(|begun| begun.read_until < reach) {
            add_span(&mut lost, HourSpan { first: begun.hour, last: begun.hour });
            begun.read_until = reach;
        }
        self.unfinished.retain(|begun| begun.read_until + SHORTEST <= begun.hour.end());
        lost
    }

    /// Gives up `hour` and all before it, because the service no longer has them.
    pub(super) fn give_up_through(&mut self, hour: Hour) -> Vec<HourSpan> {
        let mut lost = Vec::new();
        for begun in self.unfinished.iter().filter(|begun| begun.hour <= hour) {
            add_span(&mut lost, HourSpan { first: begun.hour, last: begun.hour });
        }
        if self.next <= hour {
            add_span(&mut lost, HourSpan { first: self.next, last: hour });
            self.next = hour.plus(1);
        }
        self.unfinished.retain(|begun| begun.hour > hour);
        lost
    }

    /// Reads `hour` and all after it again.
    pub(super) fn begin_again(&mut self, hour: Hour) {
        self.next = hour;
        self.unfinished.retain(|begun| begun.hour < hour);
    }

    /// What the types don't say already.
    pub(super) fn check(&self, list: &str) -> Result<(), String> {
        let hours = || self.unfinished.iter().map(|begun| begun.hour);
        if hours().zip(hours().skip(1)).any(|(hour, next)| hour >= next) {
            return Err(format!("the hours of {list} are not in order"));
        }
        if let Some(hour) = hours().find(|hour| *hour >= self.next) {
            return Err(format!("the hour {hour} of {list} is not before {}", self.next));
        }
        check_time(list, self.next.start())?;
        for begun in &self.unfinished {
            check_window(begun.window_seconds)?;
            check_time(list, begun.hour.start())?;
            check_time(list, begun.not_before)?;
        }
        let is_within = |it: &&UnfinishedHour| {
            it.hour.start() <= it.read_until && it.read_until < it.hour.end()
        };
        match self.unfinished.iter().find(|begun| !is_within(begun)) {
            Some(it) => Err(format!("{list}: {} is not within {}", it.read_until, it.hour)),
            None => Ok(()),
        }
    }
}

/// A length of a window as it is stored.
pub(super) fn window(seconds: u32) -> SignedDuration {
    SignedDuration::from_secs(seconds.into())
}

/// Half of a window's length, as long as the service accepts that.
pub(super) fn halved(window_seconds: u32) -> u32 {
    (window_seconds / 2).max(SHORTEST.as_secs() as u32)
}

/// Twice a window's length, as long as the service accepts that.
pub(super) fn doubled(window_seconds: u32) -> u32 {
    window_seconds.saturating_mul(2).min(LONGEST.as_secs() as u32)
}

/// That a time is from 2015 to 2200. Others make no sense, and can't be reckoned with.
pub(super) fn check_time(list: &str, at: Timestamp) -> Result<(), String> {
    const SENSIBLE: Range<Timestamp> =
        Timestamp::constant(1_420_070_400, 0)..Timestamp::constant(7_258_118_400, 0);
    match SENSIBLE.contains(&at) {
        true => Ok(()),
        false => Err(format!("the time {at} in {list} makes no sense")),
    }
}

/// That a window's length is one that the service accepts.
pub(super) fn check_window(window_seconds: u32) -> Result<(), String> {
    match (SHORTEST..=LONGEST).contains(&window(window_seconds)) {
        true => Ok(()),
        false => Err(format!("window_seconds {window_seconds} makes no sense")),
    }
}

/// Whether it is too early for what is to be done at `until`. Nothing is put off for longer than
/// `longest`: a later time is one that a clock has set which was ahead.
pub(super) fn is_waiting(until: Timestamp, longest: SignedDuration, now: Timestamp) -> bool {
    now < until && until <= now + longest
}

/// How far back the service is asked at `now`.
pub(super) fn reach(now: Timestamp) -> Timestamp {
    now - REACH
}

/// Adds hours to a list of spans, of which adjoining ones become one.
pub(super) fn add_span(spans: &mut Vec<HourSpan>, span: HourSpan) {
    spans.push(span);
    spans.sort_unstable_by_key(|span| span.first);
    spans.dedup_by(|later, earlier| {
        let is_adjoining = later.first <= earlier.last.plus(1);
        if is_adjoining {
            earlier.last = earlier.last.max(later.last);
        }
        is_adjoining
    });
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hour(text: &str) -> Hour {
        text.parse().unwrap()
    }

    fn at(text: &str) -> Timestamp {
        text.parse().unwrap()
    }

    fn span(first: &str, last: &str) -> HourSpan {
        HourSpan { first: hour(first), last: hour(last) }
    }

    #[test]
    fn an_hour_just_out_of_reach_keeps_no_other_waiting() {
        let now: Timestamp = "2026-11-20T12:30:00Z".parse().unwrap();
        // A call took that long since the service confirmed the time.
        let proved = now - SignedDuration::from_secs(20);
        let mut queue = HourQueue::starting_at(hour("2026-11-13T10"));
        let lost = queue.give_up_before(reach(proved), now);
        assert_eq!(lost.last().unwrap().last, hour("2026-11-13T12"));
        assert_eq!(queue.due(proved, now).unwrap().0, hour("2026-11-13T13"));
    }

    #[test]
    fn an_hour_is_due_an_hour_after_its_end() {
        let queue = HourQueue::starting_at(hour("2026-11-20T06"));
        assert_eq!(queue.due(at("2026-11-20T07:59:59Z"), at("2026-11-20T07:59:59Z")), None);
        let (due, window) =
            queue.due(at("2026-11-20T08:00:00Z"), at("2026-11-20T08:00:00Z")).unwrap();
        assert_eq!(due, hour("2026-11-20T06"));
        assert_eq!((window.start(), window.end()), (due.start(), due.end()));
    }

    #[test]
    fn an_hour_is_read_in_parts_and_its_rest_is_not_too_short() {
        let mut now = at("2026-11-20T09:00:00Z");
        let mut queue = HourQueue::starting_at(hour("2026-11-20T06"));
        let (first, _) = queue.due(now, now).unwrap();
        for _ in 0..7 {
            queue.too_long(first, now);
        }
        now += SignedDuration::from_hours(1);
        // 3600 seconds, halved 7 times, are 28, which is too short.
        let mut lengths = Vec::new();
        while let Some((due, window)) = queue.due(now, now).filter(|(due, _)| *due == first) {
            lengths.push(window.end().duration_since(window.start()).as_secs());
            queue.read(due, window.end(), now);
        }
        // The service can answer again: the windows grow.
        assert_eq!(lengths, [30, 30, 60, 120, 240, 480, 960, 1_680]);
        queue.unfinished.push(UnfinishedHour {
            read_until: at("2026-11-20T07:00:01Z"),
            ..UnfinishedHour::of(hour("2026-11-20T07"), now)
        });
        queue.unfinished[0].window_seconds = 3_570;
        let (_, window) = queue.due(now, now).unwrap();
        assert_eq!(window.end(), at("2026-11-20T08:00:00Z"));
    }

    #[test]
    fn an_hour_that_fails_lets_others_pass() {
        let now = at("2026-11-20T12:00:00Z");
        let mut queue = HourQueue::starting_at(hour("2026-11-20T06"));
        for minutes in [5, 10, 20, 40, 60, 60] {
            queue.failed(hour("2026-11-20T06"), now);
            let wait = queue.unfinished[0].not_before.duration_since(now);
            assert_eq!(wait, SignedDuration::from_mins(minutes));
        }
        let (due, _) = queue.due(now, now).unwrap();
        assert_eq!(due, hour("2026-11-20T07"));
        let (due, _) = queue
            .due(now + SignedDuration::from_hours(1), now + SignedDuration::from_hours(1))
            .unwrap();
        assert_eq!(due, hour("2026-11-20T06"));
        assert_eq!((queue.open(now), queue.done_before()), (5, hour("2026-11-20T06")));
    }

    #[test]
    fn what_is_out_of_reach_is_given_up_and_named() {
        let now = at("2026-11-20T10:25:00.5Z");
        let mut queue = HourQueue::starting_at(hour("2026-11-13T06"));
        let lost = queue.give_up_before(at("2026-11-13T10:40:00.5Z"), now);
        assert_eq!(lost, [span("2026-11-13T06", "2026-11-13T10")]);
        let (due, window) = queue.due(now, now).unwrap();
        assert_eq!(due, hour("2026-11-13T10"));
        assert_eq!(window.start(), at("2026-11-13T10:40:01Z"));
        let again = queue.give_up_before(at("2026-11-13T10:59:45Z"), now);
        assert_eq!(again, [span("2026-11-13T10", "2026-11-13T10")]);
        assert_eq!(queue, HourQueue::starting_at(hour("2026-11-13T11")));
        assert_eq!(queue.give_up_before(at("2026-11-13T11:00:00Z"), now), []);
    }

    #[test]
    fn hours_that_the_service_no_longer_has_are_given_up() {
        let now = at("2026-11-20T12:00:00Z");
        let mut queue = HourQueue::starting_at(hour("2026-11-13T06"));
        queue.failed(hour("2026-11-13T06"), now);
        let lost = queue.give_up_through(hour("2026-11-13T08"));
        assert_eq!(lost, [span("2026-11-13T06", "2026-11-13T08")]);
        assert_eq!(queue, HourQueue::starting_at(hour("2026-11-13T09")));
    }

    #[test]
    fn spans_that_adjoin_become_one() {
        let mut spans = Vec::new();
        add_span(&mut spans, span("2026-11-13T08", "2026-11-13T09"));
        add_span(&mut spans, span("2026-11-13T05", "2026-11-13T06"));
        assert_eq!(spans.len(), 2);
        add_span(&mut spans, span("2026-11-13T07", "2026-11-13T07"));
        assert_eq!(spans, [span("2026-11-13T05", "2026-11-13T09")]);
        assert_eq!(spans[0].to_string(), "2026-11-13T05 to 2026-11-13T09");
    }
}
