//! The budget of calls.

use proofpoint_sentinel::report::FeedOutcome;
use proofpoint_sentinel_core::tap_kind::TapKind;
use proofpoint_sentinel_simulator::TAP_PRINCIPAL;
use proofpoint_sentinel_simulator::tap::CallPool;

use super::{assert_arrived, give, of_account, run_for, service, some, tap_alone, time};

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
