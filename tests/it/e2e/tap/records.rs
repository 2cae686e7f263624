//! Records arrive once, whatever calls bring.

use proofpoint_sentinel_core::tap_kind::TapKind;
use proofpoint_sentinel_simulator::DestinationApi;

use super::{
    assert_arrived, give, of_account, of_each_kind, record, rows, run_for, tap_alone, time,
};
use crate::e2e::fixture::Scene;

#[tokio::test]
async fn each_kind_arrives_in_its_table_once() {
    for destination in [DestinationApi::LogsIngestion, DestinationApi::DataCollector] {
        for count in [1, 7, 800] {
            let scene = tap_alone().destination(destination).start().await;
            let records = of_each_kind("r", time("10:20:00"), count);
            give(&scene, &records);
            let report = scene.run_well().await;
            assert_eq!(of_account(&report).counts.delivered, 4 * count as u64);
            if destination == DestinationApi::LogsIngestion {
                assert_arrived(&scene, &records);
            }
            run_for(&scene, 180).await;
            for kind in TapKind::ALL {
                assert_eq!(rows(&scene, kind).len(), count, "{kind} after re-reads");
            }
        }
    }
}

#[tokio::test]
async fn nothing_arrives_from_an_empty_account() {
    let scene = tap_alone().start().await;
    for _ in 0..3 {
        let report = scene.run_well().await;
        assert_eq!(of_account(&report).counts.events, 0);
        scene.advance(30);
    }
}

#[tokio::test]
async fn a_changed_verdict_is_a_new_row() {
    for kind in TapKind::ALL {
        let scene = tap_alone().start().await;
        let active = record(kind, "a", time("10:40:00"), "active");
        give(&scene, std::slice::from_ref(&active));
        run_for(&scene, 20).await;
        let now = scene.now();
        let cleared = record(kind, "a", now, "cleared");
        let again = record(kind, "a", now, "cleared");
        give(&scene, &[cleared.clone(), again]);
        run_for(&scene, 180).await;
        assert_arrived(&scene, &[active, cleared]);
    }
}

#[tokio::test]
async fn false_positives_arrive_if_they_are_wanted() {
    for (statuses, arrives) in
        [("active,cleared,falsePositive", true), ("active,cleared", false), ("falsePositive", true)]
    {
        let scene = tap_alone().set("TapThreatStatus", statuses).start().await;
        let found = record(TapKind::ClicksPermitted, "f", time("10:30:00"), "falsePositive");
        give(&scene, std::slice::from_ref(&found));
        run_for(&scene, 180).await;
        let expected = if arrives { vec![found] } else { Vec::new() };
        assert_arrived(&scene, &expected);
    }
}

#[tokio::test]
async fn records_up_to_half_an_hour_late_arrive_once() {
    let scene: Scene = tap_alone().start().await;
    let mut records = Vec::new();
    for minute in 0..60 {
        let at = time(&format!("10:{minute:02}:00"));
        let late = jiff::SignedDuration::from_mins(i64::from(minute * 7 % 31));
        let name = format!("l-{minute}");
        records.push(record(TapKind::MessagesBlocked, &name, at, "active").indexed_at(at + late));
    }
    give(&scene, &records);
    run_for(&scene, 180).await;
    assert_arrived(&scene, &records);
}
