//! What the connector tells of itself in its own table, compared with what the workspace holds.

mod account;
mod faults;
mod hours;

use std::collections::{BTreeMap, BTreeSet};

use proofpoint_sentinel::state::HourRow;
use proofpoint_sentinel_core::feed::{EventType, Feed};
use proofpoint_sentinel_core::hour::Hour;
use proofpoint_sentinel_simulator::DestinationApi;
use serde_json::Value;
use serde_json::value::RawValue;

use super::fixture::{Scene, messages};

/// The connector's rows, in order of arrival.
pub(super) fn connector_rows(scene: &Scene) -> Vec<Value> {
    let rows = scene.simulation.workspace.rows("ProofpointConnector_CL");
    rows.iter().map(|row| serde_json::from_str(row).expect("a row is JSON")).collect()
}

/// Those of one kind.
fn of_kind(scene: &Scene, kind: &str) -> Vec<Value> {
    connector_rows(scene).into_iter().filter(|row| row["RecordType"] == kind).collect()
}

/// What the rows of an hour say, in order of arrival: how complete it is, and its events that came by
/// the live stream, by the archive, and late.
fn told(scene: &Scene, hour: Hour) -> Vec<(String, [u64; 3])> {
    let start = hour.start().to_string();
    let rows = of_kind(scene, "hour").into_iter().filter(|row| row["Hour"] == start.as_str());
    let count = |row: &Value, column: &str| row[column].as_u64().expect("it is a count");
    rows.map(|row| {
        let completeness = row["Completeness"].as_str().expect("it is a word").to_owned();
        let counts = ["Live", "Archive", "Late"].map(|column| count(&row, column));
        assert_eq!(count(&row, "Delivered"), counts.iter().sum::<u64>(), "{row}");
        assert_eq!(count(&row, "Events"), count(&row, "Delivered") + count(&row, "DeadLetters"));
        (completeness, counts)
    })
    .collect()
}

fn says(completeness: &str, counts: [u64; 3]) -> (String, [u64; 3]) {
    (completeness.to_owned(), counts)
}

/// The rows of hours that wait in the checkpoint of [`messages`].
async fn waiting(scene: &Scene) -> Vec<HourRow> {
    scene.checkpoint(&messages()).await.expect("there was a run").hour_rows
}

/// Asserts that the newest row of no hour tells of more events than the workspace holds: otherwise the
/// operator would be called for nothing.
pub(super) fn assert_tells_no_more_than_is_there(scene: &Scene) {
    let mut told: BTreeMap<(String, String), BTreeMap<String, u64>> = BTreeMap::new();
    for row in of_kind(scene, "hour") {
        let text = |column: &str| row[column].as_str().expect("it is a text").to_owned();
        if row["Source"] == "pod" {
            let accounts = told.entry((text("FeedType"), text("Hour"))).or_default();
            accounts.insert(text("Account"), row["Delivered"].as_u64().expect("it is a count"));
        }
    }
    let mut held = BTreeMap::new();
    for ((feed_type, hour), accounts) in told {
        let event_type: EventType = feed_type.parse().expect("it is an event type");
        let held = held.entry(event_type).or_insert_with(|| events_by_hour(scene, event_type));
        let count = held.get(&hour).map_or(0, BTreeSet::len) as u64;
        let delivered: u64 = accounts.values().sum();
        assert!(delivered <= count, "{feed_type} {hour}: {accounts:?}, and {count} are there");
    }
}

/// What the newest row of each hour says of [`messages`], by the start of the hour: how complete it is,
/// and how many events were delivered.
pub(super) fn newest_hours(scene: &Scene) -> BTreeMap<String, (String, u64)> {
    let text = |row: &Value, column: &str| row[column].as_str().expect("it is a text").to_owned();
    let of_hour = |row: Value| {
        let delivered = row["Delivered"].as_u64().expect("it is a count");
        (text(&row, "Hour"), (text(&row, "Completeness"), delivered))
    };
    of_kind(scene, "hour").into_iter().map(of_hour).collect()
}

/// The distinct events that the workspace holds, by the hour of their own time.
pub(super) fn events_by_hour(
    scene: &Scene,
    event_type: EventType,
) -> BTreeMap<String, BTreeSet<String>> {
    let mut hours: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for row in scene.rows(event_type) {
        // As text: a number of the event need not fit into a type.
        let row: BTreeMap<String, Box<RawValue>> =
            serde_json::from_str(&row).expect("a row is JSON");
        let column = |name: &str| row.get(name).map_or("", |value| value.get());
        let Ok(at) = column("eventTime").trim_matches('"').parse() else { continue };
        let hour = Hour::containing(at).start().to_string();
        let event = ["guid", "id", "eventTime", "filter"].map(column).join("\n");
        hours.entry(hour).or_default().insert(event);
    }
    hours
}

fn feed_of(account: &str) -> Feed {
    Feed::log(account, EventType::Message)
}

const BOTH: [DestinationApi; 2] = [DestinationApi::LogsIngestion, DestinationApi::DataCollector];
