use proofpoint_sentinel_core::tables::MESSAGE_PARTS;
use proptest::prelude::*;
use serde_json::{Map, Value, json};

use super::*;

const RECEIVED: &str = "2026-11-20T08:05:00Z";

fn build(
    event_type: EventType,
    shape: RowShape,
    text: MessageText,
    event: &str,
) -> (Map<String, Value>, RowMetadata<'_>) {
    let mut row = b"what stood here before".to_vec();
    let builder = RowBuilder::new(event_type, shape, text, CollectedBy::Live);
    let built = builder.build(event, RECEIVED.parse().unwrap(), &mut row).unwrap();
    (serde_json::from_slice(&row).expect("a row is a JSON object"), built)
}

fn message(
    shape: RowShape,
    text: MessageText,
    event: &Value,
) -> (Map<String, Value>, RowMetadata<'static>) {
    let event = event.to_string();
    let (row, built) = build(EventType::Message, shape, text, &event);
    let disposition = built.disposition.map(|text| text.into_owned().into());
    (row, RowMetadata { id: built.id.into_owned().into(), disposition, ..built })
}

fn part(name: &str, bytes: usize) -> Value {
    json!({"detectedName": name, "filler": "x".repeat(bytes)})
}

#[test]
fn the_exact_bytes_of_a_row() {
    let mut row = Vec::new();
    let event = r#" {"guid" : "g1", "zz":1.0, "ts":"2026-11-20T01:02:03.5-0700","filter":{"b": 18446744073709551616,"a":1e3} } "#;
    let (shape, text) = (RowShape::Columns, MessageText::Fit);
    let builder = RowBuilder::new(EventType::Message, shape, text, CollectedBy::Archive);
    builder.build(event, RECEIVED.parse().unwrap(), &mut row).unwrap();
    assert_eq!(
        String::from_utf8(row).unwrap(),
        r#"{"TimeGenerated":"2026-11-20T08:02:03.5Z","eventTime":"2026-11-20T08:02:03.5Z","CollectedBy":"archive","guid":"g1","filter":{"b": 18446744073709551616,"a":1e3},"AdditionalFields":{"zz":1.0}}"#
    );
}

#[test]
fn a_row_says_how_its_event_was_collected() {
    let event = json!({"guid": "g", "ts": RECEIVED, "CollectedBy": "backfill"}).to_string();
    for (shape, by) in [RowShape::Columns, RowShape::Legacy]
        .into_iter()
        .flat_map(|shape| CollectedBy::ALL.map(|by| (shape, by)))
    {
        let mut row = Vec::new();
        let builder = RowBuilder::new(EventType::Message, shape, MessageText::Fit, by);
        builder.build(&event, RECEIVED.parse().unwrap(), &mut row).unwrap();
        let row: Map<String, Value> = serde_json::from_slice(&row).unwrap();
        assert_eq!(row["CollectedBy"], by.as_str());
        assert!(row["AdditionalFields"].to_string().contains("backfill"));
    }
}

#[test]
fn rules_see_a_row_of_any_age() {
    for (ts, generated) in [
        ("2026-11-18T10:05:00Z", "2026-11-18T10:05:00Z"),
        ("2026-11-18T10:04:59Z", RECEIVED),
        ("2020-01-01T00:00:00Z", RECEIVED),
        ("2026-11-20T08:05:01Z", RECEIVED),
    ] {
        let event = json!({"guid": "g", "ts": ts});
        let (row, _) = message(RowShape::Columns, MessageText::Fit, &event);
        assert_eq!((&row["eventTime"], &row["TimeGenerated"]), (&json!(ts), &json!(generated)));
    }
}

#[test]
fn the_time_of_receipt_stands_in_for_an_unreadable_time() {
    for ts in [json!("yesterday"), json!(5), json!(null)] {
        let event = json!({"guid": "g", "ts": ts});
        let (row, built) = message(RowShape::Columns, MessageText::Fit, &event);
        assert_eq!(row["eventTime"], RECEIVED);
        assert_eq!(row["AdditionalFields"]["ts"], ts);
        assert!(row["AdditionalFields"]["connectorNotes"]["timestamp"].is_string());
        assert_eq!((built.event_time, built.oversize), (None, false));
    }
    let (row, _) = message(RowShape::Columns, MessageText::Fit, &json!({"guid": "g"}));
    assert!(row["AdditionalFields"]["connectorNotes"]["timestamp"].is_string());
}

#[test]
fn an_event_is_identified_by_its_id_or_else_its_whole_content() {
    let id = |event: &str| {
        build(EventType::Message, RowShape::Columns, MessageText::Fit, event).1.id.into_owned()
    };
    assert_eq!(id(r#"{"ts":"","guid":"a\u002db"}"#), "a-b");
    assert_eq!(id(r#"{"guid":"first","guid":"last"}"#), "last");
    let one = id(r#"{"b":[1,{"y":1,"x":2}],"a":"z"}"#);
    assert_eq!(one, id(r#"{ "a":"z", "b":[1,{"x":2,"y":1}] }"#));
    assert_ne!(one, id(r#"{"b":[1,{"y":1,"x":3}],"a":"z"}"#));
    for nameless in [r#"{"guid":null,"a":1}"#, r#"{"guid":"","a":1}"#, r#"{"guid":7,"a":1}"#] {
        assert!(id(nameless).contains(r#""a":1"#));
    }
}

#[test]
fn keys_named_like_our_own_columns_go_to_additional_fields() {
    let event = json!({
        "guid": "g", "ts": RECEIVED, "TimeGenerated": 1, "eventTime": 2, "msgParts2": 3,
        "AdditionalFields": 4, "connectorNotes": 5, "connectorNotes_": 6, "connectorNotesX_": 7,
    });
    let (row, _) = message(RowShape::Columns, MessageText::Fit, &event);
    assert_eq!(row["TimeGenerated"], RECEIVED);
    let expected = json!({
        "TimeGenerated": 1, "eventTime": 2, "msgParts2": 3, "AdditionalFields": 4,
        "connectorNotes_": 5, "connectorNotes__": 6, "connectorNotesX_": 7,
    });
    assert_eq!(row["AdditionalFields"], expected);
}

#[test]
fn a_text_column_takes_any_value_as_text() {
    for (value, expected) in
        [(json!(7), json!("7")), (json!({"a": 1}), json!(r#"{"a":1}"#)), (json!(null), json!(null))]
    {
        let event = json!({"guid": value, "ts": RECEIVED});
        let (row, _) = message(RowShape::Columns, MessageText::Fit, &event);
        assert_eq!(row["guid"], expected);
    }
}

#[test]
fn text_is_dropped_when_the_parts_do_not_fit_or_always() {
    let with_text = |bytes| json!([{"md5": "m", "textExtracted": "t".repeat(bytes), "n": 1}]);
    for (bytes, text, dropped) in [
        (10, MessageText::Fit, false),
        (10, MessageText::Drop, true),
        (70_000, MessageText::Fit, true),
    ] {
        let event = json!({"guid": "g", "ts": RECEIVED, "msgParts": with_text(bytes)});
        let (row, built) = message(RowShape::Columns, text, &event);
        assert!(!built.oversize);
        if dropped {
            assert_eq!(row["msgParts"], json!([{"md5": "m", "n": 1}]));
            assert_eq!(row["AdditionalFields"]["connectorNotes"]["messageText"], "dropped");
        } else {
            assert_eq!(row["msgParts"], with_text(bytes));
            assert!(!row.contains_key("AdditionalFields"));
        }
    }
}

#[test]
fn dropped_text_does_not_stay_in_repeated_parts() {
    for shape in [RowShape::Columns, RowShape::Legacy] {
        let event = r#"{"guid":"g","msgParts":[{"md5":"a","textExtracted":"t"}],"msgParts":[]}"#;
        let (row, _) = build(EventType::Message, shape, MessageText::Drop, event);
        let row = Value::Object(row).to_string().replace('\\', "");
        assert!(row.contains(r#""value":[{"md5":"a"}]"#), "{row}");
        assert!(row.contains(r#""messageText":"dropped""#), "{row}");
    }
}

#[test]
fn names_of_left_out_values_fit_into_additional_fields() {
    for (shape, longest) in
        [(RowShape::Columns, cells::MAX_VALUE_BYTES), (RowShape::Legacy, legacy::MAX_VALUE_BYTES)]
    {
        let mut event = Map::from_iter([(String::new(), "x".repeat(longest - 4_100).into())]);
        event.extend((0..30).map(|n| (format!("{}{n}", "\u{1}".repeat(120)), Value::Null)));
        let (row, built) = message(shape, MessageText::Fit, &event.into());
        assert!(built.oversize);
        let fields = &row["AdditionalFields"];
        let length = fields.as_str().map_or(fields.to_string().len(), str::len);
        assert!((longest - 7_000..=longest).contains(&length), "{length}");
    }
}

/// Which takes a minute where each key is compared with each other.
#[test]
fn an_event_may_have_very_many_keys() {
    const KEYS: usize = 50_000;
    let keys: Vec<String> = (0..KEYS).map(|n| format!(r#""k {n}":1"#)).collect();
    let event = format!("{{{}}}", keys.join(","));
    for shape in [RowShape::Columns, RowShape::Legacy] {
        let (row, built) = build(EventType::Audit, shape, MessageText::Fit, &event);
        assert!(built.oversize);
        let fields = &row["AdditionalFields"];
        let read = |text| serde_json::from_str(text).unwrap();
        let fields: Value = fields.as_str().map_or_else(|| fields.clone(), read);
        let left_out = fields["connectorNotes"]["leftOutCount"].as_u64().unwrap() as usize;
        let kept = fields.as_object().unwrap().len() - 1;
        assert_eq!(kept + left_out, KEYS);
        assert_eq!(fields["connectorNotes"]["leftOut"].as_array().unwrap().len(), 20);
    }
}

#[test]
fn a_value_that_is_too_long_keeps_what_fits() {
    let event = json!({
        "guid": "g", "ts": RECEIVED,
        "envelope": {"from": "a@b.example", "rcpts": vec!["someone@example.com"; 4_000]},
        "filter": "f".repeat(70_000),
    });
    let (row, built) = message(RowShape::Columns, MessageText::Fit, &event);
    assert_eq!(row["envelope"]["from"], "a@b.example");
    let kept = row["envelope"]["rcpts"].as_array().unwrap().len();
    assert!((2_500..4_000).contains(&kept), "{kept}");
    assert_eq!(row["filter"], "f".repeat(63_998));
    assert!(built.oversize);
    let notes = &row["AdditionalFields"]["connectorNotes"];
    assert_eq!(notes["leftOut"], json!(["filter (from byte 63998)"]));
    assert_eq!(notes["shortened"], json!({"envelope.rcpts": {"kept": kept, "of": 4_000}}));
}

#[test]
fn a_long_log_line_is_cut_at_a_whole_character_and_noted() {
    let event = json!({"id": "i", "ts": RECEIVED, "data": "ä".repeat(40_000)}).to_string();
    let (row, built) = build(EventType::Maillog, RowShape::Columns, MessageText::Fit, &event);
    assert_eq!(row["data"].as_str().unwrap(), "ä".repeat(32_000));
    assert!(built.oversize);
}

#[test]
fn legacy_rows_are_the_event_with_its_type_and_parts_as_text() {
    let event = json!({
        "guid": "g", "ts": "2026-11-20T01:02:03-0700", "filter": {"a": {"b": [1.5]}},
        "msgParts": [{"md5": "m"}], "odd key": 1, "tenant": 2,
    });
    let (row, built) = message(RowShape::Legacy, MessageText::Fit, &event);
    let expected = json!({
        "event_type": "message", "eventTime": "2026-11-20T08:02:03Z", "CollectedBy": "live",
        "guid": "g",
        "ts": "2026-11-20T01:02:03-0700", "filter": {"a": {"b": [1.5]}},
        "msgParts": r#"[{"md5":"m"}]"#,
        "AdditionalFields": r#"{"odd key":1,"tenant":2}"#,
    });
    assert_eq!(Value::Object(row), expected);
    assert!(!built.oversize);
}

#[test]
fn legacy_leaves_that_are_too_long_are_cut_and_named() {
    let event = json!({
        "guid": "g", "ts": RECEIVED,
        "msg": {"header": {"subject": ["s"], "to": ["t".repeat(40_000)]}, "lang": "en"},
    });
    let (row, built) = message(RowShape::Legacy, MessageText::Fit, &event);
    let to = "t".repeat(31_996);
    let expected = json!({"header": {"subject": ["s"], "to": [to]}, "lang": "en"});
    assert_eq!(row["msg"], expected);
    assert!(built.oversize);
    let additional: Value =
        serde_json::from_str(row["AdditionalFields"].as_str().unwrap()).unwrap();
    assert_eq!(
        additional["connectorNotes"]["leftOut"],
        json!(["msg.header.to[] (from byte 31996)"])
    );
}

fn values() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        ".{0,20}".prop_map(Value::from),
    ];
    leaf.prop_recursive(3, 20, 4, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            prop::collection::hash_map("[a-zA-Z. -]{1,6}", inner, 0..4)
                .prop_map(|map| Value::Object(map.into_iter().collect())),
        ]
    })
}

proptest! {
    /// Whatever an event holds, each of its values is in the row, under its own key or in
    /// `AdditionalFields`, and no value of a column is longer than Azure takes.
    #[test]
    fn nothing_of_an_event_is_lost(
        known in prop::collection::hash_map(
            prop_oneof![Just("guid"), Just("connection"), Just("filter"), Just("msg")],
            values(), 0..4),
        unknown in prop::collection::hash_map("[a-z_$ ]{1,8}", values(), 0..4),
        parts in prop::collection::vec(0usize..50_000, 0..8),
    ) {
        let parts: Vec<Value> =
            parts.iter().enumerate().map(|(n, bytes)| part(&n.to_string(), *bytes)).collect();
        let mut event: Map<String, Value> =
            known.into_iter().map(|(key, value)| (key.to_owned(), value)).collect();
        event.extend(unknown.into_iter().filter(|(key, _)| key != "ts" && key != "pps"));
        event.insert("msgParts".to_owned(), parts.clone().into());
        event.insert("ts".to_owned(), RECEIVED.into());

        let (row, built) = message(RowShape::Columns, MessageText::Fit, &event.clone().into());
        let mut joined = Vec::new();
        for column in MESSAGE_PARTS {
            joined.extend(row.get(column).and_then(Value::as_array).cloned().unwrap_or_default());
        }
        let names = |parts: &[Value]| -> Vec<Value> {
            parts.iter().map(|part| part["detectedName"].clone()).collect()
        };
        prop_assert_eq!(names(&joined), names(&parts));
        prop_assert_eq!(built.oversize, joined != parts);
        for (column, value) in &row {
            prop_assert!(value.to_string().len() <= 65_536, "{}", column);
        }
        for (key, value) in event.iter().filter(|(key, _)| !matches!(key.as_str(), "msgParts" | "ts")) {
            let found = row.get(key).or_else(|| row["AdditionalFields"].get(key));
            let as_text = Value::from(value.to_string());
            prop_assert!(found == Some(value) || (key == "guid" && found == Some(&as_text)));
        }

        let (row, built) = message(RowShape::Legacy, MessageText::Fit, &event.clone().into());
        prop_assert!(!built.oversize);
        let text = row.get("msgParts").map_or_else(
            || (1..).map_while(|n| row.get(&format!("msgParts{n}"))).map(|v| v.as_str().unwrap()).collect(),
            |whole| whole.as_str().unwrap().to_owned(),
        );
        prop_assert_eq!(text, event["msgParts"].to_string());
    }
}
