use std::collections::BTreeMap;

use proofpoint_sentinel_core::feed::{EventType, Feed};

use super::*;
use crate::collect::hour_status::{HourStatus, classify_read, classify_second_read};
use crate::collect::read_end::ReadEnd;
use crate::collect::record::{
    drop_expired_second_reads, record, record_lost, rewind_fast_clock, skip_expired_hours,
};
use crate::collect::timing::examples::{ONCE, TWICE, at, hour};
use crate::pod::SessionEnd;
use crate::state::{HourAttempt, RecordedEnd};
use proptest::prelude::*;

const DONE: HourStatus = HourStatus::Done { second_read: false };

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
fn retries_come_first_and_only_when_their_time_has_come() {
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
            last_end: RecordedEnd::Cut,
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
            last_end: RecordedEnd::OutOfTime,
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
fn an_hour_read_soon_after_its_end_is_read_once_more() {
    let read = hour("2026-11-20T06");
    let mut checkpoint = checkpoint(read);
    let soon = classify_read(read, None, &closed(1000), 5, at("2026-11-20T07:45:00Z"), TWICE);
    assert_eq!(soon, HourStatus::Done { second_read: true });
    let late = classify_read(read, None, &closed(1000), 5, at("2026-11-20T13:00:00Z"), TWICE);
    assert_eq!(late, DONE);
    record(&mut checkpoint, read, soon);
    checkpoint.next_hour = hour("2026-11-20T20");
    assert_eq!(oldest_unfinished(&checkpoint), read);
    let due = |now| plan(&checkpoint, at(now), TWICE).due;
    assert_eq!(due("2026-11-20T12:59:59Z"), []);
    assert_eq!(due("2026-11-20T13:00:00Z"), [read]);
    assert_eq!(due("2026-11-20T21:45:00Z"), [hour("2026-11-20T20"), read]);
}

#[test]
fn an_hour_that_is_done_can_not_be_lost() {
    let mut checkpoint = checkpoint(hour("2026-10-01T06"));
    record(&mut checkpoint, hour("2026-10-01T06"), HourStatus::Done { second_read: true });
    let mut lost = checkpoint.clone();
    record_lost(&mut lost, hour("2026-10-01T06"));
    assert_eq!((lost.lost, lost.second), (vec![], vec![]));
    drop_expired_second_reads(&mut checkpoint, at("2026-10-31T06:00:00Z"), TWICE);
    assert_eq!(checkpoint.second, [hour("2026-10-01T06")]);
    drop_expired_second_reads(&mut checkpoint, at("2026-10-31T07:00:00Z"), TWICE);
    assert_eq!(checkpoint.second, []);
}

#[test]
fn second_reads_are_dropped_where_no_hour_is_read_twice() {
    let (now, read) = (at("2026-11-20T07:50:00Z"), hour("2026-11-20T06"));
    let mut checkpoint = checkpoint(read);
    record(&mut checkpoint, read, HourStatus::Done { second_read: true });
    drop_expired_second_reads(&mut checkpoint, now, ONCE);
    assert_eq!(checkpoint.second, []);
}

#[test]
fn without_the_archive_expired_hours_are_skipped() {
    let mut checkpoint = checkpoint(hour("2026-10-01T06"));
    skip_expired_hours(&mut checkpoint, at("2026-10-20T06:30:00Z"), ONCE);
    assert_eq!(checkpoint.next_hour, hour("2026-10-01T06"));
    let now = at("2026-11-20T06:30:00Z");
    skip_expired_hours(&mut checkpoint, now, ONCE);
    assert_eq!(checkpoint.next_hour, hour("2026-10-21T07"));
    assert_eq!(plan(&checkpoint, now, ONCE).lost, []);
}

#[test]
fn what_a_clock_that_was_ahead_recorded_is_undone() {
    let (now, old) = (at("2026-11-20T10:50:00Z"), hour("2026-11-01T00"));
    let attempt = |hour| HourAttempt {
        hour,
        attempts: 2,
        empty_reads: 1,
        not_before: at("2026-11-21T09:00:00Z"),
        last_events: 0,
        last_end: RecordedEnd::Closed(Some(1000)),
    };
    let mut checkpoint = checkpoint(hour("2026-11-21T07"));
    checkpoint.retry = vec![attempt(old), attempt(hour("2026-11-20T23"))];
    checkpoint.lost = vec![old.plus(1), hour("2026-11-20T08")];
    checkpoint.second = vec![old.plus(2), hour("2026-11-20T09")];

    let first = hour("2026-11-17T10");
    assert_eq!(rewind_fast_clock(&mut checkpoint, now), Some(first));
    assert_eq!((checkpoint.next_hour, checkpoint.retry.len()), (first, 1));
    assert_eq!(checkpoint.retry[0], HourAttempt { not_before: now, ..attempt(old) });
    assert_eq!((checkpoint.lost, checkpoint.second), (vec![old.plus(1)], vec![old.plus(2)]));
}

#[test]
fn nothing_is_undone_where_the_next_hour_has_begun() {
    let whole = checkpoint(hour("2026-11-20T10"));
    let mut taken = whole.clone();
    assert_eq!(rewind_fast_clock(&mut taken, at("2026-11-20T10:00:00Z")), None);
    assert_eq!(taken, whole);
    assert!(rewind_fast_clock(&mut taken, at("2026-11-20T09:59:59Z")).is_some());
}

proptest! {
    /// Whatever is read, and in whatever order, each hour is at any time in
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
            let retry = |hour: &Hour| checkpoint.retry.iter().find(|a| a.hour == *hour);
            let order = |hour: &Hour| {
                let too_long = retry(hour).is_some_and(is_too_long);
                (too_long, awaits_second_read(&checkpoint, *hour), *hour)
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
            let status = if awaits_second_read(&checkpoint, hour) {
                classify_second_read(hour, &end, events, minutes % 2 == 0, now, TWICE)
            } else {
                classify_read(hour, previous.as_ref(), &end, events, now, TWICE)
            };
            if matches!(status, HourStatus::Done { .. }) {
                last_whole.insert(hour, now);
            } else {
                last_whole.remove(&hour);
            }
            record(&mut checkpoint, hour, status);
            let retries: Vec<Hour> = checkpoint.retry.iter().map(|a| a.hour).collect();
            let mut known: Vec<Hour> = last_whole.keys().copied().chain(retries).collect();
            known.sort();
            let expected: Vec<Hour> = first.through(checkpoint.next_hour.plus(-1)).collect();
            prop_assert_eq!(known, expected);
            for (hour, at) in &last_whole {
                let is_final = *at >= hour.end() + SignedDuration::from_hours(6);
                prop_assert_eq!(is_final, !awaits_second_read(&checkpoint, *hour));
            }
        }
    }
}
