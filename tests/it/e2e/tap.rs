//! Records of TAP, from end to end.

mod account;
mod answers;
mod budget;
mod faults;
mod records;
mod time;

use std::collections::BTreeMap;

use bytes::Bytes;
use jiff::{SignedDuration, Timestamp};
use proofpoint_sentinel::report::{FeedReport, RunReport};
use proofpoint_sentinel_core::feed::Feed;
use proofpoint_sentinel_core::tables::tap_table;
use proofpoint_sentinel_core::tap_kind::TapKind;
use proofpoint_sentinel_simulator::tap::{Tap, TapRecord};
use proofpoint_sentinel_simulator::{DestinationApi, TAP_PRINCIPAL};
use serde_json::{Value, json};

use super::fixture::{Scene, SceneBuilder};

/// A TAP account and no cluster.
pub(super) fn tap_alone() -> SceneBuilder {
    Scene::of().clusters(&[]).with_tap().set("TapInitialLookbackHours", "1")
}

fn account() -> Feed {
    Feed::tap("default")
}

pub(super) fn service(scene: &Scene) -> &Tap {
    scene.simulation.tap.as_ref().expect("the scene has TAP")
}

pub(super) fn time(text: &str) -> Timestamp {
    format!("2026-11-20T{text}Z").parse().expect("the test has a valid time")
}

/// A record that was created at `at`, and whose threat has a status.
pub(super) fn record(kind: TapKind, id: &str, at: Timestamp, status: &str) -> TapRecord {
    let body = match kind.is_message() {
        true => json!({
            "id": id, "GUID": format!("guid-of-{id}"), "messageTime": at, "subject": "s",
            "recipient": ["a@example.com"], "impostorScore": 0.5, "completelyRewritten": "na",
            "threatsInfoMap": [{"threatID": "t", "threatStatus": status, "threatTime": at}],
        }),
        false => json!({
            "id": id, "GUID": format!("guid-of-{id}"), "clickTime": at, "threatTime": at,
            "threatID": "t", "threatStatus": status, "recipient": "a@example.com",
        }),
    };
    TapRecord::dated(kind, body.to_string()).expect("it has a time")
}

/// `count` active records of a kind, a second apart from `at` on.
pub(super) fn some(kind: TapKind, name: &str, at: Timestamp, count: usize) -> Vec<TapRecord> {
    let time = |number: usize| at + SignedDuration::from_secs(number as i64);
    (0..count).map(|it| record(kind, &format!("{name}-{it}"), time(it), "active")).collect()
}

/// Some of each kind.
fn of_each_kind(name: &str, at: Timestamp, count: usize) -> Vec<TapRecord> {
    let of = |kind: TapKind| some(kind, &format!("{name}-{kind}"), at, count);
    TapKind::ALL.into_iter().flat_map(of).collect()
}

pub(super) fn give(scene: &Scene, records: &[TapRecord]) {
    scene.records.add(TAP_PRINCIPAL, records.to_vec());
}

/// The rows of a kind.
pub(super) fn rows(scene: &Scene, kind: TapKind) -> Vec<Value> {
    let table = tap_table(kind);
    let name = match scene.destination {
        DestinationApi::LogsIngestion => table.name.to_owned(),
        DestinationApi::DataCollector => format!("{}_CL", table.log_type),
    };
    let rows = scene.simulation.workspace.rows(&name);
    rows.iter().map(|row| serde_json::from_str(row).expect("a row is JSON")).collect()
}

/// Asserts that each of `records` arrived once, and nothing else.
fn assert_arrived(scene: &Scene, records: &[TapRecord]) {
    let key = |value: &Value| {
        let status = match value["threatsInfoMap"].as_array() {
            Some(threats) => threats[0]["threatStatus"].clone(),
            None => value["threatStatus"].clone(),
        };
        format!("{} {status}", value["id"])
    };
    for kind in TapKind::ALL {
        let mut expected: BTreeMap<String, u32> = BTreeMap::new();
        for record in records.iter().filter(|record| record.kind == kind) {
            let record: Value = serde_json::from_slice(&record.body).expect("it is JSON");
            expected.insert(key(&record), 1);
        }
        let mut arrived: BTreeMap<String, u32> = BTreeMap::new();
        for row in rows(scene, kind) {
            *arrived.entry(key(&row)).or_default() += 1;
        }
        assert_eq!(arrived, expected, "{kind}");
    }
}

fn of_account(report: &RunReport) -> &FeedReport {
    let name = account().to_string();
    report.feeds.iter().find(|feed| feed.feed == name).expect("the account has a report")
}

/// Runs every twelve minutes for so long. Gives the last report.
pub(super) async fn run_for(scene: &Scene, minutes: i64) -> RunReport {
    let mut report = scene.run().await;
    for _ in 0..minutes / 12 {
        scene.advance(12);
        report = scene.run().await;
    }
    report
}

fn body(text: &str) -> Bytes {
    Bytes::copy_from_slice(text.as_bytes())
}
