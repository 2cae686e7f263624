//! Answers that are refusals, late, cut or long.

use std::collections::BTreeSet;
use std::time::Duration;

use proofpoint_sentinel::report::{FeedOutcome, RunReport};
use proofpoint_sentinel_core::hour::Hour;
use proofpoint_sentinel_core::tap_kind::TapKind;
use proofpoint_sentinel_simulator::TAP_PRINCIPAL;
use proofpoint_sentinel_simulator::tap::{CallFault, TapResponse};
use tokio::time::Instant;

use super::{
    assert_arrived, give, of_account, of_each_kind, rows, run_for, service, tap_alone, time,
};
use crate::e2e::fixture::Scene;

#[track_caller]
fn assert_failed(report: &RunReport, code: &str) {
    match &of_account(report).outcome {
        FeedOutcome::Failed { code: found, .. } => assert_eq!(found.to_string(), code),
        other => panic!("{code}: {other:?}"),
    }
}

fn inject(scene: &Scene, faults: impl IntoIterator<Item = CallFault>) {
    service(scene).inject(TAP_PRINCIPAL, faults);
}

#[tokio::test]
async fn each_refusal_of_a_call_is_told_and_passes() {
    for (refusal, code) in [
        (TapResponse::too_short(), "PPS2104"),
        (TapResponse::still_current(), "PPS2102"),
        (TapResponse::new(400, ""), "PPS2101"),
        (TapResponse::new(400, "The threatStatus is not known"), "PPS2101"),
        (TapResponse::throttled(), "PPS2108"),
        (TapResponse::new(404, ""), "PPS2107"),
        (TapResponse::html(200), "PPS2113"),
        (TapResponse::html(502), "PPS2109"),
        (TapResponse::new(503, ""), "PPS2109"),
    ] {
        let scene = tap_alone().start().await;
        let records = of_each_kind("t", time("10:20:00"), 3);
        give(&scene, &records);
        inject(&scene, [CallFault::Reply(refusal)]);
        assert_failed(&scene.run().await, code);
        scene.advance(12);
        let report = run_for(&scene, 240).await;
        assert_eq!(of_account(&report).outcome, FeedOutcome::UpToDate, "{code}");
        assert_arrived(&scene, &records);
    }
}

#[tokio::test]
async fn hours_that_proofpoint_no_longer_has_are_lost_by_name() {
    let scene = tap_alone().set("TapInitialLookbackHours", "6").start().await;
    let records = of_each_kind("n", time("09:20:00"), 3);
    give(&scene, &records);
    let gone: Hour = "2026-11-20T06".parse().unwrap();
    let fault = CallFault::Reply(TapResponse::too_far());
    service(&scene).set_hour_fault(TAP_PRINCIPAL, gone, Some(fault));
    let report = scene.run().await;
    let hours: Vec<Hour> = Hour::through("2026-11-20T04".parse().unwrap(), gone).collect();
    assert_eq!(of_account(&report).hours_lost, hours[2..], "hours before it were read");
    assert_failed(&report, "PPS2103");
    assert_arrived(&scene, &records);
}

#[tokio::test]
async fn a_secret_that_is_corrected_loses_no_record() {
    let scene = tap_alone().start().await;
    let records = of_each_kind("s", time("10:20:00"), 3);
    give(&scene, &records);
    for _ in 0..5 {
        let mut run = scene.a_run();
        run.settings = scene.settings_with("TapSecret", "another");
        assert_failed(&scene.run_as(run).await, "PPS2105");
        scene.advance(24 * 60);
    }
    run_for(&scene, 180).await;
    assert_arrived(&scene, &records);
}

#[tokio::test]
async fn an_answer_that_does_not_come_ends_with_the_run() {
    for fault in [CallFault::Hang, CallFault::StallWithinRecord(0), CallFault::StallWithinRecord(9)]
    {
        let scene = tap_alone().start().await;
        let records = of_each_kind("h", time("10:20:00"), 5);
        give(&scene, &records);
        inject(&scene, [fault.clone()]);
        let mut run = scene.a_run();
        run.reading_ends = Instant::now() + Duration::from_secs(1);
        let report = scene.run_as(run).await;
        assert_eq!(of_account(&report).outcome, FeedOutcome::Unfinished, "{fault:?}");
        scene.advance(5);
        run_for(&scene, 180).await;
        assert_arrived(&scene, &records);
    }
}

#[tokio::test]
async fn cuts_at_many_places_over_many_runs_lose_nothing() {
    let scene = tap_alone().start().await;
    let records = of_each_kind("c", time("10:20:00"), 6);
    give(&scene, &records);
    for number in 0..24 {
        let faults = [
            CallFault::CutWithinRecord(number),
            CallFault::EndWithinRecord(23 - number),
            CallFault::CutWithinRecord(number / 2),
        ];
        inject(&scene, faults);
        scene.run().await;
        scene.advance(5);
    }
    service(&scene).clear_faults();
    let report = run_for(&scene, 240).await;
    assert_eq!(of_account(&report).outcome, FeedOutcome::UpToDate);
    assert_arrived(&scene, &records);
}

#[tokio::test]
async fn a_body_of_20_megabytes_arrives_whole_and_once() {
    const COUNT: usize = 16_000;
    let scene = tap_alone().set("TapInitialLookbackHours", "3").start().await;
    let records = of_each_kind("b", time("08:20:00"), 2);
    give(&scene, &records);
    let hour: Hour = "2026-11-20T08".parse().unwrap();
    let all = CallFault::Huge(COUNT as u64);
    service(&scene).set_hour_fault(TAP_PRINCIPAL, hour, Some(all));
    scene.run().await;
    scene.advance(60);
    run_for(&scene, 60).await;
    let counters = service(&scene).counters();
    assert!(counters.body_bytes > 20_000_000, "{}", counters.body_bytes);
    let mut arrived = 0;
    for kind in TapKind::ALL {
        let rows = rows(&scene, kind);
        let ids: BTreeSet<&str> = rows.iter().filter_map(|row| row["id"].as_str()).collect();
        assert_eq!(ids.len(), rows.len(), "{kind}: a record came twice");
        arrived += rows.len();
    }
    assert_eq!(arrived, COUNT + records.len());
}
