//! Events as Proofpoint sends them, with every oddity that is known, through both destinations.

use std::path::{Path, PathBuf};

use bytes::Bytes;
use jiff::tz::{Offset, TimeZone};
use proofpoint_sentinel_core::feed::EventType;
use proofpoint_sentinel_core::hour::Hour;
use proofpoint_sentinel_simulator::DestinationApi;

use crate::e2e::fixture::{Scene, feed, last_hour};
use crate::e2e::row_assertions::{ObjectMembers, assert_arrived, id_key};

/// The project's own samples, and published ones from the folder that the variable
/// `PROOFPOINT_SENTINEL_SHARED` names.
fn directories() -> Vec<PathBuf> {
    let own = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/pod");
    let shared = std::env::var_os("PROOFPOINT_SENTINEL_SHARED");
    let published = shared.map(|shared| Path::new(&shared).join("samples/pod"));
    std::iter::once(own).chain(published).collect()
}

/// All samples of a type, with ids of their own.
fn samples(event_type: EventType) -> Vec<Bytes> {
    let mut paths: Vec<PathBuf> = directories()
        .iter()
        .flat_map(|directory| std::fs::read_dir(directory).expect("the folder is there"))
        .map(|entry| entry.expect("it can be listed").path())
        .filter(|path| {
            let name = path.file_name().unwrap_or_default().to_string_lossy();
            name.starts_with(event_type.as_str()) && name.ends_with(".ndjson")
        })
        .collect();
    paths.sort();
    let lines = paths.iter().flat_map(|path| {
        let text = std::fs::read_to_string(path).expect("it can be read");
        text.lines().map(str::to_owned).collect::<Vec<_>>()
    });
    let sample = |(number, line): (usize, String)| renamed(&line, event_type, number);
    let samples: Vec<Bytes> = lines.enumerate().map(sample).collect();
    assert!(samples.len() >= 3, "{} samples of {event_type}", samples.len());
    samples
}

/// The sample with another id, and, but for one in seven, with its time moved into the hour that
/// is read. Published samples share ids, and are years old.
fn renamed(line: &str, event_type: EventType, number: usize) -> Bytes {
    let members: Vec<String> = ObjectMembers::of(line)
        .0
        .into_iter()
        .map(|(key, value)| {
            let value = if key == id_key(event_type) {
                format!("\"sample-{event_type}-{number}\"")
            } else if key == "ts" && !number.is_multiple_of(7) {
                moved(&value, last_hour()).unwrap_or(value)
            } else {
                value
            };
            format!("{}:{value}", serde_json::Value::from(key))
        })
        .collect();
    format!("{{{}}}", members.join(",")).into()
}

/// `ts` with its minutes, fraction and offset as they are, at another hour.
fn moved(ts: &str, hour: Hour) -> Option<String> {
    let rest = ts.get("\"2026-11-20T09".len()..)?;
    let offset = rest.rfind(['-', '+']).map_or("", |at| &rest[at..]);
    let hours = offset.get(..3).map_or(Some(0), |hours| hours.parse().ok())?;
    let zone = TimeZone::fixed(Offset::from_hours(hours).ok()?);
    let local = hour.start().to_zoned(zone).strftime("%Y-%m-%dT%H").to_string();
    Some(format!("\"{local}{rest}"))
}

async fn samples_arrive(destination: DestinationApi) {
    let scene = Scene::of().destination(destination).types("message,maillog,audit").start().await;
    let given: Vec<(EventType, Vec<Bytes>)> = EventType::ALL
        .map(|event_type| {
            let events = samples(event_type);
            (event_type, scene.give_events(&feed(event_type), last_hour(), events))
        })
        .into();
    let report = scene.run_well().await;
    assert_eq!(report.feeds.iter().map(|feed| feed.counts.dead_letters()).sum::<u64>(), 0);
    for (event_type, events) in &given {
        assert_arrived(&scene, *event_type, events);
    }
}

#[tokio::test]
async fn samples_arrive_byte_for_byte_through_logs_ingestion() {
    samples_arrive(DestinationApi::LogsIngestion).await;
}

#[tokio::test]
async fn samples_arrive_byte_for_byte_through_data_collector() {
    samples_arrive(DestinationApi::DataCollector).await;
}
