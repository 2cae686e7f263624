//! Rows of events that are too long for their columns, as a sender can make them.

use proofpoint_sentinel_core::tables::MESSAGE_PARTS;
use proptest::prelude::*;
use serde_json::{Map, Value, json};

use super::*;

const RECEIVED: &str = "2026-11-20T08:00:00Z";
const HASH: &str = "abababababababababababababababababababababababababababababababab";

/// The most that a post of the Logs Ingestion API holds, less its brackets.
const POST: usize = 999_998;

fn columns(event: &Value) -> (Map<String, Value>, bool) {
    let event = event.to_string();
    let mut row = Vec::new();
    let builder = RowBuilder::new(
        EventType::Message,
        RowShape::Columns,
        MessageText::Fit,
        CollectedBy::Archive,
    );
    let built = builder.build(&event, RECEIVED.parse().unwrap(), &mut row).unwrap();
    assert!(row.len() <= POST, "the row has {} bytes", row.len());
    let row: Map<String, Value> = serde_json::from_slice(&row).expect("a row is a JSON object");
    for (name, value) in &row {
        let length = value.as_str().map_or_else(|| value.to_string().len(), str::len);
        assert!(length <= cells::MAX_VALUE_BYTES, "{name} has {length} bytes");
    }
    (row, built.oversize)
}

fn rcpts(count: usize) -> Vec<String> {
    (0..count).map(|n| format!("user{n:05}@subsidiary{}.example.org", n % 7)).collect()
}

fn urls(count: usize) -> Value {
    let url = |n| json!({"url": format!("https://host{n}.example.net/{}", "q".repeat(60))});
    (0..count).map(url).collect()
}

fn part(name: &str, rest: Value) -> Value {
    let mut part = json!({
        "labeledName": name, "detectedExt": "HTML", "detectedMime": "text/html",
        "sha256": HASH, "md5": &HASH[..32], "disposition": "attached", "detectedSizeBytes": 7,
    });
    part.as_object_mut().unwrap().extend(rest.as_object().unwrap().clone());
    part
}

fn event(parts: Vec<Value>) -> Value {
    json!({"guid": "g", "ts": RECEIVED, "msgParts": parts})
}

fn parts(row: &Map<String, Value>) -> Vec<Value> {
    let arrays = MESSAGE_PARTS.iter().filter_map(|name| row.get(*name)?.as_array());
    arrays.flatten().cloned().collect()
}

fn assert_identity(kept: &Value, part: &Value) {
    for key in ["labeledName", "detectedExt", "detectedMime", "sha256", "md5", "detectedSizeBytes"]
    {
        assert_eq!(kept[key], part[key], "{key}");
    }
}

#[test]
fn long_urls_and_metadata_leave_a_part_its_identity() {
    let metadata: Map<String, Value> =
        (0..900).map(|n| (format!("k{n}"), "v".repeat(70).into())).collect();
    for long in [
        json!({"urls": urls(700)}),
        json!({"metadata": metadata}),
        json!({"metadata": {"k": "v".repeat(70_000)}}),
        json!({"urls": urls(3_000), "metadata": {"k": "v".repeat(70_000)}}),
        json!({"other": "x".repeat(300_000)}),
    ] {
        for count in [1, 7, 15] {
            let mut all = vec![part("x.exe", json!({"urls": []}))];
            all.extend((0..count).map(|n| part(&format!("{n}.html"), long.clone())));
            let (row, oversize) = columns(&event(all.clone()));
            let kept = parts(&row);
            assert_eq!(kept.len(), all.len());
            kept.iter().zip(&all).for_each(|(kept, part)| assert_identity(kept, part));
            assert_eq!(kept[0], all[0]);
            assert!(count == 1 || oversize);
        }
    }
}

#[test]
fn identities_of_all_parts_stay_while_they_fit() {
    for (count, expected) in [(400, 400), (700, 700), (5_000, 900)] {
        let all: Vec<Value> =
            (0..count).map(|n| part(&format!("f{n}.vbs"), json!({"urls": urls(8)}))).collect();
        let (row, oversize) = columns(&event(all.clone()));
        let kept = parts(&row);
        assert!(oversize && kept.len() >= expected, "{} of {count}", kept.len());
        kept.iter().zip(&all).for_each(|(kept, part)| assert_identity(kept, part));
        let notes = &row["AdditionalFields"]["connectorNotes"];
        assert_eq!(notes["wholeEvent"], "dead letter, oversize");
        assert!(notes["leftOut"].is_array() && notes["leftOutCount"].is_u64());
    }
}

#[test]
fn a_long_file_name_keeps_its_beginning_and_its_hash() {
    let long = part(&"n".repeat(70_000), json!({"urls": urls(700)}));
    let (row, oversize) = columns(&event(vec![long.clone(), part("x.exe", json!({}))]));
    let kept = parts(&row);
    assert!(oversize && kept[0]["labeledName"].as_str().unwrap().starts_with("nnnn"));
    assert_eq!((&kept[0]["sha256"], &kept[1]["labeledName"]), (&long["sha256"], &json!("x.exe")));
}

/// A mail with so many recipients, and all else that a sender decides.
fn hostile(recipients: usize, subject: usize, headers: usize) -> Value {
    let rcpts = rcpts(recipients);
    let mut header = json!({
        "to": [rcpts.join(", ")], "cc": rcpts, "subject": ["s".repeat(subject)],
        "message-id": ["<m@example.com>"], "from": ["a@b.example"],
    });
    let many = (0..headers).map(|n| (format!("x-{n}"), json!(["y".repeat(20)])));
    header.as_object_mut().unwrap().extend(many);
    json!({
        "guid": "g", "ts": RECEIVED, "envelope": {"rcpts": rcpts, "from": "a@b.example"},
        "filter": {
            "delivered": {"rcpts": rcpts}, "verified": {"rcpts": rcpts},
            "suborgs": {"rcpts": vec!["0"; recipients], "sender": "0"}, "routeDirection": "inbound",
            "modules": {"spam": {"scores": {"overall": 100}}}, "disposition": "quarantine",
            "actions": [{"rule": "spam", "isFinal": true}],
        },
        "msg": {"header": header, "normalizedHeader": header},
    })
}

#[test]
fn recipients_are_cut_and_never_the_decision() {
    for (recipients, subject, headers) in [
        (1_700, 20, 0),
        (15_000, 20, 7),
        (100_000, 60_000, 0),
        (1, 20, 9_000),
        (9_000, 60_000, 900),
    ] {
        let event = hostile(recipients, subject, headers);
        let (row, oversize) = columns(&event);
        assert!(oversize);
        for key in ["modules", "actions", "disposition", "routeDirection"] {
            assert_eq!(row["filter"][key], event["filter"][key], "{key}");
        }
        let header = &row["msg"]["header"];
        assert_eq!(header["message-id"], event["msg"]["header"]["message-id"]);
        assert!(header["subject"][0].as_str().unwrap().starts_with("ssss"));
        if recipients > 1 {
            let kept = row["envelope"]["rcpts"].as_array().unwrap();
            let all = event["envelope"]["rcpts"].as_array().unwrap();
            assert!(kept.len() > 1_000 && kept[..] == all[..kept.len()]);
            let noted = &row["AdditionalFields"]["connectorNotes"]["shortened"];
            let count = noted["filter.delivered.rcpts"]["of"].as_u64();
            assert_eq!(count, Some(recipients as u64));
        }
    }
}

#[test]
fn everything_too_long_at_once_still_makes_a_row() {
    let mut event = hostile(20_000, 60_000, 3_000);
    let all: Vec<Value> =
        (0..5_000).map(|n| part(&n.to_string(), json!({"urls": urls(3)}))).collect();
    let deep = format!("{}1{}", "[".repeat(100), "]".repeat(100));
    let fields = event.as_object_mut().unwrap();
    fields.insert("msgParts".into(), all.into());
    for key in ["guid", "connection", "pps", "metadata"] {
        fields.insert(key.into(), "\u{1}".repeat(200_000).into());
    }
    fields.insert("unknown".into(), vec![deep; 5_000].into());
    fields.insert("small".into(), 7.into());
    let (row, oversize) = columns(&event);
    assert!(oversize);
    assert_eq!(row["AdditionalFields"]["small"], 7);
    assert_eq!(row["filter"]["disposition"], "quarantine");
}

#[test]
fn the_longest_row_of_each_table_fits_into_a_post() {
    for event_type in EventType::ALL {
        let keys = table(event_type).columns.iter().map(|column| column.name).chain(["other"]);
        let long = |key: &str| (key.to_owned(), Value::from("\u{1}".repeat(200_000)));
        let event = Value::Object(keys.map(long).collect()).to_string();
        let builder =
            RowBuilder::new(event_type, RowShape::Columns, MessageText::Fit, CollectedBy::Archive);
        let mut row = Vec::new();
        assert!(builder.build(&event, RECEIVED.parse().unwrap(), &mut row).unwrap().oversize);
        assert!(row.len() <= POST, "{event_type}: {}", row.len());
    }
}

#[test]
fn a_legacy_row_of_any_event_fits_into_a_post() {
    let leaves: Vec<Value> = (0..900).map(|_| json!({"a": "\"".repeat(15_900)})).collect();
    let object: Map<String, Value> =
        leaves.iter().enumerate().map(|(n, leaf)| (format!("k{n}"), leaf.clone())).collect();
    let event = json!({
        "guid": "g", "ts": RECEIVED, "msgParts": leaves, "msg": object,
        "filter": {"disposition": "discard", "modules": object},
    });
    let event = event.to_string();
    let builder = RowBuilder::new(
        EventType::Message,
        RowShape::Legacy,
        MessageText::Fit,
        CollectedBy::Archive,
    );
    let mut row = Vec::new();
    let built = builder.build(&event, RECEIVED.parse().unwrap(), &mut row).unwrap();
    assert!(built.oversize && built.id == "g");
    assert!(row.len() <= 28_999_998, "{}", row.len());
    let row: Value = serde_json::from_slice(&row).unwrap();
    assert_eq!(row["filter"]["disposition"], "discard");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]
    #[test]
    fn a_decision_survives_whatever_a_sender_adds(
        recipients in 0usize..4_000,
        subject in 0usize..80_000,
        headers in 0usize..2_000,
        modules in 0usize..30_000,
        actions in 0usize..30_000,
    ) {
        let mut event = hostile(recipients, subject, headers);
        event["filter"]["modules"]["av"] = json!({"virusNames": ["v".repeat(modules)]});
        event["filter"]["actions"] = json!([{"rule": "r".repeat(actions)}]);
        let (row, _) = columns(&event);
        for key in ["modules", "actions", "disposition"] {
            prop_assert_eq!(&row["filter"][key], &event["filter"][key]);
        }
        let id = &row["msg"]["header"]["message-id"];
        prop_assert_eq!(id, &event["msg"]["header"]["message-id"]);
    }
}
