//! The complete parser is the measure: what is scanned is what it finds.

use proptest::prelude::*;
use serde_json::{Map, Value};

use super::super::event::{member, parsed_members};
use super::*;

const PATH: Path<'_> = Path("filter", "disposition");

fn assert_is_as_parsed(text: &str) {
    let Some(scan) = scan(text, Some(PATH)) else { return };
    let parsed = parsed_members(text).expect("what is scanned is JSON");
    let pairs = |members: &[Member<'_>]| -> Vec<(String, String)> {
        members.iter().map(|it| (it.key.to_string(), it.value.to_owned())).collect()
    };
    assert_eq!(pairs(&scan.members), pairs(&parsed), "{text}");
    for found in &scan.members {
        let Some(span) = found.span.clone() else { continue };
        assert_eq!(text[span], format!(r#""{}":{}"#, found.key, found.value));
    }
    let filter = parsed.iter().rev().find(|member| member.key == PATH.0);
    assert_eq!(scan.at_path, filter.and_then(|filter| member(filter.value, PATH.1)), "{text}");
}

fn any_value() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        "[ -~é😀\n\"\\\\\u{1}]{0,40}".prop_map(Value::from),
    ];
    leaf.prop_recursive(4, 40, 6, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..5).prop_map(Value::from),
            prop::collection::btree_map("[a-z]{0,20}", inner, 0..5)
                .prop_map(|members| Value::Object(members.into_iter().collect())),
        ]
    })
}

fn any_object() -> impl Strategy<Value = Map<String, Value>> {
    let key = prop_oneof!["[a-zA-Z]{0,9}", Just("filter".to_owned()), Just("ts".to_owned())];
    prop::collection::btree_map(key, any_value(), 0..9).prop_map(|map| map.into_iter().collect())
}

proptest! {
    #[test]
    fn every_object_is_scanned_as_it_is_parsed(object in any_object()) {
        let text = serde_json::to_string(&object).unwrap();
        let pretty = serde_json::to_string_pretty(&object).unwrap();
        for text in [&text, &pretty.replace('\n', " ")] {
            prop_assert!(scan(text, Some(PATH)).is_some());
            assert_is_as_parsed(text);
        }
        assert_is_as_parsed(&pretty);
    }

    /// A byte more, a byte less or another byte, anywhere.
    #[test]
    fn what_is_no_json_is_not_scanned(
        object in any_object(),
        at in any::<prop::sample::Index>(),
        byte in prop::sample::select(b"\"\\{}[]:,0-.eEtu \n\x01x+".to_vec()),
        how in 0..3,
    ) {
        let mut bytes = serde_json::to_vec(&object).unwrap();
        let at = at.index(bytes.len());
        match how {
            0 => bytes.insert(at, byte),
            1 => drop(bytes.remove(at)),
            _ => bytes[at] = byte,
        }
        if let Ok(text) = String::from_utf8(bytes) {
            assert_is_as_parsed(&text);
        }
    }

    #[test]
    fn no_text_of_json_signs_is_scanned_wrongly(
        text in r#"\{("[a\\u0d8"]{0,3}":)?[\[\]{}",:0-9eE.+\- "a\\]{0,14}\}"#,
    ) {
        assert_is_as_parsed(&text);
    }
}

#[test]
fn numbers_words_and_escapes_follow_the_standard() {
    for value in [
        "0",
        "-0",
        "10",
        "0.5",
        "1e9",
        "1E+9",
        "1e-9",
        "true",
        "false",
        "null",
        "[]",
        "{}",
        "[1 , 2]",
        r#""\"\\\/\b\f\n\r\t\u00e9""#,
        r#"[{"a":[[]],"b":{"c":{}}}]"#,
    ] {
        assert!(scan(&format!(r#"{{"k":{value}}}"#), None).is_some(), "{value}");
    }
    for value in [
        "",
        "00",
        "01",
        "-",
        "1.",
        ".5",
        "1e",
        "+1",
        "tru",
        "nul",
        "NaN",
        "[1,]",
        "[,1]",
        "{,}",
        "[1 2]",
        r#"{"a"}"#,
        r#"{"a":}"#,
        r#"{"a":1,}"#,
        r#"{1:1}"#,
        "[}",
        "{]",
        "\"\n\"",
        r#""\x""#,
        r#""\u12g4""#,
        "\"",
        "1}{",
        "1,",
    ] {
        assert!(scan(&format!(r#"{{"k":{value}}}"#), None).is_none(), "{value}");
    }
}

/// So that backslashes and quotes stand on either side of a block's end.
#[test]
fn escapes_are_read_wherever_they_stand() {
    for filler in 0..150 {
        for escapes in [r#"\""#, r"\\", r#"\\\""#, r#"\"\\\\\"\u005c"#, r"\ud800"] {
            let text = format!(r#"{{"a":"{}{escapes}","b":"\\"}}"#, "x".repeat(filler));
            assert!(scan(&text, None).is_some(), "{text}");
            assert_is_as_parsed(&text);
        }
        for broken in [r"\", r"\x", r"\u12", r"\\\"] {
            let text = format!(r#"{{"a":"{}{broken}"}}"#, "x".repeat(filler));
            assert!(scan(&text, None).is_none(), "{text}");
        }
    }
}

#[test]
fn halves_of_characters_are_noticed_wherever_they_stand() {
    for (text, expected) in [
        (r#"{"a":"\ud83d\ude00"}"#, true),
        (r#"{"a":{"b":["\uD83D"]}}"#, true),
        (r#"{"a":{"\udc00":1}}"#, true),
        (r#"{"filter":{"b":"\ud800"}}"#, true),
        (r#"{"a":"\ud7ff\ue000\\ud800"}"#, false),
        (r#"{"a":"d800"}"#, false),
    ] {
        assert_eq!(scan(text, Some(PATH)).unwrap().has_surrogates, expected, "{text}");
    }
}

#[test]
fn deep_nesting_and_escaped_keys_are_left_to_the_parser() {
    let nested = |depth: usize| format!(r#"{{"k":{}{}}}"#, "[".repeat(depth), "]".repeat(depth));
    assert!(scan(&nested(MAX_DEPTH as usize), None).is_some());
    assert!(scan(&nested(200), None).is_none());
    assert!(scan(r#"{"\u0061":1}"#, None).is_none());
    assert!(scan(r#"{"filter":{"\u0061":1}}"#, Some(PATH)).is_none());
    assert!(scan(r#"{"b":{"\u0061":1}}"#, Some(PATH)).is_some());
}

#[test]
fn the_last_value_at_the_path_counts() {
    for (text, expected) in [
        (
            r#"{"filter":{"disposition":"a"},"filter":{"disposition":"b","disposition":"c"}}"#,
            Some("\"c\""),
        ),
        (r#"{"filter":{"disposition":"a"},"filter":{}}"#, None),
        (r#"{"filter":{"disposition":"a"},"filter":5}"#, None),
        (r#"{"x":{"filter":{"disposition":"a"}}}"#, None),
        (r#"{"filter" : { "disposition" : [ 1 ] } }"#, Some("[ 1 ]")),
    ] {
        assert_eq!(scan(text, Some(PATH)).unwrap().at_path, expected, "{text}");
    }
}
