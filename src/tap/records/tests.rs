use proptest::prelude::*;

use super::*;

/// Reads a body in pieces. Gives the records as `kind: bytes`, and the end.
fn read_pieces<'a>(
    pieces: impl Iterator<Item = &'a [u8]>,
    max_record: usize,
) -> (Vec<TapRecord>, Result<BodySummary, BodyError>) {
    let mut reader = RecordReader::new(max_record);
    let mut records = Vec::new();
    for piece in pieces {
        reader.push(Bytes::copy_from_slice(piece));
        loop {
            match reader.next_record() {
                Ok(Some(record)) => records.push(record),
                Ok(None) => break,
                Err(error) => return (records, Err(error)),
            }
        }
        assert!(reader.begun.len() <= max_record.max(MAX_TEXT_BYTES) + 1, "memory is bounded");
    }
    (records, reader.finish())
}

fn read(body: &[u8]) -> (Vec<TapRecord>, Result<BodySummary, BodyError>) {
    read_pieces(std::iter::once(body), MAX_RECORD_BYTES)
}

fn texts(records: &[TapRecord]) -> Vec<String> {
    let text = |record: &TapRecord| {
        let form = match record.form {
            RecordForm::Object => "",
            RecordForm::NotAnObject => "not an object: ",
            RecordForm::TooLong => "too long: ",
        };
        format!("{}: {form}{}", record.kind, String::from_utf8_lossy(&record.bytes))
    };
    records.iter().map(text).collect()
}

#[test]
fn records_come_as_they_stand_in_the_body() {
    let body = br#"{ "queryEndTime" : "2024-10-11T14:34:53Z",
        "messagesDelivered":[ {"id":"1","x":[{"]":"}"}]} , {"id" : "2"}],
        "clicksPermitted":[], "clicksBlocked":null,
        "messages\u0042locked":[{"s":"\"\\"}]}
    "#;
    let (records, end) = read(body);
    assert_eq!(
        texts(&records),
        [
            r#"messagesDelivered: {"id":"1","x":[{"]":"}"}]}"#,
            r#"messagesDelivered: {"id" : "2"}"#,
            r#"messagesBlocked: {"s":"\"\\"}"#,
        ]
    );
    let end = end.unwrap();
    assert_eq!(end.query_end, Some("2024-10-11T14:34:53Z".parse().unwrap()));
    assert_eq!(end.unknown_arrays, UnknownArrays::default());
}

#[test]
fn public_answers_are_read_whole() {
    let all = include_bytes!("../../../tests/fixtures/tap/siem_all_response.assembled.json");
    let (records, end) = read(all);
    let count = |kind| records.iter().filter(|record| record.kind == kind).count();
    assert_eq!(TapKind::ALL.map(count), [1, 1, 1, 1]);
    assert!(records.iter().all(|record| record.form == RecordForm::Object));
    assert!(end.unwrap().query_end.is_some());
    for empty in [
        &include_bytes!("../../../tests/fixtures/tap/siem_all_response.empty.json")[..],
        include_bytes!("../../../tests/fixtures/tap/messages_blocked_response.empty.json"),
    ] {
        let (records, end) = read(empty);
        assert_eq!(records, []);
        assert_eq!(end.unwrap().query_end, Some("2024-10-11T14:34:53Z".parse().unwrap()));
    }
}

#[test]
fn what_is_no_record_is_handed_out_as_such() {
    let body = br#"{"clicksBlocked":[1,"a",null,[{"id":"1"}],{"id":"2"}],"clicksPermitted":{"id":"3"},"messagesBlocked":"none"}"#;
    let (records, end) = read(body);
    assert_eq!(
        texts(&records),
        [
            "clicksBlocked: not an object: 1",
            "clicksBlocked: not an object: \"a\"",
            "clicksBlocked: not an object: null",
            "clicksBlocked: not an object: [{\"id\":\"1\"}]",
            "clicksBlocked: {\"id\":\"2\"}",
            "clicksPermitted: {\"id\":\"3\"}",
            "messagesBlocked: not an object: \"none\"",
        ]
    );
    assert!(end.is_ok());
}

#[test]
fn arrays_that_are_not_known_are_counted() {
    let body = br#"{"clicksReported":[{},{"a":[1,2]}],"other":{"clicksBlocked":[1]},"n":-1.5,"messagesSeen":[3],"none":[]}"#;
    let (records, end) = read(body);
    assert_eq!(records, []);
    let arrays = end.unwrap().unknown_arrays;
    let names: Vec<_> = arrays.names().collect();
    assert_eq!(names, [("clicksReported", 2), ("messagesSeen", 1)]);
}

#[test]
fn a_record_that_is_too_long_is_not_held() {
    let long = format!(r#"{{"id":"1","x":"{}"}}"#, "y".repeat(100));
    let body = format!(r#"{{"clicksBlocked":[{long},{{"id":"2"}}],"more":[{long}]}}"#);
    for size in [1, 7, body.len()] {
        let (records, end) = read_pieces(body.as_bytes().chunks(size), 50);
        let kept = format!("clicksBlocked: too long: {}", &long[..50]);
        assert_eq!(texts(&records), [kept.as_str(), r#"clicksBlocked: {"id":"2"}"#], "{size}");
        assert_eq!(end.unwrap().unknown_arrays.members(), 1);
    }
}

#[test]
fn what_is_no_answer_of_the_api_is_an_error() {
    for (body, at, found) in [
        ("<html>\n<p>Blocked", 0, "<html> <p>Blocked"),
        ("\u{feff} [1]", 4, "[1]"),
        (r#"{"a" 1}"#, 5, "1}"),
        (r#"{"clicksBlocked":[{} {}]}"#, 21, "{}]}"),
        (r#"{"clicksBlocked":[{},]}"#, 21, "]}"),
        (r#"{"a":1,}"#, 7, "}"),
        (r#"{"a":,}"#, 5, ",}"),
        (r#"{}x"#, 2, "x"),
        (r#"{1:2}"#, 1, "1:2}"),
    ] {
        let (_, end) = read(body.as_bytes());
        assert_eq!(end, Err(BodyError::NotExpected { at, found: found.to_owned() }), "{body}");
    }
    for body in ["", "\u{feff}", "{", r#"{"a":1"#, r#"{"clicksBlocked":["#] {
        let (_, end) = read(body.as_bytes());
        assert_eq!(end, Err(BodyError::Cut { bytes: body.len() as u64 }), "{body}");
    }
}

/// JSON that a member can be.
fn member() -> impl Strategy<Value = String> {
    let leaf = prop_oneof![
        Just("null".to_owned()),
        "-?[1-9][0-9]{0,3}(\\.[0-9])?",
        ".{0,8}".prop_map(|text| serde_json::to_string(&text).unwrap()),
        r#"[\[\]{}",\\]{0,6}"#.prop_map(|text| serde_json::to_string(&text).unwrap()),
    ];
    leaf.prop_recursive(3, 12, 4, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4)
                .prop_map(|all| format!("[ {}]", all.join(" ,"))),
            prop::collection::vec(("[a-z\"]{0,3}", inner), 0..4).prop_map(|all| {
                let members = all.into_iter().map(|(key, value)| {
                    format!("{}:\t{value}", serde_json::to_string(&key).unwrap())
                });
                format!("{{{}}}", members.collect::<Vec<_>>().join(",\r\n"))
            }),
        ]
    })
}

/// A body, and the records in it.
fn body() -> impl Strategy<Value = (String, Vec<String>)> {
    let key = prop_oneof![
        4 => prop::sample::select(TapKind::ALL.map(TapKind::as_str).to_vec()),
        1 => Just("queryEndTime"),
        1 => Just("others"),
    ];
    let array = (key, prop::collection::vec(member(), 0..5), "[ \n]{0,2}");
    prop::collection::vec(array, 0..6).prop_map(|arrays| {
        let mut records = Vec::new();
        let mut texts = Vec::new();
        for (key, members, blank) in arrays {
            if let Ok(kind) = key.parse::<TapKind>() {
                records.extend(members.iter().map(|member| {
                    let form = if member.starts_with('{') { "" } else { "not an object: " };
                    format!("{kind}: {form}{member}")
                }));
            }
            let members = members.join(&format!("{blank},{blank}"));
            texts.push(format!("{blank}\"{key}\"{blank}:{blank}[{blank}{members}{blank}]{blank}"));
        }
        (format!("{{{}}}\n", texts.join(",")), records)
    })
}

proptest! {
    #[test]
    fn any_pieces_give_the_same_records(
        (body, expected) in body(),
        sizes in prop::collection::vec(1usize..40, 1..20),
    ) {
        prop_assert!(serde_json::from_str::<serde_json::Value>(&body).is_ok(), "{body}");
        let mut rest = body.as_bytes();
        let mut sizes = sizes.iter().cycle();
        let pieces = std::iter::from_fn(|| {
            let (piece, more) = rest.split_at(rest.len().min(*sizes.next()?));
            rest = more;
            (!piece.is_empty()).then_some(piece)
        });
        let (records, end) = read_pieces(pieces, MAX_RECORD_BYTES);
        prop_assert_eq!(texts(&records), expected);
        prop_assert_eq!(end, read(body.as_bytes()).1);
    }

    #[test]
    fn a_body_that_is_cut_gives_the_records_before_that(
        (body, expected) in body(),
        cut in any::<prop::sample::Index>(),
    ) {
        let cut = cut.index(body.len());
        let (records, end) = read(&body.as_bytes()[..cut]);
        let records = texts(&records);
        prop_assert_eq!(&records[..], &expected[..records.len()]);
        let is_whole = cut >= body.trim_end().len();
        prop_assert_eq!(end.is_ok(), is_whole);
        if let Err(error) = end {
            prop_assert_eq!(error, BodyError::Cut { bytes: cut as u64 });
        }
    }

    #[test]
    fn no_bytes_panic_and_pieces_do_not_matter(
        bytes in prop_oneof![
            prop::collection::vec(any::<u8>(), 0..60),
            r#"[\[\]{}:,"\\a1 ]{0,40}"#.prop_map(String::into_bytes),
            r#"\{"clicksBlocked":\[[\[\]{}:,"\\a1 ]{0,30}"#.prop_map(String::into_bytes),
        ],
        size in 1usize..9,
    ) {
        let (records, end) = read_pieces(bytes.chunks(size), 16);
        let (whole, whole_end) = read_pieces(std::iter::once(&bytes[..]), 16);
        prop_assert_eq!(texts(&records), texts(&whole));
        prop_assert_eq!(end.is_ok(), whole_end.is_ok());
    }
}
