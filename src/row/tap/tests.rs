use proofpoint_sentinel_core::tables::ColumnType;
use proptest::prelude::*;
use serde_json::{Map, Value, json};

use super::*;
use crate::row::additional::NOTES;
use crate::row::frame::read;

const NOW: &str = "2026-11-20T08:00:00Z";

fn build_at(
    kind: TapKind,
    shape: RowShape,
    record: &str,
    now: &str,
) -> (Map<String, Value>, RowMetadata<'static>) {
    let mut row = Vec::new();
    let builder = TapRowBuilder::new(kind, shape);
    let now = now.parse().unwrap();
    let built = builder.append(record, Repairs::default(), now, &mut row).unwrap();
    let row = serde_json::from_slice(&row).expect("a row is a JSON object");
    let id = Cow::Owned(built.id.into_owned());
    (row, RowMetadata { id, disposition: None, ..built })
}

fn build(
    kind: TapKind,
    shape: RowShape,
    record: &str,
) -> (Map<String, Value>, RowMetadata<'static>) {
    build_at(kind, shape, record, NOW)
}

fn message(record: &Value) -> Map<String, Value> {
    build(TapKind::MessagesDelivered, RowShape::Columns, &record.to_string()).0
}

fn click(record: &Value) -> Map<String, Value> {
    build(TapKind::ClicksPermitted, RowShape::Columns, &record.to_string()).0
}

/// The project's samples, by kind.
fn samples() -> Vec<(TapKind, String)> {
    const FILES: [(TapKind, &str); 4] = [
        (
            TapKind::MessagesDelivered,
            include_str!("../../../tests/fixtures/tap/messages_delivered.ndjson"),
        ),
        (
            TapKind::MessagesBlocked,
            include_str!("../../../tests/fixtures/tap/messages_blocked.ndjson"),
        ),
        (
            TapKind::ClicksPermitted,
            include_str!("../../../tests/fixtures/tap/clicks_permitted.ndjson"),
        ),
        (TapKind::ClicksBlocked, include_str!("../../../tests/fixtures/tap/clicks_blocked.ndjson")),
    ];
    let lines = |(kind, text): (TapKind, &str)| {
        let lines = text.lines().filter(|line| !line.is_empty());
        lines.map(|line| (kind, line.to_owned())).collect::<Vec<_>>()
    };
    FILES.into_iter().flat_map(lines).collect()
}

#[test]
fn the_exact_bytes_of_a_row() {
    let record = r#"{"id":"1","impostorScore":0.5, "GUID" :"g","subject":null,"messageTime":"2026-11-20T07:00:00.5Z","threatsInfoMap":[{"threatID":"t","threatTime":"2026-11-20T07:30:00Z"}],"zz":1.0}"#;
    let mut row = b"before".to_vec();
    TapRowBuilder::new(TapKind::MessagesBlocked, RowShape::Columns)
        .append(record, Repairs::default(), NOW.parse().unwrap(), &mut row)
        .unwrap();
    assert_eq!(
        String::from_utf8(row).unwrap(),
        r#"before{"TimeGenerated":"2026-11-20T07:30:00Z","id":"1","impostorScore":0,"GUID":"g","subject":null,"messageTime":"2026-11-20T07:00:00.5Z","threatsInfoMap":[{"threatID":"t","threatTime":"2026-11-20T07:30:00Z"}],"AdditionalFields":{"impostorScore":0.5,"zz":1.0}}"#
    );
}

#[test]
fn what_typing_would_lose_is_kept() {
    let row = message(&json!({
        "id": "1", "spamScore": "12", "impostorScore": 99.25, "phishScore": "na",
        "messageSize": 5_000_000_000_u64, "completelyRewritten": "na", "xmailer": "Outlook",
        "recipient": "a@example.com", "sender": "", "subject": 7, "headerTo": "b",
        "messageTime": "20/11/2026",
    }));
    let kept = &row["AdditionalFields"];
    assert_eq!(row["spamScore"], 12);
    assert_eq!((&row["impostorScore"], &kept["impostorScore"]), (&json!(99), &json!(99.25)));
    for (key, value) in [
        ("phishScore", json!("na")),
        ("messageSize", json!(5_000_000_000_u64)),
        ("completelyRewritten", json!("na")),
        ("messageTime", json!("20/11/2026")),
        ("headerTo", json!("b")),
    ] {
        assert_eq!((row.get(key), &kept[key]), (None, &value), "{key}");
    }
    assert_eq!((&row["xmailer"], &row["recipient"]), (&json!("Outlook"), &json!("a@example.com")));
    assert_eq!((&row["sender"], &row["subject"]), (&json!(""), &json!("7")));
    let row = message(&json!({"id": "1", "completelyRewritten": "True", "messageTime": NOW}));
    assert_eq!((&row["completelyRewritten"], row.get("AdditionalFields")), (&json!(true), None));
}

#[test]
fn former_keys_go_to_todays_columns() {
    let row = message(&json!({"id": "1", "clusterId": "acme", "messageTime": NOW}));
    assert_eq!(
        (&row["cluster"], &row["AdditionalFields"]["clusterId"]),
        (&json!("acme"), &json!("acme"))
    );
    let row =
        click(&json!({"campaignID": "c", "threatUrl": "u", "threatId": "t", "clickTime": NOW}));
    assert_eq!(
        (&row["campaignId"], &row["threatURL"], &row["threatID"]),
        (&json!("c"), &json!("u"), &json!("t"))
    );
    assert_eq!(
        row["AdditionalFields"],
        json!({"campaignID": "c", "threatUrl": "u", "threatId": "t"})
    );
    // Today's own key wins, wherever it stands; of two former ones the first.
    let both = r#"{"clusterId":"a","cluster":"b","threaturl":"1","threatUrl":"2"}"#;
    let (row, _) = build(TapKind::MessagesDelivered, RowShape::Columns, both);
    assert_eq!(
        (&row["cluster"], &row["AdditionalFields"]["clusterId"]),
        (&json!("b"), &json!("a"))
    );
    let (row, _) = build(TapKind::ClicksBlocked, RowShape::Columns, both);
    assert_eq!(
        (&row["threatURL"], &row["AdditionalFields"]["threatUrl"]),
        (&json!("1"), &json!("2"))
    );
}

#[test]
fn the_time_of_a_row_is_the_later_one_within_azures_limits() {
    let record = |own: &str, threat: &str| {
        json!({"id": "1", "messageTime": own, "threatsInfoMap": [
            {"threatID": "a", "threatTime": "2020-01-01T00:00:00Z"}, {"threatID": "b", "threatTime": threat},
        ]})
        .to_string()
    };
    for (own, threat, expected) in [
        ("2026-11-20T06:00:00Z", "2026-11-20T07:00:00Z", "2026-11-20T07:00:00Z"),
        ("2026-11-20T07:00:00Z", "2026-11-19T07:00:00Z", "2026-11-20T07:00:00Z"),
        ("2026-11-10T07:00:00Z", "2026-11-20T05:00:00.25Z", "2026-11-20T05:00:00.25Z"),
        ("2026-11-18T10:00:00Z", "no time", "2026-11-18T10:00:00Z"),
        ("2026-11-18T09:59:59Z", "2026-11-17T00:00:00Z", NOW),
        ("2026-11-20T07:00:00Z", "2026-11-20T08:00:01Z", NOW),
    ] {
        for shape in [RowShape::Columns, RowShape::Legacy] {
            let (row, built) = build(TapKind::MessagesDelivered, shape, &record(own, threat));
            let column = if shape == RowShape::Columns { "TimeGenerated" } else { "eventTime" };
            assert_eq!(row[column], expected, "{own} {threat}");
            assert!(built.event_time.is_some());
        }
    }
    let click = json!({"clickTime": "2026-11-20T06:00:00Z", "threatTime": "2026-11-20T07:00:00Z"});
    let (row, _) = build(TapKind::ClicksBlocked, RowShape::Columns, &click.to_string());
    assert_eq!(row["TimeGenerated"], "2026-11-20T07:00:00Z");
    let (row, built) = build(TapKind::ClicksBlocked, RowShape::Columns, r#"{"id":"1"}"#);
    assert_eq!((&row["TimeGenerated"], built.event_time), (&json!(NOW), None));
    assert!(row["AdditionalFields"][NOTES]["timestamp"].is_string());
}

#[test]
fn legacy_rows_are_what_the_deprecated_connector_sent() {
    for (kind, record) in samples() {
        let (row, built) = build(kind, RowShape::Legacy, &record);
        let sent: Map<String, Value> = serde_json::from_str(&record).unwrap();
        assert_eq!(row.len(), sent.len() + 1, "eventTime is added");
        for (key, value) in sent {
            let expected = match value {
                Value::Array(_) | Value::Object(_) => {
                    let text = row[&key].as_str().expect("lists are sent as text");
                    assert_eq!(serde_json::from_str::<Value>(text).unwrap(), value, "{key}");
                    continue;
                }
                other => other,
            };
            assert_eq!(row[&key], expected, "{key}");
        }
        assert!(!built.oversize);
    }
}

#[test]
fn public_records_fill_the_columns() {
    let samples = samples();
    assert!(samples.len() >= 8);
    for (kind, record) in samples {
        let (row, built) = build(kind, RowShape::Columns, &record);
        let sent: Map<String, Value> = serde_json::from_str(&record).unwrap();
        for (column, value) in &row {
            let type_of = tap_table(kind).columns.iter().find(|it| it.name == column);
            let column_type = type_of.expect("the table has the column").column_type;
            assert!(is_of_type(column_type, value), "{column}: {value}");
        }
        let additional = row.get("AdditionalFields").cloned().unwrap_or_default();
        for (key, value) in sent {
            let is_there = row.get(&key).is_some_and(|held| is_same(held, &value));
            assert!(is_there || additional[&key] == value, "{key}: {value} is in {row:?}");
        }
        assert!(built.event_time.is_some() && !built.oversize);
    }
}

/// Whether both are the same, or the same number or truth, which may be sent as a text.
fn is_same(held: &Value, sent: &Value) -> bool {
    let text = sent.as_str().unwrap_or_default().trim();
    let number = sent.as_f64().or_else(|| text.parse().ok());
    held == sent
        || held.is_number() && held.as_f64() == number
        || held.is_boolean() && held.to_string().eq_ignore_ascii_case(text)
}

fn is_of_type(column_type: ColumnType, value: &Value) -> bool {
    value.is_null()
        || match column_type {
            ColumnType::DateTime => {
                value.as_str().is_some_and(|text| text.parse::<Timestamp>().is_ok())
            }
            ColumnType::String => value.is_string(),
            ColumnType::Int => value.as_i64().is_some_and(|int| i32::try_from(int).is_ok()),
            ColumnType::Boolean => value.is_boolean(),
            ColumnType::Dynamic => true,
            ColumnType::Long | ColumnType::Real => value.is_number(),
        }
}

#[test]
fn a_huge_record_keeps_its_verdict() {
    let threats: Vec<Value> = (0..20_000)
        .map(|n| json!({"threatID": format!("t{n}"), "threatStatus": "active", "threat": "http://example.com/".repeat(5)}))
        .collect();
    let record = json!({
        "subject": "s".repeat(200_000), "toAddresses": vec!["someone@example.com"; 50_000],
        "threatsInfoMap": threats, "id": "1", "GUID": "g", "zz": "z".repeat(300_000),
        "messageTime": NOW, "xmailer": "\u{1}".repeat(90_000), "headerFrom": vec!["\"\\"; 60_000],
    })
    .to_string();
    for (shape, limit) in [(RowShape::Columns, 1_000_000), (RowShape::Legacy, 29_000_000)] {
        let mut bytes = Vec::new();
        let builder = TapRowBuilder::new(TapKind::MessagesDelivered, shape);
        let now = NOW.parse().unwrap();
        let built = builder.append(&record, Repairs::default(), now, &mut bytes).unwrap();
        assert!(bytes.len() < limit && built.oversize, "{}", bytes.len());
        let row: Map<String, Value> = serde_json::from_slice(&bytes).unwrap();
        assert_eq!((&row["id"], &row["GUID"]), (&json!("1"), &json!("g")));
        let threats = match &row["threatsInfoMap"] {
            Value::String(text) => serde_json::from_str(text).unwrap(),
            other => other.clone(),
        };
        assert_eq!(threats[0]["threatStatus"], "active");
        let most = if shape == RowShape::Columns { 64_000 } else { 32_000 };
        for (column, value) in &row {
            let length = value.as_str().map_or_else(|| value.to_string().len(), str::len);
            assert!(length <= most, "{column}: {length}");
        }
    }
}

#[test]
fn a_record_that_is_almost_json_is_a_row_with_a_note() {
    for (record, subject, note) in [
        (&b"{\"id\":\"1\",\"subject\":\"a\tb\"}"[..], "a\tb", "control characters: escaped"),
        (b"{\"id\":\"1\",\"subject\":\"a\x01\"}", "a\u{1}", "control characters: escaped"),
        (b"{\"id\":\"1\",\"subject\":\"\xe9\"}", "\u{fffd}", "bytes that are not UTF-8: replaced"),
        (br#"{"id":"1","subject":"\ud83d"}"#, "\u{fffd}", "lone surrogates: replaced"),
        (br#"{"id":"1","subject":"a","spamScore":NaN}"#, "a", "NaN, Infinity: as text"),
    ] {
        let (text, repairs) = read(record).expect("it can be repaired");
        let mut row = Vec::new();
        let builder = TapRowBuilder::new(TapKind::MessagesBlocked, RowShape::Columns);
        builder.append(&text, repairs, NOW.parse().unwrap(), &mut row).unwrap();
        let row: Map<String, Value> = serde_json::from_slice(&row).unwrap();
        assert_eq!(row["subject"], subject);
        assert_eq!(row["AdditionalFields"][NOTES]["repaired"], json!([note]));
        assert!(!row.contains_key("spamScore"), "NaN is no number");
    }
}

#[test]
fn a_record_that_is_no_object_is_malformed() {
    for record in ["", "1", "[]", r#"{"id":"1""#, r#"{"id":"1"}}"#] {
        let mut row = Vec::new();
        let builder = TapRowBuilder::new(TapKind::ClicksBlocked, RowShape::Columns);
        let built = builder.append(record, Repairs::default(), NOW.parse().unwrap(), &mut row);
        assert!(built.is_err(), "{record}");
    }
}

/// Values that a member may have.
fn value() -> impl Strategy<Value = Value> {
    prop_oneof![
        Just(json!(null)),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        (-100i32..100).prop_map(|n| json!(f64::from(n) / 4.0)),
        Just(json!("2026-11-20T07:00:00Z")),
        ".{0,12}".prop_map(Value::from),
        (".{1,3}", 0usize..30_000).prop_map(|(text, times)| Value::from(text.repeat(times))),
        prop::collection::vec(".{0,5}".prop_map(Value::from), 0..4).prop_map(Value::from),
        Just(json!([{"threatID": "t", "threatStatus": "active", "threatTime": NOW}])),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn any_record_fits_its_table_and_nothing_is_lost_in_silence(
        is_message in any::<bool>(),
        values in prop::collection::vec(value(), 31),
        other in value(),
    ) {
        let kind = if is_message { TapKind::MessagesBlocked } else { TapKind::ClicksBlocked };
        let columns = tap_table(kind).columns;
        let names = columns.iter().map(|it| it.name).filter(|name| *name != "TimeGenerated" && *name != "AdditionalFields");
        let mut record: Map<String, Value> =
            names.zip(&values).map(|(name, value)| (name.to_owned(), value.clone())).collect();
        record.insert("newKey".to_owned(), other);
        let text = Value::from(record.clone()).to_string();
        for shape in [RowShape::Columns, RowShape::Legacy] {
            let mut bytes = Vec::new();
            let builder = TapRowBuilder::new(kind, shape);
            let built = builder.append(&text, Repairs::default(), NOW.parse().unwrap(), &mut bytes).unwrap();
            prop_assert!(bytes.len() < 1_000_000 || shape == RowShape::Legacy, "{}", bytes.len());
            let row: Map<String, Value> = serde_json::from_slice(&bytes).unwrap();
            if shape == RowShape::Legacy || built.oversize {
                continue;
            }
            let additional = row.get("AdditionalFields").cloned().unwrap_or_default();
            for (key, sent) in &record {
                let column = columns.iter().find(|it| it.name == key);
                let held = row.get(key);
                if let (Some(column), Some(held)) = (column, held) {
                    prop_assert!(is_of_type(column.column_type, held), "{key}: {held}");
                }
                let is_text_of_json = held
                    .and_then(Value::as_str)
                    .is_some_and(|text| serde_json::from_str::<Value>(text).ok().as_ref() == Some(sent));
                let is_there = held.is_some_and(|held| is_same(held, sent)) || is_text_of_json;
                prop_assert!(is_there || additional[key] == *sent, "{key}: {sent}");
            }
        }
    }
}
