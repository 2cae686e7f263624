//! Events that one of the halves lacks, or that are late.

use bytes::Bytes;
use jiff::SignedDuration;
use proofpoint_sentinel_core::feed::EventType;
use proofpoint_sentinel_simulator::pod::{SessionFault, SourceEvent};

use crate::e2e::fixture::{Scene, from_minute, last_hour, messages, of_feed, this_hour};
use crate::e2e::row_assertions::assert_arrived;

/// Events of the last hour that reach Proofpoint's log so many minutes from now.
fn give_late(scene: &Scene, minutes: i64) -> Vec<Bytes> {
    let events = from_minute(last_hour(), 20, 3);
    let arrives = scene.now() + SignedDuration::from_mins(minutes);
    let late = |event: &Bytes| SourceEvent {
        arrives_at: arrives,
        ..SourceEvent::new(event.clone(), last_hour())
    };
    scene.source.add(&messages(), events.iter().map(late));
    events
}

#[tokio::test]
async fn live_brings_a_late_event_and_the_second_read_not_again() {
    let scene = Scene::hybrid().start().await;
    let timely = scene.give(&messages(), last_hour(), 5);
    let late = give_late(&scene, 3 * 60);
    for _ in 0..4 {
        scene.run_well().await;
        scene.advance(60);
    }
    let events = [timely, late].concat();
    assert_arrived(&scene, EventType::Message, &events);
    scene.advance(90);
    let report = scene.run_well().await;
    let report = of_feed(&report, &messages());
    assert_eq!(report.hours_checked, [last_hour()]);
    assert_eq!((report.counts.duplicates, report.repaired), (8, 0));
    assert_arrived(&scene, EventType::Message, &events);
}

#[tokio::test]
async fn a_late_event_that_the_archive_has_comes_with_its_hour() {
    let scene = Scene::new().await;
    let timely = scene.give(&messages(), last_hour(), 5);
    // The archive has what came until half an hour ago.
    let late = give_late(&scene, -31);
    assert_eq!(scene.run_well().await.feeds[0].hours_done, [last_hour()]);
    assert_arrived(&scene, EventType::Message, &[timely, late].concat());
}

#[tokio::test]
async fn the_second_read_alone_brings_an_event_hours_late() {
    let scene = Scene::new().await;
    let timely = scene.give(&messages(), last_hour(), 5);
    let late = give_late(&scene, 3 * 60);
    assert_eq!(scene.run_well().await.feeds[0].hours_done, [last_hour()]);
    assert_arrived(&scene, EventType::Message, &timely);
    // Six hours after the hour's end.
    scene.advance(5 * 60 + 10);
    let report = scene.run_well().await;
    assert_eq!(report.feeds[0].hours_checked, [last_hour()]);
    assert_eq!((report.feeds[0].repaired, report.feeds[0].counts.duplicates), (3, 5));
    assert_arrived(&scene, EventType::Message, &[timely, late].concat());
}

#[tokio::test]
async fn an_event_later_than_the_second_read_is_missed() {
    let scene = Scene::new().await;
    let timely = scene.give(&messages(), last_hour(), 5);
    give_late(&scene, 6 * 60);
    scene.run_well().await;
    scene.advance(5 * 60 + 10);
    assert_eq!(scene.run_well().await.feeds[0].hours_checked, [last_hour()]);
    scene.advance(24 * 60);
    scene.run().await;
    assert_arrived(&scene, EventType::Message, &timely);
}

#[tokio::test]
async fn the_second_read_finds_what_the_first_read_lacks() {
    let scene = Scene::new().await;
    let events = scene.give(&messages(), last_hour(), 20);
    scene.simulation.pod.inject(&messages(), [SessionFault::SkipEvery(5)]);
    let report = scene.run_well().await;
    assert_eq!(
        (&report.feeds[0].hours_done[..], report.feeds[0].counts.delivered),
        (&[last_hour()][..], 16)
    );
    scene.advance(5 * 60 + 10);
    let report = scene.run_well().await;
    assert_eq!((report.feeds[0].repaired, report.feeds[0].counts.duplicates), (4, 16));
    assert_arrived(&scene, EventType::Message, &events);
}

#[tokio::test]
async fn live_moves_past_what_it_leaves_out_and_the_archive_brings_it() {
    let scene = Scene::hybrid().start().await;
    let events = scene.give_events(&messages(), this_hour(), from_minute(this_hour(), 10, 20));
    scene.simulation.pod.inject_live(&messages(), [SessionFault::SkipEvery(5)]);
    let report = scene.run_well().await;
    assert_eq!(of_feed(&report, &messages()).counts.delivered, 16);
    scene.advance(60);
    let report = scene.run_well().await;
    assert_eq!(of_feed(&report, &messages()).repaired, 4);
    assert_arrived(&scene, EventType::Message, &events);
}

#[tokio::test]
async fn the_second_read_finds_a_falsely_empty_hour() {
    let scene = Scene::new().await;
    let events = scene.give(&messages(), last_hour(), 5);
    for _ in 0..3 {
        scene.simulation.pod.inject(&messages(), [SessionFault::FalseEmpty]);
        scene.run().await;
        scene.advance(60);
    }
    let checkpoint = scene.checkpoint(&messages()).await.unwrap();
    assert_eq!(checkpoint.second.first(), Some(&last_hour()), "it counts as done and empty");
    // From 13:50 to the second reading, six hours after the hour's end.
    scene.advance(130);
    let report = scene.run_well().await;
    assert_eq!(
        (&report.feeds[0].hours_checked[..], report.feeds[0].repaired),
        (&[last_hour()][..], 5)
    );
    assert_arrived(&scene, EventType::Message, &events);
}

#[tokio::test]
async fn a_falsely_empty_hour_takes_nothing_from_what_live_brought() {
    let scene = Scene::hybrid().start().await;
    let events = scene.give_events(&messages(), this_hour(), from_minute(this_hour(), 10, 20));
    scene.run_well().await;
    scene.advance(55);
    scene.simulation.pod.inject_archive(&messages(), [SessionFault::FalseEmpty]);
    let report = scene.run_well().await;
    assert_eq!(of_feed(&report, &messages()).hours_done, []);
    assert_arrived(&scene, EventType::Message, &events);
    scene.advance(60);
    let report = scene.run_well().await;
    assert!(of_feed(&report, &messages()).hours_done.contains(&this_hour()));
    assert_arrived(&scene, EventType::Message, &events);
}
