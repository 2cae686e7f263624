//! `msgParts` often outgrows a column. This module leaves out mail content, spreads whole parts over
//! columns, and cuts text into pieces.

use std::ops::Range;

use super::event::{elements, members};
use super::losses::{LossList, Losses};
use super::reduction::{level, reduce, reduce_to_identity};

/// The keys of a message part that hold mail content.
const CONTENT: [&str; 2] = ["textExtracted", "dataBase64"];

/// Where a part stands in an event.
const PATH: &str = "msgParts[]";

/// A part that tells no more than what it is has at most so many bytes.
const MAX_IDENTITY: usize = 512;

/// `parts` without `textExtracted` and `dataBase64`; `None` where it has neither.
///
/// `parts` is an array of objects. A single object is treated as one part, and a part that is not
/// an object stays as it is.
pub fn without_content(parts: &str) -> Option<String> {
    // The letters of a key can be escaped.
    if !CONTENT.iter().any(|key| parts.contains(key)) && !parts.contains(r"\u") {
        return None;
    }
    let Some(list) = elements(parts) else {
        return part_without_content(parts);
    };
    let mut found = false;
    let mut out = String::with_capacity(parts.len() / 2);
    out.push('[');
    for (position, part) in list.iter().enumerate() {
        if position > 0 {
            out.push(',');
        }
        match part_without_content(part) {
            Some(less) => {
                found = true;
                out.push_str(&less);
            }
            None => out.push_str(part),
        }
    }
    out.push(']');
    found.then_some(out)
}

fn part_without_content(part: &str) -> Option<String> {
    let all = members(part).ok()?;
    let kept = || all.iter().filter(|member| !CONTENT.contains(&member.key.as_ref()));
    if kept().count() == all.len() {
        return None;
    }
    let mut out = String::with_capacity(part.len() / 2);
    out.push('{');
    for (position, member) in kept().enumerate() {
        if position > 0 {
            out.push(',');
        }
        out.push_str(&serde_json::Value::from(member.key.as_ref()).to_string());
        out.push(':');
        out.push_str(member.value);
    }
    out.push('}');
    Some(out)
}

/// Whole parts, spread over several arrays.
#[derive(Debug, PartialEq, Eq)]
pub struct SpreadParts {
    /// JSON arrays. Their elements, one array after the other, are the parts in order.
    pub arrays: Vec<String>,
    /// Positions of the parts that did not fit.
    pub left_out: Vec<usize>,
}

/// Spreads the elements of the JSON array `parts` over at most `columns` arrays of at most `limit`
/// bytes each; `None` where it is not an array.
pub fn spread(parts: &str, columns: usize, limit: usize) -> Option<SpreadParts> {
    Some(spread_list(elements(parts)?.into_iter().map(Some), columns, limit))
}

/// Spreads whole parts; one that is `None` counts as one that does not fit.
fn spread_list<P: AsRef<str>>(
    parts: impl Iterator<Item = Option<P>>,
    columns: usize,
    limit: usize,
) -> SpreadParts {
    let mut arrays: Vec<String> = Vec::new();
    let mut left_out = Vec::new();
    for (position, part) in parts.enumerate() {
        let Some(part) = part.as_ref().map(AsRef::as_ref) else {
            left_out.push(position);
            continue;
        };
        if let Some(last) = arrays.last_mut()
            && last.len() + ",]".len() + part.len() <= limit
        {
            last.push(',');
            last.push_str(part);
        } else if arrays.len() < columns && part.len() + "[]".len() <= limit {
            arrays.push(format!("[{part}"));
        } else {
            left_out.push(position);
        }
    }
    for array in &mut arrays {
        array.push(']');
    }
    SpreadParts { arrays, left_out }
}

/// As [`spread`]; parts that do not fit are shortened, the longest first, so that each keeps what
/// tells it from others as long as there is room for that.
pub fn fit(
    parts: &str,
    columns: usize,
    limit: usize,
    losses: &mut dyn Losses,
) -> Option<SpreadParts> {
    let list = elements(parts)?;
    let whole = spread_list(list.iter().copied().map(Some), columns, limit);
    if whole.left_out.is_empty() {
        return Some(whole);
    }
    let lengths = list.iter().map(|part| part.len() + ",".len()).collect();
    let mut longest = level(lengths, columns * limit).min(limit - "[]".len());
    while longest >= MAX_IDENTITY {
        let mut noted = LossList::default();
        let parts = list.iter().map(|part| reduce(PATH, part, longest, &mut noted));
        let fitted = spread_list(parts, columns, limit);
        if fitted.left_out.is_empty() {
            noted.tell(losses);
            return Some(fitted);
        }
        longest = longest / 4 * 3;
    }
    let parts = list.iter().map(|part| reduce_to_identity(PATH, part, MAX_IDENTITY, losses));
    Some(spread_list(parts, columns, limit))
}

/// Cuts `text` into pieces of whole characters, of at most `limit` bytes each. Joined, they are the
/// text again.
pub fn pieces(text: &str, limit: usize) -> impl Iterator<Item = Range<usize>> {
    let mut start = 0;
    std::iter::from_fn(move || {
        if start == text.len() {
            return None;
        }
        let mut end = text.floor_char_boundary(start.saturating_add(limit));
        if end == start {
            // A character that is longer than the limit goes alone.
            end = text.ceil_char_boundary(start + 1);
        }
        let piece = start..end;
        start = end;
        Some(piece)
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use serde_json::{Value, json};

    #[test]
    fn content_is_left_out_and_everything_else_stays_as_it_came() {
        let parts =
            r#"[{"textExtracted":"x","md5":"a","n":1.0},{"md5" : "b"},{"dataBase64":"y"},7]"#;
        assert_eq!(without_content(parts).unwrap(), r#"[{"md5":"a","n":1.0},{"md5" : "b"},{},7]"#);
        assert_eq!(without_content(r#"{"a":1,"textExtracted":""}"#).unwrap(), r#"{"a":1}"#);
        assert_eq!(without_content(r#"[{"text\u0045xtracted":"x"}]"#).unwrap(), "[{}]");
    }

    #[test]
    fn parts_without_content_stay_as_they_are() {
        assert_eq!(without_content(r#"[{"md5":"textExtracted"}]"#), None);
        assert_eq!(without_content("[]"), None);
        assert_eq!(without_content("null"), None);
    }

    proptest! {
        #[test]
        fn spread_parts_joined_are_the_original(
            sizes in prop::collection::vec(0usize..120, 0..40),
            limit in 20usize..200,
            columns in 1usize..5,
        ) {
            let parts: Vec<Value> =
                sizes.iter().enumerate().map(|(n, size)| json!({"n": n, "x": "x".repeat(*size)})).collect();
            let spread = spread(&json!(parts).to_string(), columns, limit).unwrap();
            prop_assert!(spread.arrays.len() <= columns);
            let mut back = Vec::new();
            for array in &spread.arrays {
                prop_assert!(array.len() <= limit);
                back.extend(serde_json::from_str::<Vec<Value>>(array).unwrap());
            }
            let expected: Vec<Value> = parts
                .into_iter()
                .enumerate()
                .filter(|(n, _)| !spread.left_out.contains(n))
                .map(|(_, part)| part)
                .collect();
            prop_assert_eq!(back, expected);
        }

        #[test]
        fn pieces_joined_are_the_text(text in "\\PC{0,300}", limit in 1usize..50) {
            let cut: Vec<&str> = pieces(&text, limit).map(|range| &text[range]).collect();
            prop_assert_eq!(cut.concat(), text.clone());
            for piece in cut {
                prop_assert!(!piece.is_empty());
                prop_assert!(piece.len() <= limit || piece.chars().count() == 1);
            }
        }
    }
}
