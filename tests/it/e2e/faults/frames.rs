//! Frames that are not quite what they should be, or come twice, or in another order.

use bytes::Bytes;
use proofpoint_sentinel::state::DeadLetterReason;
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
    let garbage: [&[u8]; 2] = [b"<html>Gateway</html>", b"{\"guid\":\"\xff\"}"];
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
