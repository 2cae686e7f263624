//! Text that others wrote, for a terminal.

/// How many characters of a detail are listed.
const MAX_DETAIL: usize = 100;

/// The detail as one line of bounded length. It may quote a peer, whose text can hold control
/// sequences that a terminal would obey.
pub(super) fn shortened(detail: &str) -> String {
    let mut characters = detail.chars();
    let shown: String = characters.by_ref().take(MAX_DETAIL).collect();
    let more = if characters.next().is_some() { "..." } else { "" };
    printable(&shown) + more
}

/// The text with its control characters escaped.
pub(super) fn printable(text: &str) -> String {
    let mut printable = String::with_capacity(text.len());
    for character in text.chars() {
        if character.is_control() {
            printable.extend(character.escape_default());
        } else {
            printable.push(character);
        }
    }
    printable
}

/// JSON with line breaks and indentation, and otherwise with the characters that it had: numbers and
/// the order of members stay.
pub(super) fn indented(json: &str) -> String {
    let mut text = String::with_capacity(2 * json.len());
    let mut depth = 0;
    let mut rest = json.trim().chars().peekable();
    let mut is_in_text = false;
    let new_line = |text: &mut String, depth: usize| {
        text.push('\n');
        text.extend(std::iter::repeat_n("  ", depth));
    };
    while let Some(character) = rest.next() {
        match character {
            '\\' if is_in_text => {
                text.push(character);
                text.extend(rest.next());
            }
            '"' => {
                is_in_text = !is_in_text;
                text.push(character);
            }
            _ if is_in_text => text.push(character),
            '{' | '[' => {
                text.push(character);
                while rest.next_if(|c| c.is_ascii_whitespace()).is_some() {}
                if rest.peek().is_some_and(|next| !matches!(next, '}' | ']')) {
                    depth += 1;
                    new_line(&mut text, depth);
                } else {
                    text.extend(rest.next());
                }
            }
            '}' | ']' => {
                depth = depth.saturating_sub(1);
                new_line(&mut text, depth);
                text.push(character);
            }
            ',' => {
                text.push(character);
                new_line(&mut text, depth);
            }
            ':' => text.push_str(": "),
            _ if character.is_ascii_whitespace() => {}
            _ => text.push(character),
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use serde_json::{Value, json};

    #[test]
    fn a_detail_is_one_line_without_control_characters() {
        assert_eq!(shortened("a\u{1b}[2J\tb\nü"), "a\\u{1b}[2J\\tb\\nü");
        assert_eq!(shortened(&"ü".repeat(MAX_DETAIL)), "ü".repeat(MAX_DETAIL));
        let long = shortened(&"ü".repeat(MAX_DETAIL + 1));
        assert_eq!(long, "ü".repeat(MAX_DETAIL) + "...");
    }

    #[test]
    fn indented_json_keeps_its_spelling() {
        let json = r#" {"b":1.50, "a" : [ ],"t":"a \" , {\\","c":{ },"d":[1,{"e":null}]} "#;
        let expected = r#"{
  "b": 1.50,
  "a": [],
  "t": "a \" , {\\",
  "c": {},
  "d": [
    1,
    {
      "e": null
    }
  ]
}"#;
        assert_eq!(indented(json), expected);
    }

    proptest! {
        #[test]
        fn indented_json_means_the_same(texts in prop::collection::vec(any::<String>(), 0..4)) {
            let value = json!({"a": texts, "b": {"c": texts.first(), "d": [[], {}, [1]]}});
            for json in [value.to_string(), serde_json::to_string_pretty(&value).unwrap()] {
                let text = indented(&json);
                prop_assert_eq!(&serde_json::from_str::<Value>(&text).unwrap(), &value);
                prop_assert_eq!(&indented(&text), &text);
                prop_assert_eq!(&text, &serde_json::to_string_pretty(&value).unwrap());
            }
        }
    }
}
