//! Faults of calls and of records.

use proofpoint_sentinel::report::FeedOutcome;
use proofpoint_sentinel::state::DeadLetterReason;
use proofpoint_sentinel_core::tap_kind::TapKind;
use proofpoint_sentinel_simulator::TAP_PRINCIPAL;
use proofpoint_sentinel_simulator::tap::{CallFault, TapResponse};
use proofpoint_sentinel_simulator::workspace::{ApiResponse, PostFault};

use super::{
    account, assert_arrived, body, give, of_account, of_each_kind, run_for, service, some,
    tap_alone, time,
};
use crate::e2e::fixture::Scene;

/// What every account heals from, whichever calls it hits.
fn passing_faults() -> Vec<CallFault> {
    let status = |status: u16| CallFault::Reply(TapResponse::new(status, ""));
    vec![
        status(500),
        status(503),
        status(400),
        CallFault::Reset,
        CallFault::CutWithinRecord(0),
        CallFault::CutWithinRecord(1),
        CallFault::CutWithinRecord(30),
        CallFault::EndWithinRecord(0),
        CallFault::EndWithinRecord(5),
        CallFault::MissingArrays,
        CallFault::NoQueryEndTime,
        CallFault::Trickle(20_000),
        CallFault::UnknownArray("clicksReported".to_owned(), vec![body("{}"), body("{}")]),
    ]
}

#[tokio::test]
async fn no_fault_of_a_call_loses_or_repeats_a_record() {
    for fault in passing_faults() {
        for times in [1, 4] {
            let scene = tap_alone().start().await;
            let records = of_each_kind("f", time("10:20:00"), 7);
            give(&scene, &records);
            let faults = std::iter::repeat_n(fault.clone(), times);
            service(&scene).inject(TAP_PRINCIPAL, faults);
            let report = run_for(&scene, 240).await;
            assert_eq!(of_account(&report).outcome, FeedOutcome::UpToDate, "{fault:?}");
            assert_arrived(&scene, &records);
        }
    }
}

#[tokio::test]
async fn a_wrong_credential_is_told_and_spends_one_call() {
    for (status, setting) in [(401, "TapServicePrincipal"), (403, "enable")] {
        let scene = tap_alone().start().await;
        let refusal = CallFault::Reply(TapResponse::new(status, ""));
        service(&scene).inject(TAP_PRINCIPAL, [refusal]);
        let report = scene.run().await;
        match &of_account(&report).outcome {
            FeedOutcome::Failed { reason, .. } => assert!(reason.contains(setting), "{reason}"),
            other => panic!("{other:?}"),
        }
        assert_eq!(of_account(&report).calls.expect("it is known").used, 1);
    }
}

#[tokio::test]
async fn a_member_that_is_no_record_is_a_dead_letter_once() {
    for member in ["7", "\"text\"", "[1, 2]", "null"] {
        let scene = tap_alone().start().await;
        let records = of_each_kind("m", time("10:20:00"), 3);
        give(&scene, &records);
        for _ in 0..3 {
            let fault = CallFault::Member(body(member));
            service(&scene).inject(TAP_PRINCIPAL, [fault]);
            scene.run().await;
            scene.advance(5);
        }
        assert_arrived(&scene, &records);
        let letters = scene.dead_letters(DeadLetterReason::Malformed, &account());
        assert_eq!(letters.len(), 4, "{member}: one for each array");
        for letter in letters {
            let text = String::from_utf8(letter.event).expect("it is text");
            assert!(text.starts_with("{\"") && text.ends_with(&format!("[{member}]}}")), "{text}");
        }
    }
}

#[tokio::test]
async fn a_workspace_that_takes_nothing_loses_no_record() {
    let scene = tap_alone().start().await;
    let records = of_each_kind("w", time("10:20:00"), 20);
    give(&scene, &records);
    let refused = || PostFault::Reply(ApiResponse::status(404));
    scene.simulation.workspace.inject((0..3).map(|_| refused()));
    for _ in 0..3 {
        let report = scene.run().await;
        assert!(matches!(of_account(&report).outcome, FeedOutcome::Failed { .. }));
        scene.advance(5);
    }
    run_for(&scene, 180).await;
    assert_arrived(&scene, &records);
}

#[tokio::test]
async fn a_post_whose_answer_is_lost_is_all_that_repeats() {
    let scene: Scene = tap_alone().start().await;
    let records = some(TapKind::MessagesDelivered, "p", time("10:20:00"), 5);
    give(&scene, &records);
    service(&scene).inject(TAP_PRINCIPAL, [CallFault::CutWithinRecord(3)]);
    scene.run().await;
    scene.advance(5);
    run_for(&scene, 180).await;
    assert_arrived(&scene, &records);
}

#[tokio::test]
async fn a_page_of_a_proxy_is_not_taken_for_an_answer() {
    let scene = tap_alone().start().await;
    let records = of_each_kind("h", time("10:20:00"), 2);
    give(&scene, &records);
    let page = TapResponse::new(200, "<html>Sign in</html>");
    service(&scene).inject(TAP_PRINCIPAL, [CallFault::Reply(page)]);
    let report = scene.run().await;
    assert!(matches!(of_account(&report).outcome, FeedOutcome::Failed { .. }));
    run_for(&scene, 180).await;
    assert_arrived(&scene, &records);
}
