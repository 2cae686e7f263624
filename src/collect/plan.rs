//! Which hours to read, and what is learned of them for the checkpoint. Pure: no clock, no network,
//! no storage.

use jiff::{SignedDuration, Timestamp};
use proofpoint_sentinel_core::hour::Hour;

use super::hour_status::{HourStatus, is_too_long};
use super::ledger;
use super::timing::{Timing, signed};
use crate::state::Checkpoint;

/// How far back Proofpoint keeps events.
const KEPT: SignedDuration = SignedDuration::from_hours(30 * 24);

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

/// Drops hours from those to be read a second time that will not be: Proofpoint no longer keeps
/// them, or none is read twice any more.
pub fn forget_what_is_gone(checkpoint: &mut Checkpoint, now: Timestamp, timing: Timing) {
    let is_read = |hour: &Hour| timing.second_read.is_some() && hour.start() >= now - KEPT;
    checkpoint.second.retain(is_read);
}

/// Lets go of every hour that Proofpoint no longer keeps, where the archive is not read: should it
/// be read again one day, it goes on from there.
pub fn let_go(checkpoint: &mut Checkpoint, now: Timestamp, timing: Timing) {
    let oldest = Hour::containing(now - KEPT).plus(1);
    forget_what_is_gone(checkpoint, now, timing);
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

/// Whether Proofpoint may have dropped the hour between our look at the clock and its own: near
/// the end of what it keeps, a refusal for a bad time means just that.
pub fn is_near_the_end_of_what_is_kept(hour: Hour, now: Timestamp) -> bool {
    hour.start() < now - KEPT + SignedDuration::from_hours(2)
}

/// The oldest hour that will be read, for the first time or once more.
pub fn first_unfinished(checkpoint: &Checkpoint) -> Hour {
    let again = checkpoint.retry.first().map(|attempt| attempt.hour);
    let second = checkpoint.second.first().copied();
    [again, second].into_iter().flatten().fold(checkpoint.next_hour, Hour::min)
}

/// Enters what was learned of `hour`, which is one of the plan's.
pub fn enter(checkpoint: &mut Checkpoint, hour: Hour, judgement: HourStatus) {
    checkpoint.retry.retain(|attempt| attempt.hour != hour);
    checkpoint.second.retain(|other| *other != hour);
    match judgement {
        HourStatus::Again(attempt) => {
            let position = checkpoint.retry.partition_point(|other| other.hour < hour);
            checkpoint.retry.insert(position, attempt);
        }
        HourStatus::Done { second: true } => {
            let position = checkpoint.second.partition_point(|other| *other < hour);
            checkpoint.second.insert(position, hour);
        }
        HourStatus::Done { second: false } => {}
    }
    if hour >= checkpoint.next_hour {
        checkpoint.next_hour = hour.plus(1);
    }
}

/// Enters that `hour`, which is one of the plan's, can't be had any more. Lost is only what was
/// not done.
pub fn enter_lost(checkpoint: &mut Checkpoint, hour: Hour) {
    let was_done = is_second(checkpoint, hour);
    enter(checkpoint, hour, HourStatus::Done { second: false });
    if !was_done && let Err(position) = checkpoint.lost.binary_search(&hour) {
        checkpoint.lost.insert(position, hour);
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use proofpoint_sentinel_core::feed::{EventType, Feed};

    use super::*;
    use crate::collect::hour_status::{classify_read, classify_second_read};
    use crate::collect::read::ReadEnd;
    use crate::collect::timing::examples::{ONCE, TWICE, at, hour};
    use crate::pod::SessionEnd;
    use crate::state::HourAttempt;
    use proptest::prelude::*;

    const DONE: HourStatus = HourStatus::Done { second: false };

    fn checkpoint(next: Hour) -> Checkpoint {
        let feed = Feed { cluster_id: "acme".into(), event_type: EventType::Message };
        Checkpoint::starting_at(next, &feed, "test", next.end())
    }

    fn closed(code: u16) -> ReadEnd {
        ReadEnd::Session(SessionEnd::Closed(Some(code)))
    }

    #[test]
    fn an_hour_is_due_45_minutes_after_its_end() {
        let checkpoint = checkpoint(hour("2026-11-20T06"));
        let due = |now| plan(&checkpoint, at(now), ONCE).due.len();
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
        let plan = plan(&checkpoint, at("2026-11-20T07:50:00Z"), ONCE);
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
        let plan = plan(&checkpoint, at("2026-11-20T07:50:00Z"), ONCE);
        assert_eq!(plan.due, ["2026-11-20T03", "2026-11-20T06", "2026-11-20T02"].map(hour));
    }

    #[test]
    fn hours_over_30_days_old_are_lost() {
        let checkpoint = checkpoint(hour("2026-10-01T00"));
        let plan = plan(&checkpoint, at("2026-11-01T00:50:00Z"), ONCE);
        assert_eq!(plan.lost.len(), 25);
        assert_eq!(plan.due.first(), Some(&hour("2026-10-02T01")));
        assert_eq!(plan.due.last(), Some(&hour("2026-10-31T23")));
    }

    #[test]
    fn an_hour_read_soon_after_its_end_is_read_once_more_when_late_events_are_there() {
        let read = hour("2026-11-20T06");
        let mut checkpoint = checkpoint(read);
        let soon = classify_read(read, None, &closed(1000), 5, at("2026-11-20T07:45:00Z"), TWICE);
        assert_eq!(soon, HourStatus::Done { second: true });
        let late = classify_read(read, None, &closed(1000), 5, at("2026-11-20T13:00:00Z"), TWICE);
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
    fn an_hour_that_is_done_can_not_be_lost() {
        let mut checkpoint = checkpoint(hour("2026-10-01T06"));
        enter(&mut checkpoint, hour("2026-10-01T06"), HourStatus::Done { second: true });
        let mut lost = checkpoint.clone();
        enter_lost(&mut lost, hour("2026-10-01T06"));
        assert_eq!((lost.lost, lost.second), (vec![], vec![]));
        forget_what_is_gone(&mut checkpoint, at("2026-10-31T06:00:00Z"), TWICE);
        assert_eq!(checkpoint.second, [hour("2026-10-01T06")]);
        forget_what_is_gone(&mut checkpoint, at("2026-10-31T07:00:00Z"), TWICE);
        assert_eq!(checkpoint.second, []);
    }

    #[test]
    fn no_hour_waits_for_a_second_reading_where_none_is_read_twice() {
        let (now, read) = (at("2026-11-20T07:50:00Z"), hour("2026-11-20T06"));
        let mut checkpoint = checkpoint(read);
        enter(&mut checkpoint, read, HourStatus::Done { second: true });
        forget_what_is_gone(&mut checkpoint, now, ONCE);
        assert_eq!(checkpoint.second, []);
    }

    #[test]
    fn without_the_archive_hours_are_let_go_when_proofpoint_drops_them() {
        let mut checkpoint = checkpoint(hour("2026-10-01T06"));
        let_go(&mut checkpoint, at("2026-10-20T06:30:00Z"), ONCE);
        assert_eq!(checkpoint.next_hour, hour("2026-10-01T06"));
        let now = at("2026-11-20T06:30:00Z");
        let_go(&mut checkpoint, now, ONCE);
        assert_eq!(checkpoint.next_hour, hour("2026-10-21T07"));
        assert_eq!(plan(&checkpoint, now, ONCE).lost, []);
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
                    2 => (ReadEnd::Session(SessionEnd::Cut), u64::from(minutes as u32)),
                    _ => (ReadEnd::OutOfTime, 1),
                };
                let judgement = if is_second(&checkpoint, hour) {
                    classify_second_read(hour, &end, events, minutes % 2 == 0, now, TWICE)
                } else {
                    classify_read(hour, previous.as_ref(), &end, events, now, TWICE)
                };
                if matches!(judgement, HourStatus::Done { .. }) {
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
