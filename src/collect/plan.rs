//! Which hours to read, and what a reading means for the checkpoint. Pure: no clock, no network,
//! no storage.

use std::time::Duration;

use jiff::{SignedDuration, Timestamp};

use super::ledger;
use super::read::ReadEnd;
use crate::hour::Hour;
use crate::pod::End;
use crate::settings::SourceSettings;
use crate::state::{Checkpoint, HourAttempt};

/// How far back Proofpoint keeps events.
const KEPT: SignedDuration = SignedDuration::from_hours(30 * 24);

/// How often an hour that has no events is read before it counts as truly empty. The archive
/// sometimes yields nothing, without an error, for an hour that has events.
const EMPTY_READS: u32 = 3;

/// The longest time until an hour that could not be read whole is tried again.
const LONGEST_WAIT: SignedDuration = SignedDuration::from_hours(1);

/// When hours are read.
#[derive(Clone, Copy, Debug)]
pub struct Timing {
    /// How long after its end an hour is due.
    pub delay: Duration,
    /// When an hour that came back empty is read again.
    pub empty_retry: Duration,
    /// How long after its end an hour that is done is read once more: by then events that came
    /// late are in the archive too.
    pub second_read: Option<Duration>,
}

impl From<&SourceSettings> for Timing {
    fn from(source: &SourceSettings) -> Timing {
        let SourceSettings { archive_delay: delay, empty_hour_retry: empty_retry, .. } = *source;
        Timing { delay, empty_retry, second_read: source.second_read }
    }
}

impl Timing {
    /// When `hour` is to be read once more, if ever.
    fn second_at(&self, hour: Hour) -> Option<Timestamp> {
        self.second_read.map(|after| later(hour.end(), Some(signed(after))))
    }
}

/// The work that is due for a feed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Plan {
    /// Hours to read now, in this order.
    pub due: Vec<Hour>,
    /// Hours that will be tried again later.
    pub later: usize,
    /// Hours that Proofpoint no longer keeps.
    pub lost: Vec<Hour>,
}

/// Plans what to read: hours to be tried again and hours never read, up to the newest one that is
/// due. Oldest first; after them hours that are read a second time, and then those that are
/// [too long](is_too_long).
pub fn plan(checkpoint: &Checkpoint, now: Timestamp, timing: Timing) -> Plan {
    let again = checkpoint.retry.iter();
    let fresh = checkpoint.next_hour.through(Hour::newest_due(now, signed(timing.delay)));
    let candidates = again
        .map(|attempt| (attempt.hour, attempt.not_before))
        .chain(fresh.map(|hour| (hour, now)));
    let mut plan = Plan { due: Vec::new(), later: 0, lost: Vec::new() };
    let mut too_long = Vec::new();
    for (hour, not_before) in candidates {
        if hour.start() < now - KEPT {
            plan.lost.push(hour);
        } else if not_before > now {
            plan.later += 1;
        } else if checkpoint.retry.iter().any(|again| again.hour == hour && is_too_long(again)) {
            too_long.push(hour);
        } else {
            plan.due.push(hour);
        }
    }
    let is_due = |hour: &&Hour| timing.second_at(**hour).is_some_and(|at| at <= now);
    plan.due.extend(checkpoint.second.iter().filter(is_due));
    plan.due.append(&mut too_long);
    plan
}

/// Whether the hour is done and is to be read once more.
pub fn is_second(checkpoint: &Checkpoint, hour: Hour) -> bool {
    checkpoint.second.binary_search(&hour).is_ok()
}

/// Drops hours from those to be read a second time that Proofpoint no longer keeps.
pub fn forget_what_is_gone(checkpoint: &mut Checkpoint, now: Timestamp) {
    checkpoint.second.retain(|hour| hour.start() >= now - KEPT);
}

/// Lets go of every hour that Proofpoint no longer keeps, where the archive is not read: should it
/// be read again one day, it goes on from there.
pub fn let_go(checkpoint: &mut Checkpoint, now: Timestamp) {
    let oldest = Hour::containing(now - KEPT).plus(1);
    forget_what_is_gone(checkpoint, now);
    checkpoint.retry.retain(|attempt| attempt.hour >= oldest);
    checkpoint.next_hour = checkpoint.next_hour.max(oldest);
}

/// Takes back what was learned of hours by a clock that was ahead, if the checkpoint shows that one
/// was: it is past an hour that is not over by this one. Hours may have been read before their events
/// were there, so they are read again, as far back as the ledger tells what has arrived. Gives the
/// first of them.
pub fn take_back(checkpoint: &mut Checkpoint, now: Timestamp) -> Option<Hour> {
    if checkpoint.next_hour.start() <= now {
        return None;
    }
    let first = Hour::containing(now).plus(-ledger::KEPT);
    checkpoint.next_hour = first;
    checkpoint.retry.retain(|attempt| attempt.hour < first);
    checkpoint.lost.retain(|hour| *hour < first);
    checkpoint.second.retain(|hour| *hour < first);
    for attempt in &mut checkpoint.retry {
        attempt.not_before = attempt.not_before.min(now);
    }
    Some(first)
}

/// Whether the hour filled whole runs without coming to its end. It must not keep newer ones from
/// being read.
pub fn is_too_long(attempt: &HourAttempt) -> bool {
    attempt.attempts >= 2 && attempt.last_end == ReadEnd::OutOfTime.to_string()
}

/// Whether Proofpoint may have dropped the hour between our look at the clock and its own: near
/// the end of what it keeps, a refusal for a bad time means just that.
pub fn is_near_the_end_of_what_is_kept(hour: Hour, now: Timestamp) -> bool {
    hour.start() < now - KEPT + SignedDuration::from_hours(2)
}

/// What a reading of an hour means.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Judgement {
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
pub fn judge(
    hour: Hour,
    previous: Option<&HourAttempt>,
    end: &ReadEnd,
    events: u64,
    now: Timestamp,
    timing: Timing,
) -> Judgement {
    let attempts = previous.map_or(0, |attempt| attempt.attempts) + 1;
    let mut again = HourAttempt {
        hour,
        attempts,
        empty_reads: previous.map_or(0, |attempt| attempt.empty_reads),
        not_before: now,
        last_events: events,
        last_end: end.to_string(),
    };
    let done = Judgement::Done { second: timing.second_at(hour).is_some_and(|at| now < at) };
    match end {
        ReadEnd::Session(End::Closed(Some(1000))) if events > 0 => done,
        ReadEnd::Session(End::Closed(Some(1000))) => {
            again.empty_reads += 1;
            if again.empty_reads >= EMPTY_READS {
                return done;
            }
            again.not_before = later(now, SignedDuration::try_from(timing.empty_retry).ok());
            Judgement::Again(again)
        }
        ReadEnd::Session(End::Closed(None) | End::Cut)
            if events > 0
                && previous.is_some_and(|attempt| {
                    attempt.last_events == events && attempt.last_end == again.last_end
                }) =>
        {
            done
        }
        ReadEnd::Session(_) => {
            again.not_before = later(now, Some(wait(attempts)));
            Judgement::Again(again)
        }
        // Our own doing, no reason to wait.
        ReadEnd::Stopped | ReadEnd::OutOfTime | ReadEnd::Quiet => Judgement::Again(again),
    }
}

/// Judges the second reading of an hour that was done. Empty is nothing to wonder at where nothing
/// of the hour was ever delivered: the first time it was made sure of. Where something was, the
/// hour is read again as for the first time.
pub fn judge_second(
    hour: Hour,
    end: &ReadEnd,
    events: u64,
    has_delivered: bool,
    now: Timestamp,
    timing: Timing,
) -> Judgement {
    match end {
        ReadEnd::Session(End::Closed(Some(1000))) if !has_delivered => {
            Judgement::Done { second: false }
        }
        _ => judge(hour, None, end, events, now, timing),
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

fn signed(duration: Duration) -> SignedDuration {
    SignedDuration::try_from(duration).unwrap_or(SignedDuration::MAX)
}

fn later(now: Timestamp, wait: Option<SignedDuration>) -> Timestamp {
    wait.and_then(|wait| now.checked_add(wait).ok()).unwrap_or(now)
}

/// Whether so many readings of the hour have failed that somebody should hear of it. An hour that
/// only is empty, or that we left ourselves, has not failed.
pub fn is_troubled(attempt: &HourAttempt) -> bool {
    let own = [ReadEnd::Stopped, ReadEnd::OutOfTime].map(|end| end.to_string());
    attempt.attempts - attempt.empty_reads >= 3 && !own.contains(&attempt.last_end)
}

/// The oldest hour that will be read, for the first time or once more.
pub fn first_unfinished(checkpoint: &Checkpoint) -> Hour {
    let again = checkpoint.retry.first().map(|attempt| attempt.hour);
    let second = checkpoint.second.first().copied();
    [again, second].into_iter().flatten().fold(checkpoint.next_hour, Hour::min)
}

/// Enters what was learned of `hour`, which is one of the plan's.
pub fn enter(checkpoint: &mut Checkpoint, hour: Hour, judgement: Judgement) {
    checkpoint.retry.retain(|attempt| attempt.hour != hour);
    checkpoint.second.retain(|other| *other != hour);
    match judgement {
        Judgement::Again(attempt) => {
            let position = checkpoint.retry.partition_point(|other| other.hour < hour);
            checkpoint.retry.insert(position, attempt);
        }
        Judgement::Done { second: true } => {
            let position = checkpoint.second.partition_point(|other| *other < hour);
            checkpoint.second.insert(position, hour);
        }
        Judgement::Done { second: false } => {}
    }
    if hour >= checkpoint.next_hour {
        checkpoint.next_hour = hour.plus(1);
    }
}

/// Enters that `hour`, which is one of the plan's, can't be had any more. Lost is only what was
/// not done.
pub fn enter_lost(checkpoint: &mut Checkpoint, hour: Hour) {
    let was_done = is_second(checkpoint, hour);
    enter(checkpoint, hour, Judgement::Done { second: false });
    if !was_done && let Err(position) = checkpoint.lost.binary_search(&hour) {
        checkpoint.lost.insert(position, hour);
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;
    use crate::feed::{EventType, Feed};
    use proptest::prelude::*;

    const TIMING: Timing = Timing {
        delay: Duration::from_secs(45 * 60),
        empty_retry: Duration::from_secs(60 * 60),
        second_read: None,
    };
    const DONE: Judgement = Judgement::Done { second: false };
    const TWICE: Timing = Timing { second_read: Some(Duration::from_secs(6 * 3600)), ..TIMING };

    fn at(text: &str) -> Timestamp {
        text.parse().unwrap()
    }

    fn hour(text: &str) -> Hour {
        text.parse().unwrap()
    }

    fn checkpoint(next: Hour) -> Checkpoint {
        let feed = Feed { cluster_id: "acme".into(), event_type: EventType::Message };
        Checkpoint::starting_at(next, &feed, "test", next.end())
    }

    fn closed(code: u16) -> ReadEnd {
        ReadEnd::Session(End::Closed(Some(code)))
    }

    #[test]
    fn an_hour_is_due_45_minutes_after_its_end() {
        let checkpoint = checkpoint(hour("2026-11-20T06"));
        let due = |now| plan(&checkpoint, at(now), TIMING).due.len();
        assert_eq!(due("2026-11-20T07:44:59Z"), 0);
        assert_eq!(due("2026-11-20T07:45:00Z"), 1);
        assert_eq!(due("2026-11-20T10:44:00Z"), 3);
    }

    #[test]
    fn hours_to_read_again_come_first_and_only_when_their_time_has_come() {
        let mut checkpoint = checkpoint(hour("2026-11-20T06"));
        for (text, not_before) in
            [("2026-11-20T02", "2026-11-20T07:00:00Z"), ("2026-11-20T03", "2026-11-20T09:00:00Z")]
        {
            checkpoint.retry.push(HourAttempt {
                hour: hour(text),
                attempts: 1,
                empty_reads: 0,
                not_before: at(not_before),
                last_events: 0,
                last_end: String::new(),
            });
        }
        let plan = plan(&checkpoint, at("2026-11-20T07:50:00Z"), TIMING);
        assert_eq!(plan.due, [hour("2026-11-20T02"), hour("2026-11-20T06")]);
        assert_eq!(plan.later, 1);
    }

    #[test]
    fn an_hour_that_fills_whole_runs_lets_newer_ones_go_first() {
        let mut checkpoint = checkpoint(hour("2026-11-20T06"));
        for (text, attempts) in [("2026-11-20T02", 2), ("2026-11-20T03", 1)] {
            checkpoint.retry.push(HourAttempt {
                hour: hour(text),
                attempts,
                empty_reads: 0,
                not_before: at("2026-11-20T05:00:00Z"),
                last_events: 7,
                last_end: ReadEnd::OutOfTime.to_string(),
            });
        }
        let plan = plan(&checkpoint, at("2026-11-20T07:50:00Z"), TIMING);
        assert_eq!(plan.due, ["2026-11-20T03", "2026-11-20T06", "2026-11-20T02"].map(hour));
    }

    #[test]
    fn hours_over_30_days_old_are_lost() {
        let checkpoint = checkpoint(hour("2026-10-01T00"));
        let plan = plan(&checkpoint, at("2026-11-01T00:50:00Z"), TIMING);
        assert_eq!(plan.lost.len(), 25);
        assert_eq!(plan.due.first(), Some(&hour("2026-10-02T01")));
        assert_eq!(plan.due.last(), Some(&hour("2026-10-31T23")));
    }

    fn judged(previous: Option<&HourAttempt>, end: &ReadEnd, events: u64) -> Judgement {
        let now = at("2026-11-20T08:00:00Z");
        judge(hour("2026-11-20T06"), previous, end, events, now, TIMING)
    }

    fn again(judgement: Judgement) -> HourAttempt {
        match judgement {
            Judgement::Again(attempt) => attempt,
            Judgement::Done { .. } => panic!("the hour counts as done"),
        }
    }

    #[test]
    fn whole_is_what_was_closed_with_1000_and_has_events() {
        assert_eq!(judged(None, &closed(1000), 1), DONE);
        for end in [
            closed(1001),
            closed(1011),
            ReadEnd::Session(End::Closed(None)),
            ReadEnd::Session(End::Cut),
            ReadEnd::Session(End::Stalled),
            ReadEnd::Session(End::Invalid("x".into())),
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
    fn an_hour_read_soon_after_its_end_is_read_once_more_when_late_events_are_there() {
        let read = hour("2026-11-20T06");
        let mut checkpoint = checkpoint(read);
        let soon = judge(read, None, &closed(1000), 5, at("2026-11-20T07:45:00Z"), TWICE);
        assert_eq!(soon, Judgement::Done { second: true });
        let late = judge(read, None, &closed(1000), 5, at("2026-11-20T13:00:00Z"), TWICE);
        assert_eq!(late, DONE);
        enter(&mut checkpoint, read, soon);
        checkpoint.next_hour = hour("2026-11-20T20");
        assert_eq!(first_unfinished(&checkpoint), read);
        let due = |now| plan(&checkpoint, at(now), TWICE).due;
        assert_eq!(due("2026-11-20T12:59:59Z"), []);
        assert_eq!(due("2026-11-20T13:00:00Z"), [read]);
        assert_eq!(due("2026-11-20T21:45:00Z"), [hour("2026-11-20T20"), read]);
    }

    #[test]
    fn a_second_reading_has_to_be_whole() {
        let second = |end: &ReadEnd, has_delivered| {
            let now = at("2026-11-20T13:00:00Z");
            judge_second(hour("2026-11-20T06"), end, 0, has_delivered, now, TWICE)
        };
        for has_delivered in [false, true] {
            let cut = second(&ReadEnd::Session(End::Cut), has_delivered);
            assert_eq!(again(cut).attempts, 1);
            let out_of_time = second(&ReadEnd::OutOfTime, has_delivered);
            assert_eq!(again(out_of_time).not_before, at("2026-11-20T13:00:00Z"));
        }
    }

    #[test]
    fn a_second_reading_may_be_empty_where_nothing_was_delivered() {
        let second = |events, has_delivered| {
            let now = at("2026-11-20T13:00:00Z");
            judge_second(hour("2026-11-20T06"), &closed(1000), events, has_delivered, now, TWICE)
        };
        assert_eq!(second(0, false), DONE);
        assert_eq!(second(7, true), DONE);
        let first = again(second(0, true));
        assert_eq!((first.empty_reads, first.not_before), (1, at("2026-11-20T14:00:00Z")));
    }

    #[test]
    fn an_hour_that_is_done_can_not_be_lost() {
        let mut checkpoint = checkpoint(hour("2026-10-01T06"));
        enter(&mut checkpoint, hour("2026-10-01T06"), Judgement::Done { second: true });
        let mut lost = checkpoint.clone();
        enter_lost(&mut lost, hour("2026-10-01T06"));
        assert_eq!((lost.lost, lost.second), (vec![], vec![]));
        forget_what_is_gone(&mut checkpoint, at("2026-10-31T07:00:00Z"));
        assert_eq!(checkpoint.second, []);
    }

    #[test]
    fn without_the_archive_hours_are_let_go_when_proofpoint_drops_them() {
        let mut checkpoint = checkpoint(hour("2026-10-01T06"));
        let_go(&mut checkpoint, at("2026-10-20T06:30:00Z"));
        assert_eq!(checkpoint.next_hour, hour("2026-10-01T06"));
        let now = at("2026-11-20T06:30:00Z");
        let_go(&mut checkpoint, now);
        assert_eq!(checkpoint.next_hour, hour("2026-10-21T07"));
        assert_eq!(plan(&checkpoint, now, TIMING).lost, []);
    }

    #[test]
    fn what_a_clock_that_was_ahead_made_of_hours_is_taken_back() {
        let (now, old) = (at("2026-11-20T10:50:00Z"), hour("2026-11-01T00"));
        let attempt = |hour| HourAttempt {
            hour,
            attempts: 2,
            empty_reads: 1,
            not_before: at("2026-11-21T09:00:00Z"),
            last_events: 0,
            last_end: "closed with 1000".into(),
        };
        let mut checkpoint = checkpoint(hour("2026-11-21T07"));
        checkpoint.retry = vec![attempt(old), attempt(hour("2026-11-20T23"))];
        checkpoint.lost = vec![old.plus(1), hour("2026-11-20T08")];
        checkpoint.second = vec![old.plus(2), hour("2026-11-20T09")];

        let first = hour("2026-11-17T10");
        assert_eq!(take_back(&mut checkpoint, now), Some(first));
        assert_eq!((checkpoint.next_hour, checkpoint.retry.len()), (first, 1));
        assert_eq!(checkpoint.retry[0], HourAttempt { not_before: now, ..attempt(old) });
        assert_eq!((checkpoint.lost, checkpoint.second), (vec![old.plus(1)], vec![old.plus(2)]));
    }

    #[test]
    fn nothing_is_taken_back_where_the_next_hour_has_begun() {
        let whole = checkpoint(hour("2026-11-20T10"));
        let mut taken = whole.clone();
        assert_eq!(take_back(&mut taken, at("2026-11-20T10:00:00Z")), None);
        assert_eq!(taken, whole);
        assert!(take_back(&mut taken, at("2026-11-20T09:59:59Z")).is_some());
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
        let stalled = ReadEnd::Session(End::Stalled);
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
        let cut = ReadEnd::Session(End::Cut);
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

    proptest! {
        /// Whatever is read, in whatever order judgements come, each hour is at any time in
        /// exactly one place: done, to be read again, lost, or not yet reached. And an hour that
        /// was read soon after its end is read again later, whatever comes of the readings.
        #[test]
        fn no_hour_is_forgotten(steps in prop::collection::vec((0u8..4, 0i64..180), 1..60)) {
            let first = hour("2026-11-20T00");
            let mut checkpoint = checkpoint(first);
            let mut now = first.end();
            let mut last_whole = BTreeMap::new();
            for (kind, minutes) in steps {
                now += SignedDuration::from_mins(minutes);
                let plan = plan(&checkpoint, now, TWICE);
                let again = |hour: &Hour| checkpoint.retry.iter().find(|a| a.hour == *hour);
                let order = |hour: &Hour| {
                    let too_long = again(hour).is_some_and(is_too_long);
                    (too_long, is_second(&checkpoint, *hour), *hour)
                };
                prop_assert!(plan.due.is_sorted_by_key(order));
                let Some(hour) = plan.due.first().copied() else { continue };
                let previous = checkpoint.retry.iter().find(|a| a.hour == hour).cloned();
                let (end, events) = match kind {
                    0 => (closed(1000), 3),
                    1 => (closed(1000), 0),
                    2 => (ReadEnd::Session(End::Cut), u64::from(minutes as u32)),
                    _ => (ReadEnd::OutOfTime, 1),
                };
                let judgement = if is_second(&checkpoint, hour) {
                    judge_second(hour, &end, events, minutes % 2 == 0, now, TWICE)
                } else {
                    judge(hour, previous.as_ref(), &end, events, now, TWICE)
                };
                if matches!(judgement, Judgement::Done { .. }) {
                    last_whole.insert(hour, now);
                } else {
                    last_whole.remove(&hour);
                }
                enter(&mut checkpoint, hour, judgement);
                let again: Vec<Hour> = checkpoint.retry.iter().map(|a| a.hour).collect();
                let mut known: Vec<Hour> = last_whole.keys().copied().chain(again).collect();
                known.sort();
                let expected: Vec<Hour> = first.through(checkpoint.next_hour.plus(-1)).collect();
                prop_assert_eq!(known, expected);
                for (hour, at) in &last_whole {
                    let is_final = *at >= hour.end() + SignedDuration::from_hours(6);
                    prop_assert_eq!(is_final, !is_second(&checkpoint, *hour));
                }
            }
        }
    }
}
