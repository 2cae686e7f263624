use proptest::prelude::*;

use super::*;

/// The text of each piece, and whether it is an event.
fn seen(frame: &[u8]) -> Vec<(String, bool)> {
    let text =
        |piece: Piece| (String::from_utf8_lossy(&frame[piece.range]).into_owned(), piece.is_event);
    pieces(frame).into_iter().map(text).collect()
}

fn events(texts: &[&str]) -> Vec<(String, bool)> {
    texts.iter().map(|text| ((*text).to_owned(), true)).collect()
}

const ONE: &str = r#"{"guid":"a","x":"}{][\""}"#;
const TWO: &str = r#"{"guid":"b","y":[{"z":1}]}"#;

#[test]
fn what_stands_around_an_event_is_taken_off() {
    for (before, after) in
        [("\u{feff}", ""), ("", "\0"), ("", "\0\0\r\n \0"), (" \u{feff}\u{feff}\n", "\n\n")]
    {
        assert_eq!(seen(format!("{before}{ONE}{after}").as_bytes()), events(&[ONE]));
    }
}

#[test]
fn several_events_are_found_however_they_are_put_together() {
    for count in [2, 7, 15, 3_000] {
        let all: Vec<&str> = [ONE, TWO].into_iter().cycle().take(count).collect();
        for frame in [
            all.join("\n"),
            all.join("\r\n"),
            all.join(""),
            all.join("\0"),
            all.join("\n\u{feff}"),
            format!("[{}]", all.join(",")),
            format!("[\n  {}\n]\n", all.join(",\n  ")),
            format!("[[{}],[]]", all.join("],[")),
            format!("\u{1e}{}\n", all.join("\n\u{1e}")),
        ] {
            assert_eq!(seen(frame.as_bytes()), events(&all));
        }
    }
}

#[test]
fn a_broken_event_costs_no_other() {
    for broken in [r#"{"guid":"x","y":}"#, r#"{"guid":1 2}"#] {
        for frame in [format!("{ONE}\n{broken}\n{TWO}"), format!("[{ONE},{broken},{TWO}]")] {
            let expected =
                [(ONE.to_owned(), true), (broken.to_owned(), false), (TWO.to_owned(), true)];
            assert_eq!(seen(frame.as_bytes()), expected);
        }
    }
    for broken in [r#"{"guid":"x"#, r#"{"guid":"#, "garbage", r#"{"a":{"b":1}"#, r#""x" 7"#] {
        let expected = [(ONE.to_owned(), true), (broken.to_owned(), false), (TWO.to_owned(), true)];
        assert_eq!(seen(format!("{ONE}\n{broken}\n{TWO}\n").as_bytes()), expected);
    }
}

#[test]
fn a_line_end_inside_of_a_text_does_not_cut_an_event() {
    let event = "{\"guid\":\"a\",\"x\":\"1\n2\"}";
    assert_eq!(seen(event.as_bytes()), events(&[event]));
    assert_eq!(seen(format!("{event}\n{TWO}").as_bytes()), events(&[event, TWO]));
}

#[test]
fn a_frame_without_events_has_no_pieces() {
    for frame in ["", " ", "\n", "\0\0", "\u{feff}", "[]", " [ [], [] ]\n"] {
        assert_eq!(seen(frame.as_bytes()), []);
    }
}

#[test]
fn a_frame_that_can_not_be_read_is_one_piece() {
    for frame in ["null", "7", "\"x\"", "{", "[", "]", "[[[[", "[]]", "{\"a\":1", "\u{fffd}"] {
        assert_eq!(seen(frame.as_bytes()), [(frame.to_owned(), false)]);
    }
}

#[test]
fn a_hostile_frame_is_one_piece_or_none() {
    const MANY: usize = 4 << 20;
    assert_eq!(pieces(&vec![b'\n'; MANY]), []);
    for byte in *b"[]{}\",x" {
        let frame = vec![byte; MANY];
        let found = pieces(&frame);
        let expected = usize::from(byte != b',');
        assert_eq!(found.len(), expected, "{}", char::from(byte));
        assert!(found.iter().all(|piece| !piece.is_event && piece.range == (0..MANY)));
    }
    let objects = b"{}".repeat(MANY / 2);
    assert_eq!(pieces(&objects), [Piece { range: 0..MANY, is_event: false }]);
    let deep = [b"{\"a\":".repeat(100_000), b"1".to_vec(), b"}".repeat(100_000)].concat();
    assert_eq!(pieces(&deep), [Piece { range: 0..deep.len(), is_event: true }]);
    let lines = b"{\"a\":\n".repeat(100_000);
    assert_eq!(pieces(&lines).len(), 1);
}

proptest! {
    #[test]
    fn pieces_are_in_order_and_cover_what_is_not_blank(
        frame in "(\\{|\\}|\\[|\\]|\"|\\\\|,|:|1|a|é|\n|\u{0}| |\\{\"a\":1\\}){0,40}",
    ) {
        let found = pieces(frame.as_bytes());
        let mut end = 0;
        for piece in &found {
            prop_assert!(end <= piece.range.start && piece.range.start < piece.range.end);
            let between = &frame.as_bytes()[end..piece.range.start];
            prop_assert!(between.iter().all(|byte| is_blank(byte) || b"[],".contains(byte)));
            prop_assert_eq!(piece.is_event, read(&frame.as_bytes()[piece.range.clone()]).is_some());
            end = piece.range.end;
        }
        if let Some(whole) = strictly(trimmed_text(&frame)) {
            prop_assert_eq!(&frame[found[0].range.clone()], whole);
        }
    }

    #[test]
    fn no_bytes_panic(frame in prop::collection::vec(any::<u8>(), 0..80)) {
        pieces(&frame);
    }
}

fn trimmed_text(frame: &str) -> &[u8] {
    &frame.as_bytes()[trimmed(frame.as_bytes(), 0..frame.len())]
}
