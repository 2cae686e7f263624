//! Builds events for tests.

use bytes::Bytes;
use proofpoint_sentinel_core::feed::{EventType, Feed};
use proofpoint_sentinel_core::hour::Hour;
use proofpoint_sentinel_simulator::DestinationApi;
use serde_json::json;

/// `count` small events. Their ids are unique across hours and feeds.
pub(crate) fn small(feed: &Feed, hour: Hour, count: usize) -> Vec<Bytes> {
    (0..count).map(|number| event(feed, hour, number, 0)).collect()
}

/// `count` events of at least `bytes` bytes each.
pub(crate) fn large(feed: &Feed, hour: Hour, count: usize, bytes: usize) -> Vec<Bytes> {
    (0..count).map(|number| event(feed, hour, number, bytes)).collect()
}

fn event(feed: &Feed, hour: Hour, number: usize, filler: usize) -> Bytes {
    let (minute, second) = (number / 60 % 60, number % 60);
    let ts = format!("{hour}:{minute:02}:{second:02}.{number:06}+0000");
    let id = id(feed, hour, number);
    let filler = "x".repeat(filler);
    let event = match feed.event_type().unwrap() {
        EventType::Message => json!({
            "guid": id, "ts": ts, "msgParts": [],
            "filter": {"qid": filler, "durationSecs": 1.0, "modules": {}},
        }),
        EventType::Maillog => json!({
            "id": id, "ts": ts, "data": filler, "sm": {"qid": "q", "pri": 35342},
        }),
        EventType::Audit => json!({
            "guid": id, "ts": ts, "audit": {"action": "login", "tags": [filler]},
        }),
    };
    event.to_string().into()
}

/// The id of an event of this module.
pub(crate) fn id(feed: &Feed, hour: Hour, number: usize) -> String {
    format!("{}-{hour}-{number}", feed.account)
}

/// A message with the JSON text `parts` as its `msgParts`.
pub(crate) fn with_parts(guid: &str, parts: &str) -> Bytes {
    format!(r#"{{"guid":"{guid}","msgParts":{parts},"ts":"2026-11-20T09:00:00.5+0000"}}"#).into()
}

/// The table of an event type.
pub(crate) fn table(destination: DestinationApi, event_type: EventType) -> String {
    let name = match (destination, event_type) {
        (DestinationApi::LogsIngestion, EventType::Message) => "ProofpointPODMessage_CL",
        (DestinationApi::LogsIngestion, EventType::Maillog) => "ProofpointPODMailLog_CL",
        (DestinationApi::LogsIngestion, EventType::Audit) => "ProofpointPODAudit_CL",
        (DestinationApi::DataCollector, EventType::Message) => "ProofpointPOD_message_CL",
        (DestinationApi::DataCollector, EventType::Maillog) => "ProofpointPOD_maillog_CL",
        (DestinationApi::DataCollector, EventType::Audit) => "ProofpointPOD_audit_CL",
    };
    name.to_owned()
}
