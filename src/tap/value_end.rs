//! Where a JSON value ends whose bytes come in pieces.

/// Follows one value from its first byte to its end. It does not check that all of it is JSON: who
/// takes the value does. Whatever the value holds, its end is found where brackets and quotes say
/// that it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct ValueEnd {
    /// How many brackets are open.
    depth: u64,
    place: Place,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Place {
    /// Before the first byte.
    Begin,
    /// In a number or a word.
    Bare,
    /// In a text.
    Text,
    /// In a text, behind a backslash.
    Escape,
    /// Within brackets.
    Brackets,
}

impl ValueEnd {
    /// Before the first byte of a value.
    pub(super) fn new() -> ValueEnd {
        ValueEnd { depth: 0, place: Place::Begin }
    }

    /// Goes over `bytes`, which follow those that were gone over. Gives the length of what of them
    /// belongs to the value, if the value ends within them.
    pub(super) fn advance(&mut self, bytes: &[u8]) -> Option<usize> {
        let mut at = 0;
        while at < bytes.len() {
            let byte = bytes[at];
            at += 1;
            match self.place {
                Place::Begin => self.enter(byte),
                Place::Bare => {
                    if matches!(byte, b',' | b']' | b'}' | b' ' | b'\n' | b'\r' | b'\t') {
                        return Some(at - 1);
                    }
                }
                Place::Escape => self.place = Place::Text,
                Place::Text => {
                    let rest = &bytes[at - 1..];
                    let special = rest.iter().position(|byte| matches!(byte, b'"' | b'\\'));
                    at = special.map_or(bytes.len(), |special| at + special);
                    match special.map(|special| rest[special]) {
                        Some(b'\\') => self.place = Place::Escape,
                        Some(_) if self.depth == 0 => return Some(at),
                        Some(_) => self.place = Place::Brackets,
                        None => {}
                    }
                }
                Place::Brackets => match byte {
                    b'"' => self.place = Place::Text,
                    b'{' | b'[' => self.depth += 1,
                    b'}' | b']' => {
                        self.depth -= 1;
                        if self.depth == 0 {
                            return Some(at);
                        }
                    }
                    _ => {}
                },
            }
        }
        None
    }

    fn enter(&mut self, first: u8) {
        self.place = match first {
            b'"' => Place::Text,
            b'{' | b'[' => {
                self.depth = 1;
                Place::Brackets
            }
            _ => Place::Bare,
        };
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_ends_where_its_brackets_and_quotes_say() {
        for (value, rest) in [
            (r#"{"a":"}","b":[{}]}"#, ",{}"),
            (r#"["\"]\\",[]]"#, "]"),
            (r#""a\\\"b,""#, ",1"),
            ("-1.5e3", ",2"),
            ("null", "]"),
            ("true", " ]"),
            (r#"{"a":[1}]"#, "x"),
        ] {
            let whole = format!("{value}{rest}");
            for cut in 0..=whole.len() {
                let (first, second) = whole.as_bytes().split_at(cut);
                let mut end = ValueEnd::new();
                let found = end.advance(first).or_else(|| Some(cut + end.advance(second)?));
                assert_eq!(found, Some(value.len()), "{whole} cut at {cut}");
            }
            assert_eq!(ValueEnd::new().advance(&value.as_bytes()[..value.len() - 1]), None);
        }
    }
}
