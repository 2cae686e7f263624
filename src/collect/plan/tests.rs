use std::collections::BTreeMap;

use proofpoint_sentinel_core::feed::{EventType, Feed};

use super::*;
use crate::collect::hour_status::{
    HourReading, HourStatus, classify_look, classify_read, classify_second_read, failed_read,
};
use crate::collect::read_end::ReadEnd;
use crate::collect::record::{drop_expired_rereads, record, record_lost, rewind_fast_clock};
use crate::collect::timing::examples::{ONCE, TWICE, at, hour};
use crate::error_code;
use crate::pod::SessionEnd;
use crate::state::{HourAttempt, HourRange, RecordedEnd};
use proptest::prelude::*;

const PROVED: HourStatus = HourStatus::Proved { second_read: false };

fn checkpoint(next: Hour) -> Checkpoint {
    let feed = Feed::log("acme", EventType::Message);
    Checkpoint::starting_at(next, &feed, "test", next.end())
}

fn whole(hour: Hour, now: &str) -> HourStatus {
    let reading = HourReading { end: &closed(1000), events: 5, missing: 0 };
    classify_read(hour, None, reading, at(now), TWICE)
}

fn attempt(hour: Hour, not_before: &str, last_end: RecordedEnd) -> HourAttempt {
    let not_before = at(not_before);
    HourAttempt { hour, attempts: 1, empty_reads: 0, not_before, last_events: 0, last_end }
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
fn newest_and_oldest_take_turns_over_runs() {
    let mut checkpoint = checkpoint(hour("2026-11-20T00"));
    let now = at("2026-11-20T06:50:00Z");
    let due = |checkpoint: &Checkpoint| plan(checkpoint, now, ONCE).due;
    let hours = ["05", "00", "04", "01", "03", "02"].map(|it| hour(&format!("2026-11-20T{it}")));
    assert_eq!(due(&checkpoint), hours);
    checkpoint.oldest_next = true;
    assert_eq!(
        due(&checkpoint),
        ["00", "05", "01", "04", "02", "03"].map(|it| hour(&format!("2026-11-20T{it}")))
    );
}

#[test]
fn hours_passed_over_by_a_newer_one_are_still_read() {
    let first = hour("2026-11-20T00");
    let mut checkpoint = checkpoint(first);
    let now = at("2026-11-20T06:50:00Z");
    for read in [5, 2, 0, 4] {
        record(&mut checkpoint, first.plus(read), PROVED);
    }
    let range = |from, to| HourRange { first: first.plus(from), last: first.plus(to) };
    assert_eq!(checkpoint.backlog, [range(1, 1), range(3, 3)]);
    assert_eq!(checkpoint.next_hour, first.plus(6));
    assert_eq!(oldest_unfinished(&checkpoint), first.plus(1));
    assert_eq!(plan(&checkpoint, now, ONCE).due, [first.plus(3), first.plus(1)]);
    let late = now + SignedDuration::from_hours(31 * 24);
    let lost = plan(&checkpoint, late, ONCE).lost;
    assert!(lost.starts_with(&[first.plus(1), first.plus(3)]), "{lost:?}");
}

#[test]
fn retries_are_due_when_their_time_has_come() {
    let mut checkpoint = checkpoint(hour("2026-11-20T06"));
    for (text, not_before) in
        [("2026-11-20T02", "2026-11-20T07:00:00Z"), ("2026-11-20T03", "2026-11-20T09:00:00Z")]
    {
        checkpoint.retry.push(attempt(hour(text), not_before, RecordedEnd::Cut));
    }
    let plan = plan(&checkpoint, at("2026-11-20T07:50:00Z"), ONCE);
    assert_eq!(plan.due, [hour("2026-11-20T06"), hour("2026-11-20T02")]);
    assert_eq!(plan.later, 1);
}

#[test]
fn an_hour_only_believed_is_looked_at_after_all_others() {
    let mut checkpoint = checkpoint(hour("2026-11-20T06"));
    let look = attempt(hour("2026-11-19T02"), "2026-11-20T07:00:00Z", RecordedEnd::Cut);
    record(&mut checkpoint, look.hour, HourStatus::Believed(look.clone()));
    record(&mut checkpoint, hour("2026-11-20T05"), HourStatus::Proved { second_read: true });
    let due = |now| plan(&checkpoint, at(now), TWICE).due;
    assert_eq!(due("2026-11-20T06:59:59Z"), []);
    let expected = ["2026-11-20T11", "2026-11-20T06", "2026-11-20T10", "2026-11-20T07"];
    assert_eq!(due("2026-11-20T12:45:00Z")[..4], expected.map(hour));
    assert_eq!(due("2026-11-20T12:45:00Z")[6..], [hour("2026-11-20T05"), look.hour]);
    assert_eq!(oldest_unfinished(&checkpoint), look.hour);
    drop_expired_rereads(&mut checkpoint, at("2026-12-19T03:00:00Z"), TWICE);
    assert_eq!(checkpoint.believed, []);
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
    assert_eq!(plan.due, ["2026-11-20T06", "2026-11-20T03", "2026-11-20T02"].map(hour));
}

#[test]
fn hours_over_30_days_old_are_lost() {
    let checkpoint = checkpoint(hour("2026-10-01T00"));
    let plan = plan(&checkpoint, at("2026-11-01T00:50:00Z"), ONCE);
    assert_eq!(plan.lost.len(), 25);
    assert_eq!(plan.due[..2], [hour("2026-10-31T23"), hour("2026-10-02T01")]);
    assert_eq!(plan.due.len(), 719);
}

#[test]
fn an_hour_read_soon_after_its_end_is_read_once_more() {
    let read = hour("2026-11-20T06");
    let mut checkpoint = checkpoint(read);
    let soon = whole(read, "2026-11-20T07:45:00Z");
    assert_eq!(soon, HourStatus::Proved { second_read: true });
    let late = whole(read, "2026-11-20T13:00:00Z");
    assert_eq!(late, PROVED);
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
    record(&mut checkpoint, hour("2026-10-01T06"), HourStatus::Proved { second_read: true });
    let mut lost = checkpoint.clone();
    record_lost(&mut lost, hour("2026-10-01T06"));
    assert_eq!((lost.lost, lost.second), (vec![], vec![]));
    drop_expired_rereads(&mut checkpoint, at("2026-10-31T06:00:00Z"), TWICE);
    assert_eq!(checkpoint.second, [hour("2026-10-01T06")]);
    drop_expired_rereads(&mut checkpoint, at("2026-10-31T07:00:00Z"), TWICE);
    assert_eq!(checkpoint.second, []);
}

#[test]
fn second_reads_are_dropped_where_no_hour_is_read_twice() {
    let (now, read) = (at("2026-11-20T07:50:00Z"), hour("2026-11-20T06"));
    let mut checkpoint = checkpoint(read);
    record(&mut checkpoint, read, HourStatus::Proved { second_read: true });
    drop_expired_rereads(&mut checkpoint, now, ONCE);
    assert_eq!(checkpoint.second, []);
}

#[test]
fn what_a_clock_that_was_ahead_recorded_is_undone() {
    let (now, old) = (at("2026-11-20T10:50:00Z"), hour("2026-11-01T00"));
    let attempt = |hour| attempt(hour, "2026-11-21T09:00:00Z", RecordedEnd::Closed(Some(1000)));
    let mut checkpoint = checkpoint(hour("2026-11-21T07"));
    checkpoint.retry = vec![attempt(old), attempt(hour("2026-11-20T23"))];
    checkpoint.lost = vec![old.plus(1), hour("2026-11-20T08")];
    checkpoint.believed = vec![attempt(old.plus(3)), attempt(hour("2026-11-20T22"))];
    checkpoint.backlog = vec![
        HourRange { first: old.plus(5), last: hour("2026-11-18T00") },
        HourRange { first: hour("2026-11-18T02"), last: hour("2026-11-18T04") },
    ];
    checkpoint.second = vec![old.plus(2), hour("2026-11-20T09")];

    let first = hour("2026-11-17T10");
    assert_eq!(rewind_fast_clock(&mut checkpoint, now), Some(first));
    assert_eq!((checkpoint.next_hour, checkpoint.retry.len()), (first, 1));
    assert_eq!(checkpoint.retry[0], HourAttempt { not_before: now, ..attempt(old) });
    assert_eq!(checkpoint.believed, [HourAttempt { not_before: now, ..attempt(old.plus(3)) }]);
    let left = HourRange { first: old.plus(5), last: first.plus(-1) };
    assert_eq!(checkpoint.backlog, [left]);
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
    /// Whatever is read, and in whatever order, each hour is at any time in exactly one place:
    /// proved, believed, to be read again, passed over, or not yet reached. And an hour that was read
    /// soon after its end is read again later, whatever comes of the readings.
    #[test]
    fn no_hour_is_forgotten(
        steps in prop::collection::vec((0u8..6, 0i64..180, any::<prop::sample::Index>()), 1..60),
    ) {
        let first = hour("2026-11-20T00");
        let mut checkpoint = checkpoint(first);
        let mut now = first.end();
        let mut proved = BTreeMap::new();
        for (kind, minutes, choice) in steps {
            now += SignedDuration::from_mins(minutes);
            let due = plan(&checkpoint, now, TWICE).due;
            if due.is_empty() {
                continue;
            }
            let read = due[choice.index(due.len())];
            let status = status_of_a_reading(&checkpoint, read, kind, minutes, now);
            if matches!(status, HourStatus::Proved { .. } | HourStatus::Settled) {
                proved.insert(read, now);
            } else {
                proved.remove(&read);
            }
            record(&mut checkpoint, read, status);
            let listed = checkpoint.retry.iter().chain(&checkpoint.believed).map(|it| it.hour);
            let passed_over = checkpoint.backlog.iter().flat_map(|range| range.hours());
            let mut known: Vec<Hour> =
                proved.keys().copied().chain(listed).chain(passed_over).collect();
            known.sort();
            let expected: Vec<Hour> = first.through(checkpoint.next_hour.plus(-1)).collect();
            prop_assert_eq!(known, expected);
            prop_assert!(checkpoint.backlog.is_sorted_by(|one, next| one.last < next.first));
            for (hour, at) in &proved {
                let is_final = *at >= hour.end() + SignedDuration::from_hours(6);
                prop_assert_eq!(is_final, !awaits_second_read(&checkpoint, *hour));
            }
        }
    }
}

/// The status that a reading of one of six kinds gives.
fn status_of_a_reading(
    checkpoint: &Checkpoint,
    hour: Hour,
    kind: u8,
    minutes: i64,
    now: Timestamp,
) -> HourStatus {
    let previous = tried(checkpoint, hour);
    let missing = minutes as usize % 2;
    let (end, events) = match kind {
        0 => (closed(1000), 3),
        1 => (closed(1000), 0),
        2 => (ReadEnd::Session(SessionEnd::Cut), minutes as u64 % 5),
        3 => (ReadEnd::Session(SessionEnd::Cut), 5),
        4 => (ReadEnd::OutOfTime, 1),
        _ => {
            let code = error_code::REFUSED_UNAVAILABLE;
            return HourStatus::Retry(failed_read(hour, previous, code, now));
        }
    };
    let reading = HourReading { end: &end, events, missing };
    if awaits_second_read(checkpoint, hour) {
        classify_second_read(hour, reading, minutes % 3 == 0, now, TWICE)
    } else if let Some(attempt) = believed(checkpoint, hour) {
        classify_look(attempt, reading, now, TWICE)
    } else {
        classify_read(hour, previous, reading, now, TWICE)
    }
}

#[test]
fn an_hour_is_forgotten_only_at_an_age_at_which_none_was_read() {
    let now = at("2026-11-20T10:50:00Z");
    let current = Hour::containing(now);
    let of = |kept_hours: u32, done: &[i64]| {
        let mut checkpoint = checkpoint(current);
        checkpoint.kept_hours = kept_hours;
        let is_open = |age: &i64| !done.contains(age);
        let open = (1..=400).rev().filter(is_open).map(|age| current.plus(-age));
        checkpoint.backlog = open.map(|hour| HourRange { first: hour, last: hour }).collect();
        Forgettable::of(&checkpoint, now)
    };
    let holds = |forgettable: &Forgettable, oldest: i64, newest: i64| {
        forgettable.holds(current.plus(-oldest), current.plus(-newest))
    };
    let fresh = of(0, &[]);
    assert!(holds(&fresh, 400, 24) && holds(&fresh, 24, 24));
    assert!(!holds(&fresh, 400, 23), "no tenant keeps less than a day");
    let seasoned = of(336, &[]);
    assert!(holds(&seasoned, 400, 337) && !holds(&seasoned, 400, 336));
    let patchy = of(0, &[300]);
    assert!(holds(&patchy, 299, 200) && holds(&patchy, 400, 301));
    assert!(!holds(&patchy, 400, 200), "an hour between them is done");
}
