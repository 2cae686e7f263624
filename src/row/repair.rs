//! Makes JSON of an event that is almost JSON. Nothing but the faults is changed.

/// What was repaired in an event.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Repairs {
    invalid_utf8: bool,
    control_characters: bool,
    not_a_number: bool,
    lone_surrogates: bool,
    escapes: bool,
}

impl Repairs {
    /// Whether a character was replaced, so that two events can have become one text.
    pub fn replaced(self) -> bool {
        self.invalid_utf8 || self.lone_surrogates
    }

    /// What was repaired, as the row's notes name it.
    pub fn names(self) -> impl Iterator<Item = &'static str> {
        let named = [
            (self.invalid_utf8, "bytes that are not UTF-8: replaced"),
            (self.control_characters, "control characters: escaped"),
            (self.not_a_number, "NaN, Infinity: as text"),
            (self.lone_surrogates, "lone surrogates: replaced"),
            (self.escapes, "unknown escapes: as text"),
        ];
        named.into_iter().filter_map(|(was, name)| was.then_some(name))
    }
}

/// What stands for a character that does not exist.
const REPLACEMENT: &str = r"\ufffd";

/// Values that JSON lacks, and that many writers of JSON know.
const NOT_A_NUMBER: [&str; 3] = ["-Infinity", "Infinity", "NaN"];

/// Whether the JSON text `text` has an escape for half a character.
pub fn has_lone_surrogate(text: &str) -> bool {
    if !text.contains(r"\ud") && !text.contains(r"\uD") {
        return false;
    }
    let mut rest = text;
    while let Some(at) = rest.find('\\') {
        let (length, kind) = escape(&rest[at..]);
        if kind == Escape::LoneSurrogate {
            return true;
        }
        rest = &rest[at + length..];
    }
    false
}

/// The event as text in which each fault that is known is repaired. It may still not be JSON.
pub fn repair(event: &[u8]) -> (String, Repairs) {
    let text = String::from_utf8_lossy(event);
    let mut repairs =
        Repairs { invalid_utf8: matches!(text, std::borrow::Cow::Owned(_)), ..Repairs::default() };
    let mut out = String::with_capacity(text.len() + 64);
    let mut rest = &*text;
    let mut in_text = false;
    while !rest.is_empty() {
        let plain = rest.find(|c: char| needs_look(c, in_text)).unwrap_or(rest.len());
        out.push_str(&rest[..plain]);
        rest = &rest[plain..];
        let Some(first) = rest.chars().next() else { break };
        let length = match first {
            '"' => {
                in_text = !in_text;
                out.push('"');
                1
            }
            '\\' if in_text => push_escape(rest, &mut out, &mut repairs),
            _ if in_text => {
                repairs.control_characters = true;
                out.push_str(&format!("\\u{:04x}", first as u32));
                1
            }
            _ => push_outside(rest, first, &mut out, &mut repairs),
        };
        rest = &rest[length..];
    }
    (out, repairs)
}

/// Whether the character can be, or begin, a fault or a text.
fn needs_look(character: char, in_text: bool) -> bool {
    match character {
        '"' => true,
        '\\' => in_text,
        'N' | 'I' | '-' => !in_text,
        _ => character < ' ',
    }
}

/// Appends what stands outside of texts: a value that JSON lacks becomes a text.
fn push_outside(rest: &str, first: char, out: &mut String, repairs: &mut Repairs) -> usize {
    if let Some(name) = NOT_A_NUMBER.into_iter().find(|name| rest.starts_with(name)) {
        repairs.not_a_number = true;
        out.push_str(&format!("\"{name}\""));
        return name.len();
    }
    let is_blank = matches!(first, '\t' | '\n' | '\r') || first >= ' ';
    repairs.control_characters |= !is_blank;
    out.push(if is_blank { first } else { ' ' });
    1
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Escape {
    Known,
    LoneSurrogate,
    Unknown,
}

/// Appends the escape at the start of `rest`.
fn push_escape(rest: &str, out: &mut String, repairs: &mut Repairs) -> usize {
    let (length, kind) = escape(rest);
    match kind {
        Escape::Known => out.push_str(&rest[..length]),
        Escape::LoneSurrogate => {
            repairs.lone_surrogates = true;
            out.push_str(REPLACEMENT);
        }
        Escape::Unknown => {
            repairs.escapes = true;
            out.push_str(r"\\");
        }
    }
    length
}

/// The length of the escape at the start of `rest`; a pair of surrogates is one.
pub fn escape_length(rest: &str) -> usize {
    escape(rest).0
}

/// The length of the escape at the start of `rest`, and of which kind it is. Of an unknown one only
/// the backslash counts.
fn escape(rest: &str) -> (usize, Escape) {
    match rest.as_bytes().get(1) {
        Some(b'"' | b'\\' | b'/' | b'b' | b'f' | b'n' | b'r' | b't') => (2, Escape::Known),
        Some(b'u') => match unit(rest) {
            Some(0xd800..=0xdbff) => match rest.get(6..).and_then(unit) {
                Some(0xdc00..=0xdfff) => (12, Escape::Known),
                _ => (6, Escape::LoneSurrogate),
            },
            Some(0xdc00..=0xdfff) => (6, Escape::LoneSurrogate),
            Some(_) => (6, Escape::Known),
            None => (1, Escape::Unknown),
        },
        _ => (1, Escape::Unknown),
    }
}

/// The number in the `\u` escape at the start of `text`.
fn unit(text: &str) -> Option<u16> {
    let digits = text.strip_prefix(r"\u")?.get(..4)?;
    let is_hex = digits.bytes().all(|byte| byte.is_ascii_hexdigit());
    is_hex.then(|| u16::from_str_radix(digits, 16).ok())?
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn repaired(event: &[u8]) -> (String, Vec<&'static str>) {
        let (text, repairs) = repair(event);
        (text, repairs.names().collect())
    }

    #[test]
    fn each_fault_is_repaired_and_named() {
        let cases: [(&[u8], &str, &str); 8] = [
            (b"{\"a\":\"x\ty\x01\"}", r#"{"a":"x\u0009y\u0001"}"#, "control characters: escaped"),
            (b"{\"a\":\"x\ny\"}", r#"{"a":"x\u000ay"}"#, "control characters: escaped"),
            (br#"{"a":NaN}"#, r#"{"a":"NaN"}"#, "NaN, Infinity: as text"),
            (br#"[Infinity,-Infinity]"#, r#"["Infinity","-Infinity"]"#, "NaN, Infinity: as text"),
            (br#"{"\ud800k":1}"#, r#"{"\ufffdk":1}"#, "lone surrogates: replaced"),
            (
                br#"{"k":"\uD83D\uDE00\udc00"}"#,
                r#"{"k":"\uD83D\uDE00\ufffd"}"#,
                "lone surrogates: replaced",
            ),
            (br#"{"a":"\x41\u12"}"#, r#"{"a":"\\x41\\u12"}"#, "unknown escapes: as text"),
            (
                b"{\"a\":\"caf\xe9\"}",
                "{\"a\":\"caf\u{fffd}\"}",
                "bytes that are not UTF-8: replaced",
            ),
        ];
        for (event, expected, name) in cases {
            assert_eq!(repaired(event), (expected.to_owned(), vec![name]));
        }
    }

    #[test]
    fn half_a_character_is_found_only_in_its_own_escape() {
        for (text, expected) in [
            (r#"{"a":"\ud83d\ude00"}"#, false),
            (r#"{"a":"\\ud800"}"#, false),
            (r#"{"a":"\\\ud800"}"#, true),
            (r#"{"a":"\uDFFF"}"#, true),
            (r#"{"a":"\ud7ff"}"#, false),
        ] {
            assert_eq!(has_lone_surrogate(text), expected, "{text}");
        }
    }

    proptest! {
        #[test]
        fn json_stays_as_it_is(text in "\\PC{0,40}", number in any::<f64>()) {
            let event = serde_json::json!({"-NaN": [text, -number], "b": null}).to_string();
            prop_assert_eq!(repaired(event.as_bytes()), (event.clone(), Vec::new()));
        }

        #[test]
        fn no_bytes_panic(event in prop::collection::vec(any::<u8>(), 0..60)) {
            let (text, _) = repair(&event);
            has_lone_surrogate(&text);
        }
    }
}
