//! Frames that are not quite what they should be, or come twice, or in another order.

use bytes::Bytes;
use proofpoint_sentinel::state::{Arrival, DeadLetterReason, EventId};
use proofpoint_sentinel_core::feed::EventType;
use proofpoint_sentinel_simulator::pod::SessionFault;

use crate::e2e::fixture::{Scene, from_minute, last_hour, messages, of_feed, this_hour};
use crate::e2e::row_assertions::assert_arrived;

#[tokio::test]
async fn live_accepts_binary_empty_and_line_feed_frames_and_pings() {
    let faults = [
        SessionFault::BinaryFrames,
        SessionFault::EmptyFrames,
        SessionFault::TrailingNewline,
        SessionFault::PingEvery(3),
    ];
    let scene = Scene::hybrid().start().await;
    scene.simulation.pod.inject_live(&messages(), faults.clone());
    let mut given = Vec::new();
    for (minute, fault) in (30..).zip(faults) {
        let events = from_minute(this_hour(), minute, 12);
        given.extend(scene.give_events(&messages(), this_hour(), events));
        let report = scene.run_well().await;
        assert_eq!(of_feed(&report, &messages()).counts.delivered, 12, "{fault:?}");
    }
    assert_arrived(&scene, EventType::Message, &given);
    assert_eq!(scene.sessions(&messages()).pongs, 4);
}

#[tokio::test]
async fn garbage_in_live_is_kept_as_it_came_and_its_neighbours_arrive() {
    let garbage: [&[u8]; 2] = [b"<html>Gateway</html>", b"{\"guid\":\"\xff\""];
    for garbage in garbage.map(Bytes::from_static) {
        let scene = Scene::hybrid().start().await;
        let events = scene.give_events(&messages(), this_hour(), from_minute(this_hour(), 40, 6));
        scene.simulation.pod.inject_live(&messages(), [SessionFault::Garbage(3, garbage.clone())]);
        let report = scene.run_well().await;
        let counts = &of_feed(&report, &messages()).counts;
        assert_eq!((counts.events, counts.delivered, counts.malformed), (7, 6, 1));
        assert_arrived(&scene, EventType::Message, &events);
        let letters = scene.dead_letters(DeadLetterReason::Malformed, &messages());
        let kept: Vec<&[u8]> = letters.iter().map(|letter| &letter.event[..]).collect();
        assert_eq!(kept, [&garbage[..]]);
    }
}

#[tokio::test]
async fn repeated_and_reordered_events_are_delivered_once() {
    // Of twenty events.
    let cases = [(SessionFault::DuplicateEvery(2), 10), (SessionFault::ReverseEvery(7), 0)];
    for (fault, twice) in cases {
        let scene = Scene::hybrid().start().await;
        // Both halves have these.
        let events = scene.give_events(&messages(), last_hour(), from_minute(last_hour(), 55, 20));
        scene.simulation.pod.inject_live(&messages(), [fault.clone()]);
        scene.simulation.pod.inject_archive(&messages(), [fault]);
        let report = scene.run_well().await;
        let report = of_feed(&report, &messages());
        let counts = &report.counts;
        assert_eq!((counts.events, counts.duplicates), (2 * (20 + twice), 20 + 2 * twice));
        assert_eq!((counts.delivered, report.repaired), (20, 0));
        assert_eq!(report.hours_done, [last_hour()]);
        assert_arrived(&scene, EventType::Message, &events);
    }
}

/// Frames that hold several events, or one that is almost JSON, with the guids that they bring.
fn unusual_frames(tag: &str) -> Vec<(Vec<u8>, Vec<String>)> {
    let guid = |name: &str| format!("{tag}-{name}");
    let event = |name: &str, rest: &str| {
        let ts = format!("{}:50:00.000000+0000", last_hour());
        format!(r#"{{"guid":"{}","ts":"{ts}"{rest}}}"#, guid(name)).into_bytes()
    };
    let one = |name: &str, frame: Vec<u8>| (frame, vec![guid(name)]);
    let two = |first: &[u8], between: &[u8], last: &[u8], a: &str, b: &str| {
        let frame = [first, &event(a, "")[..], between, &event(b, "")[..], last].concat();
        (frame, vec![guid(a), guid(b)])
    };
    let with = |name: &str, rest: &[u8]| {
        let mut frame = event(name, ",\"msg\":");
        frame.truncate(frame.len() - 1);
        one(name, [&frame[..], rest, b"}"].concat())
    };
    vec![
        one("bom", [b"\xef\xbb\xbf", &event("bom", "")[..]].concat()),
        one("nul", [&event("nul", "")[..], b"\0"].concat()),
        two(b"", b"\n", b"\n", "line-1", "line-2"),
        two(b"[", b",", b"]", "list-1", "list-2"),
        two(b"", b"", b"", "joined-1", "joined-2"),
        with("tab", b"{\"a\":\"x\ty\"}"),
        with("control", b"{\"a\":\"x\x01y\"}"),
        with("nan", b"{\"a\":[NaN,-Infinity]}"),
        with("half", br#"{"\ud800":"\udc00"}"#),
        with("latin1", b"{\"a\":\"caf\xe9\"}"),
    ]
}

#[tokio::test]
async fn unusual_frames_become_rows_once_in_live_and_archive() {
    let scene = Scene::hybrid().start().await;
    let mut guids = Vec::new();
    for round in 0..3 {
        for (frame, brings) in unusual_frames(&round.to_string()) {
            scene.give_events(&messages(), last_hour(), vec![frame.into()]);
            guids.extend(brings);
        }
    }
    for _ in 0..2 {
        scene.run_well().await;
        scene.advance(7 * 60);
    }
    let rows = scene.rows(EventType::Message);
    for guid in &guids {
        let found = rows.iter().filter(|row| row.contains(&format!("\"guid\":\"{guid}\""))).count();
        assert_eq!(found, 1, "{guid}");
    }
    assert_eq!(rows.len(), guids.len());
    assert_eq!(rows.iter().filter(|row| row.contains(r#""repaired":["#)).count(), 3 * 5);
    assert_eq!(scene.dead_letters(DeadLetterReason::Malformed, &messages()).len(), 0);
}

#[tokio::test]
async fn a_broken_event_in_a_frame_costs_no_other() {
    for count in [1, 7, 15, 3_000] {
        let scene = Scene::new().await;
        let good = from_minute(last_hour(), 30, count);
        let broken = br#"{"guid":"broken","x":}"#;
        let mut lines: Vec<&[u8]> = good.iter().map(|event| &event[..]).collect();
        lines.insert(count / 2, broken);
        scene.give_events(&messages(), last_hour(), vec![lines.join(&b'\n').into()]);
        let report = scene.run_well().await;
        let counts = &of_feed(&report, &messages()).counts;
        let events = count as u64 + 1;
        assert_eq!((counts.events, counts.delivered, counts.malformed), (events, events - 1, 1));
        assert_arrived(&scene, EventType::Message, &good);
        let letters = scene.dead_letters(DeadLetterReason::Malformed, &messages());
        assert_eq!(letters[0].event, &broken[..]);
    }
}

/// Events that differ only in guid and disposition, two of each guid.
fn retried(count: usize) -> Vec<Bytes> {
    let event = |number: usize, disposition: &str| {
        let ts = format!("{}:40:00.000000+0000", last_hour());
        let filter = format!(r#"{{"disposition":"{disposition}"}}"#);
        Bytes::from(format!(r#"{{"guid":"r{number}","ts":"{ts}","filter":{filter}}}"#))
    };
    (0..count).flat_map(|number| [event(number, "retry"), event(number, "continue")]).collect()
}

#[tokio::test]
async fn a_retry_and_its_acceptance_in_one_second_are_two_events() {
    for count in [1, 7, 15, 1_000] {
        let scene = Scene::hybrid().start().await;
        scene.give_events(&messages(), last_hour(), retried(count));
        for _ in 0..2 {
            scene.run_well().await;
            scene.advance(7 * 60);
        }
        assert_eq!(scene.rows(EventType::Message).len(), 2 * count);
    }
}

#[tokio::test]
async fn what_release_0_1_0_delivered_is_not_delivered_again() {
    for count in [1, 7, 15] {
        let scene = Scene::hybrid().start().await;
        scene.give_events(&messages(), last_hour(), retried(count));
        // It took the acceptance for the retry once more.
        let at = format!("{}:40:00Z", last_hour()).parse::<jiff::Timestamp>().unwrap();
        let id = |number| EventId::of(format!("r{number}\n{}", at.as_second()));
        let ids: Vec<EventId> = (0..count).map(id).collect();
        let state = scene.open_state().await;
        state
            .append_ledger(
                &messages(),
                Arrival::Uncounted.of(last_hour()),
                scene.now(),
                "old",
                &ids,
            )
            .await
            .unwrap();
        for _ in 0..3 {
            scene.run_well().await;
            scene.advance(7 * 60);
        }
        let rows = scene.rows(EventType::Message);
        assert_eq!(rows.len(), count);
        assert!(rows.iter().all(|row| row.contains(r#""disposition":"continue""#)));
    }
}
