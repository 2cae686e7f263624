//! A machine whose clock is wrong for a while. The clocks of the others are right.

use std::time::Duration;

use jiff::SignedDuration;
use proofpoint_sentinel::collect::Run;
use proofpoint_sentinel::report::RunReport;
use proofpoint_sentinel_core::clock::Clock;
use proofpoint_sentinel_core::feed::EventType;
use proofpoint_sentinel_core::hour::Hour;
use proofpoint_sentinel_simulator::workspace::{PostFault, ResponseGate};
use tokio::time::Instant;

use crate::e2e::fixture::{Scene, failure, last_hour, messages, soon};
use crate::e2e::row_assertions::assert_arrived;
use crate::e2e::test_events;

/// In hours.
const MONTH: i64 = 24 * 30;

/// A run whose clock is so many hours ahead, or behind. There may be weeks for it to read.
async fn run_ahead(scene: &Scene, hours: i64) -> RunReport {
    let clock = Clock::held(scene.now() + SignedDuration::from_hours(hours));
    let run = Run { clock, ..scene.a_run() };
    let reading_ends = match hours {
        MONTH.. => Instant::now() + Duration::from_secs(1),
        _ => run.reading_ends,
    };
    scene.run_as(Run { reading_ends, ..run }).await
}

/// A scene whose archive gives what it has of an hour that is not over.
async fn hasty() -> Scene {
    Scene::of().pod(|pod| pod.archive_delay = SignedDuration::from_hours(-1)).start().await
}

/// The hour that is not over when a scene begins.
fn current_hour() -> Hour {
    last_hour().plus(1)
}

#[tokio::test]
async fn hours_read_by_a_fast_clock_are_read_again() {
    // Longer than the ledger is kept, and than Proofpoint keeps events.
    for ahead in [80, 12 * MONTH] {
        let scene = hasty().await;
        let mut events = scene.give(&messages(), last_hour(), 5);
        scene.run_well().await;
        let current = test_events::small(&messages(), current_hour(), 6);
        events.extend(scene.give_events(&messages(), current_hour(), current[..3].to_vec()));
        for _ in 0..2 {
            run_ahead(&scene, ahead).await;
            scene.advance(30);
        }
        let reached = scene.checkpoint(&messages()).await.unwrap().next_hour;
        assert!(reached > current_hour().plus(2), "{ahead} hours ahead: {reached}");

        events.extend(scene.give_events(&messages(), current_hour(), current[3..].to_vec()));
        events.extend(scene.give(&messages(), current_hour().plus(1), 4));
        scene.advance(60);
        assert!(scene.run().await.is_success(), "{ahead} hours ahead");
        assert_arrived(&scene, EventType::Message, &events);
        let checkpoint = scene.checkpoint(&messages()).await.unwrap();
        assert_eq!(checkpoint.next_hour, current_hour().plus(2), "{ahead} hours ahead");
        assert_eq!(checkpoint.lost, [], "{ahead} hours ahead");
    }
}

#[tokio::test]
async fn the_second_read_brings_what_a_fast_clock_missed() {
    let scene = hasty().await;
    let current = test_events::small(&messages(), current_hour(), 6);
    scene.give_events(&messages(), current_hour(), current[..3].to_vec());
    run_ahead(&scene, 1).await;
    assert_arrived(&scene, EventType::Message, &current[..3]);

    scene.give_events(&messages(), current_hour(), current[3..].to_vec());
    // From 10:50 to 17:00, six hours after the hour's end.
    scene.advance(370);
    let report = scene.run().await;
    assert_eq!(report.feeds[0].hours_checked, [current_hour()]);
    assert_arrived(&scene, EventType::Message, &current);
}

#[tokio::test]
async fn a_feed_that_began_with_a_clock_that_was_ahead_misses_nothing() {
    let scene = Scene::new().await;
    run_ahead(&scene, 10).await;
    let events = scene.give(&messages(), last_hour(), 5);
    scene.run().await;
    assert_arrived(&scene, EventType::Message, &events);
}

#[tokio::test]
async fn a_slow_clock_is_reported_and_nothing_is_read() {
    let scene = Scene::new().await;
    let mut events = scene.give(&messages(), last_hour(), 5);
    scene.run_well().await;
    for behind in [-3, -240 * MONTH] {
        let text = failure(&run_ahead(&scene, behind).await, &messages());
        assert!(text.starts_with("this machine's clock is behind: it shows 20"), "{text}");
        assert!(text.contains("what came before 2026-11-20T10:00:00Z has been read"), "{text}");
    }
    assert_eq!(scene.sessions(&messages()).opened, 1);

    scene.advance(60);
    events.extend(scene.give(&messages(), last_hour().plus(1), 5));
    assert_eq!(scene.run_well().await.feeds[0].hours_done, [last_hour().plus(1)]);
    assert_arrived(&scene, EventType::Message, &events);
}

#[tokio::test]
async fn a_clock_that_is_put_back_during_a_run_costs_a_second_reading() {
    let scene = Scene::new().await;
    let events = scene.give(&messages(), last_hour(), 5);
    let gate = ResponseGate::default();
    scene.simulation.workspace.inject([PostFault::Hold(gate.clone())]);
    let clock = Clock::held(scene.now());
    let run = Run { clock: clock.clone(), ..scene.a_run() };
    let put_back = async {
        scene.simulation.workspace.wait_for(|counters| counters.in_flight == 1).await;
        clock.advance(SignedDuration::from_hours(-3));
        gate.open();
    };
    let (report, ()) = tokio::join!(scene.run_as(run), soon(put_back));
    let text = failure(&report, &messages());
    assert!(text.contains("clock is behind: it shows 2026-11-20T07:50:00Z"), "{text}");

    let report = scene.run_well().await;
    assert_eq!(report.feeds[0].hours_done, [last_hour()]);
    assert_eq!(report.feeds[0].counts.duplicates, 5);
    assert_arrived(&scene, EventType::Message, &events);
}
