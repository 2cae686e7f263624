//! TAP beside the Log API and without it, and accounts beside each other.

use proofpoint_sentinel::report::FeedOutcome;
use proofpoint_sentinel_core::feed::EventType;
use proofpoint_sentinel_core::tap_kind::TapKind;
use proofpoint_sentinel_simulator::TAP_PRINCIPAL;
use proofpoint_sentinel_simulator::tap::{CallFault, CallPool, TapCredential, TapResponse};

use super::{account, assert_arrived, give, of_account, run_for, service, some, tap_alone, time};
use crate::e2e::fixture::{Scene, last_hour, messages};
use crate::e2e::row_assertions::assert_arrived as assert_events_arrived;

#[tokio::test]
async fn both_sources_are_collected_in_one_run() {
    for mode in ["archive", "hybrid"] {
        let scene = Scene::of().with_tap().set("ProofpointMode", mode).start().await;
        let events = scene.give(&messages(), last_hour(), 10);
        let records = some(TapKind::ClicksBlocked, "c", time("10:30:00"), 10);
        give(&scene, &records);
        scene.run_well().await;
        assert_events_arrived(&scene, EventType::Message, &events);
        assert_arrived(&scene, &records);
    }
}

#[tokio::test]
async fn a_setting_of_one_source_does_not_stop_the_other() {
    for (name, value, is_log_at_fault) in [
        ("ProofpointMode", "sometimes", true),
        ("ProofpointToken", "Bearer x", true),
        ("ProofpointLogStreamUri", "http://example.com", true),
        ("TapIntervalSeconds", "5", false),
        ("TapSecret", "with blanks", false),
        ("TapBaseUri", "http://example.com", false),
        ("TapThreatStatus", "expired", false),
    ] {
        let scene = Scene::of().with_tap().set(name, value).start().await;
        let events = scene.give(&messages(), last_hour(), 3);
        let records = some(TapKind::ClicksBlocked, "c", time("10:30:00"), 3);
        give(&scene, &records);
        let report = scene.run().await;
        let tap = of_account(&report);
        let log = report.feeds.iter().find(|feed| feed.feed != tap.feed).expect("the cluster");
        let (bad, good) = if is_log_at_fault { (log, tap) } else { (tap, log) };
        assert_eq!(good.outcome, FeedOutcome::UpToDate, "{name}");
        match &bad.outcome {
            FeedOutcome::Failed { reason, .. } => assert!(reason.contains(name), "{reason}"),
            other => panic!("{name}: {other:?}"),
        }
        if is_log_at_fault {
            assert_arrived(&scene, &records);
        } else {
            assert_events_arrived(&scene, EventType::Message, &events);
        }
    }
}

#[tokio::test]
async fn a_service_that_is_down_does_not_stop_the_log() {
    let scene = Scene::of().with_tap().set("TapBaseUri", "https://localhost:1").start().await;
    let events = scene.give(&messages(), last_hour(), 3);
    let report = scene.run().await;
    assert!(matches!(of_account(&report).outcome, FeedOutcome::Failed { .. }));
    assert_events_arrived(&scene, EventType::Message, &events);
}

#[tokio::test]
async fn two_accounts_have_progress_and_calls_of_their_own() {
    const OTHER: &str = "principal-of-another";
    let other = TapCredential::new(OTHER, "secret-of-another");
    let scene = tap_alone().tap(|tap| tap.credentials.push(other)).start().await;
    let records = some(TapKind::ClicksBlocked, "one", time("10:30:00"), 3);
    give(&scene, &records);
    let others = some(TapKind::ClicksBlocked, "other", time("10:30:00"), 4);
    scene.records.add(OTHER, others.clone());
    let refused = CallFault::Reply(TapResponse::unauthorized());
    service(&scene).inject(OTHER, [refused]);
    let report = scene.run().await;
    let failed: Vec<&str> = report
        .feeds
        .iter()
        .filter(|feed| matches!(feed.outcome, FeedOutcome::Failed { .. }))
        .map(|feed| feed.feed.as_str())
        .collect();
    assert_eq!(failed, ["2-tap"]);
    assert_arrived(&scene, &records);
    scene.advance(12);
    let report = run_for(&scene, 180).await;
    assert_arrived(&scene, &[records, others].concat());
    for feed in &report.feeds {
        assert_eq!(feed.outcome, FeedOutcome::UpToDate, "{feed}");
        let calls = service(&scene).calls_used(principal(&feed.feed), CallPool::Shared);
        assert_eq!(feed.calls.map(|it| it.used as usize), Some(calls), "{feed}");
    }
    fn principal(feed: &str) -> &'static str {
        if feed == "2-tap" { OTHER } else { TAP_PRINCIPAL }
    }
}

#[tokio::test]
async fn an_account_that_another_run_has_is_left_alone() {
    let scene = tap_alone().start().await;
    let records = some(TapKind::ClicksBlocked, "l", time("10:30:00"), 3);
    give(&scene, &records);
    let lease = scene.open_state().await.lease(&account()).await.expect("nobody has it");
    let report = scene.run().await;
    assert_eq!(of_account(&report).outcome, FeedOutcome::OwnedElsewhere);
    assert_eq!(service(&scene).calls(), []);
    lease.release().await.expect("it can be given back");
    scene.run_well().await;
    assert_arrived(&scene, &records);
}
