use std::collections::VecDeque;

use proptest::prelude::*;

use super::*;
use crate::tap::{CALLS_A_DAY, Outcome};

mod properties;

const HOUR: i64 = 3_600;

fn at(text: &str) -> Timestamp {
    text.parse().unwrap()
}

fn seconds(count: i64) -> SignedDuration {
    SignedDuration::from_secs(count)
}

fn timing(interval: i64) -> TapTiming {
    TapTiming { interval: seconds(interval), false_positives: true }
}

/// The calls of a tick in which all of them are answered.
fn tick(progress: &mut TapProgress, timing: TapTiming, now: Timestamp) -> (Vec<Call>, Rest) {
    let mut calls = Vec::new();
    loop {
        match progress.next(timing, now) {
            Next::Ask(call) => {
                progress.record(call, Outcome::Read, now);
                calls.push(call);
            }
            Next::Rest(rest) => return (calls, rest),
        }
    }
}

/// `current 06:00:00-07:00:00` for each call.
fn texts(calls: &[Call]) -> Vec<String> {
    let text = |call: &Call| {
        let name = match call.purpose {
            Purpose::Current => "current",
            Purpose::Gap => "gap",
            Purpose::Settle(_) => "settle",
            Purpose::FalsePositives(_) => "false positives",
        };
        let time = |at: Timestamp| at.to_string()[11..19].to_owned();
        format!("{name} {}-{}", time(call.interval.start()), time(call.interval.end()))
    };
    calls.iter().map(text).collect()
}

#[test]
fn the_first_run_reads_from_new_to_old_and_then_hours() {
    let now = at("2026-11-20T12:40:00Z");
    let mut progress = TapProgress::starting(now, 3);
    let (calls, rest) = tick(&mut progress, timing(300), now);
    assert_eq!(
        texts(&calls),
        [
            "current 11:39:00-12:39:00",
            "gap 11:00:00-11:39:00",
            "settle 09:00:00-10:00:00",
            "settle 10:00:00-11:00:00",
            "false positives 09:00:00-10:00:00",
            "false positives 10:00:00-11:00:00",
        ]
    );
    assert_eq!((rest, progress.calls_used(now)), (Rest::UpToDate, 6));
    assert_eq!(progress.settled_before(), "2026-11-20T11".parse().unwrap());
}

#[test]
fn a_regular_tick_reads_half_an_hour_again() {
    let now = at("2026-11-20T12:40:00Z");
    let mut progress = TapProgress::starting(now, 3);
    tick(&mut progress, timing(300), now);
    let (calls, _) = tick(&mut progress, timing(300), now + seconds(300));
    assert_eq!(texts(&calls), ["current 12:09:00-12:44:00"]);
    let (calls, _) = tick(&mut progress, timing(300), now + seconds(20 * 60));
    let settled = ["settle 11:00:00-12:00:00", "false positives 11:00:00-12:00:00"];
    assert_eq!(texts(&calls), [&["current 12:14:00-12:59:00"][..], &settled].concat());
}

#[test]
fn the_current_window_is_not_asked_for_more_often() {
    let start = at("2026-11-20T12:40:00Z");
    for (interval, every) in [(300, 60), (300, 299), (60, 60), (120, 60)] {
        let mut progress = TapProgress::starting(start, 1);
        let ticks = 12 * HOUR / every;
        let calls = (0..ticks)
            .flat_map(|n| tick(&mut progress, timing(interval), start + seconds(n * every)).0);
        let current = calls.filter(|call| call.purpose == Purpose::Current).count() as i64;
        let most = 12 * HOUR / interval + 1;
        assert!((most * 9 / 10..=most).contains(&current), "{interval}, {every}: {current}");
    }
}

#[test]
fn an_outage_is_made_up_for_in_one_tick() {
    for interval in [60, 300, 3_600] {
        for hours in [2, 9, 100] {
            let start = at("2026-11-20T12:40:17Z");
            let mut progress = TapProgress::starting(start, 1);
            tick(&mut progress, timing(interval), start);
            let now = start + seconds(hours * HOUR + 1_234);
            let (calls, rest) = tick(&mut progress, timing(interval), now);
            assert_eq!(calls[0].purpose, Purpose::Current);
            assert_eq!(rest, Rest::UpToDate, "{interval}, {hours}");
            assert_eq!(progress.settled_before(), Hour::newest_due(now, SETTLED_AFTER).plus(1));
            let newest = calls.iter().map(|call| call.interval.end()).max();
            assert_eq!(newest, Some(whole_second(now - MIN_AGE)));
            assert_eq!(progress.newly_lost(), []);
        }
    }
}

#[test]
fn hours_beyond_seven_days_are_lost_by_name() {
    let start = at("2026-11-01T12:40:00Z");
    let mut progress = TapProgress::starting(start, 1);
    tick(&mut progress, timing(300), start);
    assert_eq!(progress.settled_before().to_string(), "2026-11-01T11");
    let now = at("2026-11-10T12:40:00Z");
    tick(&mut progress, timing(300), now);
    let lost = progress.newly_lost();
    let names: Vec<String> = lost.iter().map(ToString::to_string).collect();
    assert_eq!(names, ["2026-11-01T11 to 2026-11-03T12"]);
    assert_eq!((progress.newly_lost(), progress.lost()), (vec![], &lost[..]));
}

#[test]
fn a_window_that_takes_too_long_is_halved() {
    let mut now = at("2026-11-20T12:40:00Z");
    let mut progress = TapProgress::starting(now, 4);
    let mut settled = Vec::new();
    while settled.len() < 9 {
        while let Next::Ask(call) = progress.next(timing(300), now) {
            let length = call.interval.end().duration_since(call.interval.start());
            let is_too_long =
                call.interval.start() < at("2026-11-20T09:00:00Z") && length > seconds(900);
            let outcome = if is_too_long { Outcome::TooLong } else { Outcome::Read };
            progress.record(call, outcome, now);
            if matches!(call.purpose, Purpose::Settle(_)) {
                settled.push(call);
            }
        }
        now += seconds(300);
    }
    // Other hours go first, before the next try.
    assert_eq!(
        texts(&settled)[..9],
        [
            "settle 08:00:00-09:00:00",
            "settle 09:00:00-10:00:00",
            "settle 10:00:00-11:00:00",
            "settle 08:00:00-08:30:00",
            "settle 08:00:00-08:15:00",
            "settle 08:15:00-08:30:00",
            // Two reads in a row: a longer window is tried again.
            "settle 08:30:00-09:00:00",
            "settle 08:30:00-08:45:00",
            "settle 08:45:00-09:00:00",
        ]
    );
}

#[test]
fn a_current_window_that_takes_too_long_is_halved() {
    let mut now = at("2026-11-20T12:40:00Z");
    let mut progress = TapProgress::starting(now, 1);
    let mut lengths = Vec::new();
    for _ in 0..9 {
        let Next::Ask(call) = progress.next(timing(300), now) else { panic!("{now}") };
        assert_eq!(call.purpose, Purpose::Current);
        progress.record(call, Outcome::TooLong, now);
        lengths.push(call.interval.end().duration_since(call.interval.start()).as_secs());
        now += seconds(300);
    }
    assert_eq!(lengths, [3_600, 1_800, 900, 450, 225, 112, 56, 30, 30]);
    // Hours do not become shorter by that.
    assert!(progress.settled.unfinished.is_empty());
    let (calls, rest) = tick(&mut progress, timing(300), now);
    assert_eq!(rest, Rest::UpToDate);
    assert!(calls.len() < 20, "{}", calls.len());
    let newest = Hour::newest_due(now, SETTLED_AFTER);
    assert_eq!(progress.current.map(|span| span.from), Some(newest.end()));
}

#[test]
fn an_hour_that_is_refused_lets_others_go_first() {
    let now = at("2026-11-20T12:40:00Z");
    let mut progress = TapProgress::starting(now, 4);
    let bad = Hour::containing(at("2026-11-20T09:30:00Z"));
    let mut calls = Vec::new();
    while let Next::Ask(call) = progress.next(timing(300), now) {
        let is_bad = call.purpose == Purpose::Settle(bad);
        progress.record(call, if is_bad { Outcome::Refused } else { Outcome::Read }, now);
        calls.push(call);
    }
    assert_eq!(calls.iter().filter(|call| call.purpose == Purpose::Settle(bad)).count(), 1);
    assert_eq!((progress.settled_before(), progress.open_hours(now)), (bad, 1));
    let (calls, _) = tick(&mut progress, timing(300), now + seconds(300));
    assert!(calls.iter().any(|call| call.purpose == Purpose::Settle(bad)));
    assert_eq!(progress.settled_before(), "2026-11-20T11".parse().unwrap());
}

#[test]
fn catching_up_waits_when_all_of_it_fails() {
    let now = at("2026-11-20T12:40:00Z");
    let mut progress = TapProgress::starting(now, 100);
    let mut calls = Vec::new();
    let rest = loop {
        match progress.next(timing(300), now) {
            Next::Ask(call) => {
                let is_current = call.purpose == Purpose::Current;
                progress.record(
                    call,
                    if is_current { Outcome::Read } else { Outcome::Refused },
                    now,
                );
                calls.push(call);
            }
            Next::Rest(rest) => break rest,
        }
    };
    assert_eq!(rest, Rest::Failing(now + seconds(300)));
    assert_eq!(
        texts(&calls),
        [
            "current 11:39:00-12:39:00",
            "gap 11:00:00-11:39:00",
            "settle 08:00:00-09:00:00",
            "settle 09:00:00-10:00:00",
        ]
    );
    let Next::Ask(next) = progress.next(timing(300), now + seconds(299)) else { panic!() };
    assert_eq!(next.purpose, Purpose::Current);
}

#[test]
fn a_clock_that_was_ahead_costs_no_hour() {
    let right = at("2026-11-20T12:40:00Z");
    for ahead in [20 * 60, 3 * 24 * HOUR, 300 * 24 * HOUR] {
        for is_first_run in [true, false] {
            let start = if is_first_run { right + seconds(ahead) } else { right };
            let mut progress = TapProgress::starting(start, 3);
            let before = (!is_first_run).then(|| tick(&mut progress, timing(300), right));
            for n in 1..4 {
                // The service knows the time.
                let now = right + seconds(ahead + n * 300);
                while let Next::Ask(call) = progress.next(timing(300), now) {
                    assert_eq!(call.purpose, Purpose::Current, "{ahead}");
                    progress.record(call, Outcome::Refused, now);
                }
            }
            let (calls, rest) = tick(&mut progress, timing(300), right + seconds(1_200));
            assert_eq!((calls[0].purpose, rest), (Purpose::Current, Rest::UpToDate), "{ahead}");
            assert!(progress.newly_lost().is_empty());
            let settled = Hour::newest_due(right + seconds(1_200), SETTLED_AFTER).plus(1);
            assert_eq!(progress.settled_before(), settled);
            let is_read = |hour: Hour| {
                let all = before.iter().flat_map(|(calls, _)| calls).chain(&calls);
                all.into_iter().any(|call| call.purpose == Purpose::Settle(hour))
            };
            assert!(settled.plus(-2).through(settled.plus(-1)).all(is_read), "{ahead}");
        }
    }
}

#[test]
fn too_many_calls_stop_all_for_minutes() {
    let mut now = at("2026-11-20T12:40:00Z");
    let mut progress = TapProgress::starting(now, 12);
    for minutes in [5, 10, 20, 40, 60] {
        let Next::Ask(call) = progress.next(timing(300), now) else { panic!("{minutes}") };
        assert_eq!(call.purpose, Purpose::Current);
        progress.record(call, Outcome::Throttled, now);
        let back = now + seconds(minutes * 60);
        for early in [1, 60, 299] {
            let next = progress.next(timing(300), back - seconds(early));
            assert_eq!(next, Next::Rest(Rest::Throttled(back)));
        }
        now = back;
    }
    let (calls, rest) = tick(&mut progress, timing(300), now);
    assert_eq!((calls[0].purpose, progress.throttle), (Purpose::Current, None));
    assert_eq!(
        (calls.last().unwrap().purpose, rest),
        (Purpose::FalsePositives(progress.settled.next.plus(-1)), Rest::UpToDate)
    );
}

#[test]
fn catching_up_leaves_room_for_a_day_of_current_windows() {
    let mut now = at("2026-11-20T12:40:00Z");
    let mut progress = TapProgress::starting(now, 167);
    let (calls, _) = tick(&mut progress, timing(60), now);
    let spent = calls.len() as u32;
    assert!((300..=CALLS_A_DAY - 1_440).contains(&spent), "{spent}");
    for _ in 0..24 * 60 {
        now += seconds(60);
        let (calls, _) = tick(&mut progress, timing(60), now);
        assert_eq!(calls.first().map(|call| call.purpose), Some(Purpose::Current), "{now}");
    }
}

#[test]
fn hours_that_the_service_no_longer_has_are_lost() {
    let now = at("2026-11-20T12:40:00Z");
    let mut progress = TapProgress::starting(now, 10);
    let oldest = Hour::containing(at("2026-11-20T06:00:00Z"));
    while let Next::Ask(call) = progress.next(timing(300), now) {
        let is_old = call.interval.start() < oldest.start();
        progress.record(call, if is_old { Outcome::TooOld } else { Outcome::Read }, now);
    }
    let lost: Vec<String> = progress.newly_lost().iter().map(ToString::to_string).collect();
    assert_eq!(lost, ["2026-11-20T02 to 2026-11-20T05"]);
    assert_eq!(progress.open_hours(now), 0);
}

#[test]
fn progress_is_stored_as_documented() {
    let now = at("2026-11-20T12:40:00Z");
    let mut progress = TapProgress::starting(now, 2);
    let json = serde_json::to_string(&progress).unwrap();
    assert_eq!(
        json,
        r#"{"current":null,"next_current":null,"settled":{"next":"2026-11-20T10","unfinished":[]},"false_positives":null,"window_seconds":3600,"current_fails":false,"failures":0,"catch_up_not_before":null,"throttle":null,"lost":[],"calls":{}}"#
    );
    tick(&mut progress, timing(300), now);
    let json = serde_json::to_string(&progress).unwrap();
    let back: TapProgress = serde_json::from_str(&json).unwrap();
    assert_eq!((&back, back.check()), (&progress, Ok(())));
    for (part, other) in [
        (r#""window_seconds":3600"#, r#""window_seconds":3601"#),
        (r#""to":"2026-11-20T12:39:00Z""#, r#""to":"2026-11-20T10:59:00Z""#),
        (
            r#""unfinished":[]"#,
            r#""unfinished":[{"hour":"2026-11-20T11","read_until":"2026-11-20T11:00:00Z","window_seconds":3600,"attempts":0,"not_before":"2026-11-20T11:00:00Z"}]"#,
        ),
    ] {
        assert!(json.contains(part), "{part}: {json}");
        let damaged: TapProgress = serde_json::from_str(&json.replace(part, other)).unwrap();
        assert!(damaged.check().is_err(), "{other}");
    }
}
