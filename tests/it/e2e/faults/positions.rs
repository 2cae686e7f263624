//! Live positions are not spent for nothing: what a live session sends is not sent again.

use std::time::Duration;

use bytes::Bytes;
use jiff::{SignedDuration, Timestamp};
use proofpoint_sentinel_core::feed::EventType;
use proofpoint_sentinel_core::hour::Hour;
use proofpoint_sentinel_simulator::pod::{SessionFault, SourceEvent};
use proofpoint_sentinel_simulator::workspace::{ApiResponse, PostFault};

use crate::e2e::fixture::{
    Scene, ends, failure, from_minute, last_hour, messages, of_feed, this_hour,
};
use crate::e2e::row_assertions::assert_arrived;

/// The workspace refuses the identity.
fn no_role() -> PostFault {
    PostFault::Reply(ApiResponse::no_role("dcr-1"))
}

/// A hybrid scene that has had its first run.
async fn settled() -> (Scene, Vec<Bytes>) {
    let scene = Scene::hybrid().start().await;
    let events = scene.give(&messages(), last_hour(), 3);
    scene.run_well().await;
    (scene, events)
}

#[tokio::test]
async fn the_first_run_opens_no_live_session_while_nothing_is_taken() {
    for count in [1, 7, 15, 3000] {
        let scene = Scene::hybrid().start().await;
        let events = scene.give(&messages(), last_hour(), count);
        for _ in 0..3 {
            scene.simulation.workspace.inject(vec![no_role(); 4]);
            failure(&scene.run().await, &messages());
            scene.simulation.workspace.clear_faults();
            assert_eq!(scene.sessions(&messages()).live_opened, 0);
        }
        scene.run_well().await;
        assert_eq!(scene.sessions(&messages()).live_opened, 1);
        assert_arrived(&scene, EventType::Message, &events);
    }
}

#[tokio::test]
async fn an_outage_of_the_destination_spends_one_live_session() {
    let (scene, mut all) = settled().await;
    let opened = scene.sessions(&messages()).live_opened;
    let current = this_hour();
    let in_flight = scene.give_events(&messages(), current, from_minute(current, 51, 2));
    let mut later = Vec::new();
    // The destination takes nothing for 50 minutes.
    for run in 1..=10 {
        scene.advance(5);
        scene.simulation.workspace.inject(vec![no_role(); 4]);
        let event = event_at(&format!("later-{run}"), scene.now(), scene.now());
        later.push(event.event.clone());
        scene.source.add(&messages(), [event]);
        failure(&scene.run().await, &messages());
        assert_eq!(scene.sessions(&messages()).live_opened, opened + 1, "run {run}");
        scene.simulation.workspace.clear_faults();
    }
    // The next run goes on in the live stream, and what was in flight comes from the archive.
    scene.advance(4);
    let report = scene.run_well().await;
    assert_eq!(of_feed(&report, &messages()).counts.delivered, 9);
    scene.advance(60);
    scene.run_well().await;
    all.extend(in_flight);
    all.extend(later);
    assert_arrived(&scene, EventType::Message, &all);
}

fn event_at(id: &str, time: Timestamp, arrives_at: Timestamp) -> SourceEvent {
    let event = Bytes::from(format!(r#"{{"guid":"{id}","ts":"{time}"}}"#));
    SourceEvent { arrives_at, ..SourceEvent::new(event, Hour::containing(arrives_at)) }
}

#[tokio::test]
async fn no_live_session_is_opened_without_a_token() {
    let (scene, events) = settled().await;
    let opened = scene.sessions(&messages()).live_opened;
    scene.advance(5);
    let newest = scene.give_events(&messages(), this_hour(), from_minute(this_hour(), 52, 3));
    let mut run = scene.a_run();
    run.settings.destination = scene.settings_with("AZURE_CLIENT_SECRET", "wrong").destination;
    let text = failure(&scene.run_as(run).await, &messages());
    assert!(text.contains("no token to post with"), "{text}");
    assert_eq!(scene.sessions(&messages()).live_opened, opened);
    // The position is not spent.
    scene.advance(5);
    scene.run_well().await;
    assert_eq!(scene.sessions(&messages()).live_opened, opened + 1);
    assert_arrived(&scene, EventType::Message, &[events, newest].concat());
}

#[tokio::test]
async fn a_busy_stream_is_left_once_it_has_caught_up() {
    let (scene, events) = settled().await;
    scene.advance(9);
    let old = scene.give_events(&messages(), this_hour(), from_minute(this_hour(), 51, 60));
    // One with a time that is ahead does not end the session; three of the present do.
    let event = |n: i64| {
        event_at(&format!("now-{n}"), scene.now() + SignedDuration::from_secs(n), scene.now())
    };
    scene.source.add(&messages(), (0..3).map(event));
    let mut run = scene.a_run();
    run.settings.source.live_quiet = Duration::from_secs(280);
    let report = scene.run_as(run).await;
    let report = of_feed(&report, &messages());
    assert_eq!(ends(report), [("live caught up", 1)]);
    assert_eq!(report.counts.delivered, 63);
    assert_eq!(scene.rows(EventType::Message).len(), events.len() + old.len() + 3);
    assert_eq!(scene.sessions(&messages()).dropped, 0);
}

#[tokio::test]
async fn an_hour_that_lacks_what_live_brought_is_read_again() {
    let cases = [
        (1, SessionFault::SkipEvery(1), 60),
        (7, SessionFault::SkipEvery(2), 0),
        (200, SessionFault::SkipEvery(2), 0),
    ];
    for (count, fault, wait) in cases {
        let (scene, before) = settled().await;
        let live = scene.give_events(&messages(), this_hour(), from_minute(this_hour(), 40, count));
        scene.run_well().await;
        let archived = scene.give_events(&messages(), this_hour(), from_minute(this_hour(), 20, 4));
        scene.advance(60);
        // The archive says that it is all, and leaves out events.
        scene.simulation.pod.inject_archive(&messages(), [fault]);
        let report = scene.run_well().await;
        assert_eq!(of_feed(&report, &messages()).hours_done, [], "{count}");
        scene.advance(wait);
        let report = scene.run_well().await;
        assert_eq!(of_feed(&report, &messages()).hours_done, [this_hour()]);
        assert_eq!(of_feed(&report, &messages()).hours_believed, []);
        assert_arrived(&scene, EventType::Message, &[before, live, archived].concat());
    }
}
