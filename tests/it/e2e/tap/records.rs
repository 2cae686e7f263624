//! Records arrive once, whatever calls bring.

use jiff::SignedDuration;
use proofpoint_sentinel_core::tap_kind::TapKind;
use proofpoint_sentinel_simulator::DestinationApi;
use proofpoint_sentinel_simulator::tap::TapRecord;
use serde_json::json;

use super::{
    assert_arrived, give, of_account, of_each_kind, record, rows, run_for, service, tap_alone, time,
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
        let late = SignedDuration::from_mins(i64::from(minute * 7 % 31));
        let name = format!("l-{minute}");
        records.push(record(TapKind::MessagesBlocked, &name, at, "active").indexed_at(at + late));
    }
    give(&scene, &records);
    run_for(&scene, 180).await;
    assert_arrived(&scene, &records);
}

#[tokio::test]
async fn a_record_found_later_comes_with_its_closed_hour() {
    let scene: Scene = tap_alone().start().await;
    let at = time("10:58:00");
    let found = at + SignedDuration::from_mins(55);
    let late = record(TapKind::ClicksPermitted, "late", at, "active").indexed_at(found);
    give(&scene, std::slice::from_ref(&late));
    run_for(&scene, 60).await;
    assert_arrived(&scene, &[]);
    let mut repaired = 0;
    for _ in 0..15 {
        scene.advance(5);
        repaired += of_account(&scene.run_well().await).repaired;
    }
    assert_eq!(repaired, 1);
    assert_arrived(&scene, &[late]);
}

#[tokio::test]
async fn lists_in_another_order_make_no_other_record() {
    let scene = tap_alone().start().await;
    let at = time("10:40:00");
    let threat = |number: usize| json!({"threatID": format!("t{number}"), "threatStatus": "active", "threatTime": at});
    let part = |number: usize| json!({"md5": format!("m{number}"), "filename": "f"});
    let body = |number: usize| {
        json!({
            "id": format!("o-{number}"), "messageTime": at,
            "threatsInfoMap": (0..5).map(threat).collect::<Vec<_>>(),
            "messageParts": (0..5).map(part).collect::<Vec<_>>(),
        })
    };
    let kind = TapKind::MessagesBlocked;
    let of = |number| TapRecord::dated(kind, body(number).to_string()).expect("it has a time");
    give(&scene, &(0..10).map(of).collect::<Vec<_>>());
    run_for(&scene, 180).await;
    assert_eq!(rows(&scene, kind).len(), 10);
    let sent = service(&scene).counters().records[&kind];
    assert!(sent >= 30, "each is read several times, {sent} in all");
}

#[tokio::test]
async fn records_without_an_id_arrive_once_each() {
    let scene = tap_alone().start().await;
    let at = time("10:40:00");
    let click = |url: &str, status: &str| {
        let body = json!({
            "GUID": "g", "clickTime": at, "threatTime": at, "recipient": "a@example.com",
            "url": url, "threatID": "t", "threatStatus": status,
        });
        TapRecord::dated(TapKind::ClicksPermitted, body.to_string()).expect("it has a time")
    };
    let message = |recipient: &str| {
        let body = json!({"GUID": "g", "messageTime": at, "recipient": [recipient]});
        TapRecord::dated(TapKind::MessagesDelivered, body.to_string()).expect("it has a time")
    };
    let clicks = [click("http://a", "active"), click("http://b", "active")];
    give(&scene, &clicks);
    give(
        &scene,
        &[click("http://a", "cleared"), message("a@example.com"), message("b@example.com")],
    );
    run_for(&scene, 180).await;
    assert_eq!(rows(&scene, TapKind::ClicksPermitted).len(), 3);
    assert_eq!(rows(&scene, TapKind::MessagesDelivered).len(), 2);
}
