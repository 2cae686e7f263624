//! The budget of calls.

use proofpoint_sentinel::report::FeedOutcome;
use proofpoint_sentinel_core::tap_kind::TapKind;
use proofpoint_sentinel_simulator::TAP_PRINCIPAL;
use proofpoint_sentinel_simulator::tap::CallPool;
use serde_json::{Value, json};

use super::{account, assert_arrived, give, of_account, run_for, service, some, tap_alone, time};

#[tokio::test]
async fn calls_are_made_at_the_interval_and_not_more_often() {
    for (interval, most) in [("300", 12 + 4), ("600", 6 + 4), ("3600", 1 + 5)] {
        let scene = tap_alone().set("TapIntervalSeconds", interval).start().await;
        scene.run_well().await;
        let before = service(&scene).calls().len();
        for _ in 0..60 {
            scene.advance(1);
            scene.run().await;
        }
        let made = service(&scene).calls().len() - before;
        assert!(made <= most, "{made} calls in an hour at {interval}");
    }
}

#[tokio::test]
async fn a_budget_that_others_spent_is_told_and_left_alone() {
    let scene = tap_alone().start().await;
    let records = some(TapKind::ClicksPermitted, "b", time("10:20:00"), 4);
    give(&scene, &records);
    let earlier = scene.now() - jiff::SignedDuration::from_hours(23);
    service(&scene).spend_calls(TAP_PRINCIPAL, CallPool::Shared, earlier, 1_800);
    let report = scene.run().await;
    match &of_account(&report).outcome {
        FeedOutcome::Failed { code, .. } => assert_eq!(code.to_string(), "PPS2108"),
        other => panic!("{other:?}"),
    }
    let asked = service(&scene).calls().len();
    scene.advance(1);
    let report = scene.run().await;
    assert_eq!(service(&scene).calls().len(), asked, "it is left alone for some minutes");
    let calls = of_account(&report).calls.expect("they are known");
    assert!(calls.waits_until.is_some_and(|until| until > scene.now()));
    run_for(&scene, 240).await;
    assert_arrived(&scene, &records);
}

#[tokio::test]
async fn calls_that_are_spent_wait_and_lose_nothing() {
    let scene = tap_alone().start().await;
    scene.run_well().await;
    let path = scene.checkpoint_path(&account());
    let stored = std::fs::read_to_string(&path).expect("there is a checkpoint");
    let mut stored: Value = serde_json::from_str(&stored).expect("it is JSON");
    stored["progress"]["calls"] = json!({ "2026-11-20T10:30:00Z": 1_800 });
    std::fs::write(&path, stored.to_string()).expect("it can be written");
    let records = some(TapKind::ClicksPermitted, "b", time("10:55:00"), 4);
    give(&scene, &records);
    let asked = service(&scene).calls().len();
    scene.advance(12);
    let report = run_for(&scene, 20 * 60).await;
    assert_eq!(service(&scene).calls().len(), asked, "no call is left");
    match &of_account(&report).outcome {
        FeedOutcome::Failed { code, .. } => assert_eq!(code.to_string(), "PPS2116"),
        other => panic!("{other:?}"),
    }
    let calls = of_account(&report).calls.expect("they are known");
    assert_eq!(calls.used, 1_800);
    let returns = calls.waits_until.expect("it says when room returns");
    scene.clock.advance(returns.duration_since(scene.now()));
    run_for(&scene, 180).await;
    assert_arrived(&scene, &records);
}

#[tokio::test]
async fn a_run_without_a_call_writes_no_checkpoint() {
    let scene = tap_alone().set("TapIntervalSeconds", "3600").start().await;
    scene.run_well().await;
    scene.run_well().await;
    let path = scene.checkpoint_path(&account());
    let stored = || std::fs::read_to_string(&path).expect("there is a checkpoint");
    let (asked, before) = (service(&scene).calls().len(), stored());
    for _ in 0..3 {
        scene.advance(1);
        scene.run_well().await;
        assert_eq!((service(&scene).calls().len(), stored()), (asked, before.clone()));
    }
    scene.advance(60);
    scene.run_well().await;
    assert_ne!(stored(), before);
}
