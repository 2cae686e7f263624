//! Rows for the HTTP Data Collector API, as the deprecated connector wrote them: the event itself
//! with `event_type` added and `msgParts` as text. The service flattens objects into columns
//! (`connection_tls_inbound_version_s`).
//!
//! Beyond that connector, `eventTime` carries the event's time in UTC, for `TimeGenerated`.

use std::io::Write;

use proofpoint_sentinel_core::feed::EventType;
use proofpoint_sentinel_core::tables::{ADDITIONAL_FIELDS, MESSAGE_PARTS};

use super::additional::AdditionalFields;
use super::event::{Member, members, repeated};
use super::message_parts::{pieces, spread, without_content};
use crate::settings::MessageText;

/// The longest text of one column, in bytes; the service cuts what is over 32 KB without a word.
pub const LONGEST: usize = 32_000;

/// Into how many columns `msgParts` may be cut. A table has 500 columns at most, and the other
/// keys of a message need over a hundred.
pub const MOST_PIECES: usize = 100;

/// A column's name may have 45 characters with its type's suffix.
const LONGEST_NAME: usize = 43;

/// Values nested deeper than this are left out where they are too long to be taken unseen.
const DEEPEST: usize = 32;

/// Names that the service refuses, and those that rows use for something else.
const RESERVED: [&str; 6] =
    ["tenant", "TimeGenerated", "RawData", "event_type", "eventTime", ADDITIONAL_FIELDS];

/// Opens the row with its type and time.
pub(super) fn start(event_type: EventType, at: jiff::Timestamp, row: &mut Vec<u8>) {
    write!(row, r#"{{"event_type":"{}","eventTime":"{at}""#, event_type)
        .expect("writing to memory does not fail");
}

/// Appends the members after the row's type and time, and closes the row.
pub(super) fn finish<'a>(
    message_text: MessageText,
    event: &'a [Member<'a>],
    mut additional: AdditionalFields<'a>,
    row: &mut Vec<u8>,
) -> bool {
    for (member, repeated) in event.iter().zip(repeated(event)) {
        if repeated {
            additional.keep_repeated(member, message_text);
        } else if !is_column(&member.key) {
            additional.keep(member);
        } else if member.key == MESSAGE_PARTS[0] {
            message_parts(message_text, member.value, &mut additional, row);
        } else {
            row.extend_from_slice(b",\"");
            row.extend_from_slice(member.key.as_bytes());
            row.extend_from_slice(b"\":");
            leaves(&member.key, member.value, DEEPEST, &mut additional, row);
        }
    }
    let oversize = additional.is_oversize();
    if let Some(fields) = additional.into_json() {
        text_column(ADDITIONAL_FIELDS, &fields, row);
    }
    row.push(b'}');
    oversize
}

fn is_column(key: &str) -> bool {
    let numbered_parts = key
        .strip_prefix(MESSAGE_PARTS[0])
        .is_some_and(|rest| !rest.is_empty() && rest.bytes().all(|byte| byte.is_ascii_digit()));
    key.len() <= LONGEST_NAME
        && key.bytes().next().is_some_and(|byte| byte.is_ascii_alphabetic())
        && key.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
        && !RESERVED.iter().any(|name| key.eq_ignore_ascii_case(name))
        && !numbered_parts
}

/// A value as it came, without those of its leaves that are too long. A leaf is what becomes a
/// column: a text, a number, an array.
fn leaves(
    path: &str,
    value: &str,
    deepest: usize,
    additional: &mut AdditionalFields<'_>,
    row: &mut Vec<u8>,
) {
    if value.len() <= LONGEST {
        return row.extend_from_slice(value.as_bytes());
    }
    let object = if deepest > 0 { members(value).ok() } else { None };
    let Some(object) = object else {
        additional.left_out(path);
        return row.extend_from_slice(b"null");
    };
    row.push(b'{');
    for (position, member) in object.iter().enumerate() {
        if position > 0 {
            row.push(b',');
        }
        row.extend_from_slice(serde_json::Value::from(member.key.as_ref()).to_string().as_bytes());
        row.push(b':');
        let path = format!("{path}.{}", member.key);
        leaves(&path, member.value, deepest - 1, additional, row);
    }
    row.push(b'}');
}

fn message_parts(
    text: MessageText,
    parts: &str,
    additional: &mut AdditionalFields<'_>,
    row: &mut Vec<u8>,
) {
    const MOST: usize = LONGEST * MOST_PIECES;
    let mut shorter = None;
    if text == MessageText::Drop || parts.len() > MOST {
        shorter = without_content(parts);
        if shorter.is_some() {
            additional.text_dropped();
        }
    }
    let mut parts = shorter.as_deref().unwrap_or(parts);
    // A piece ends up to three bytes early, at a whole character.
    let kept;
    if parts.len() > MOST - 3 * MOST_PIECES {
        match spread(parts, 1, MOST - 3 * MOST_PIECES) {
            Some(mut whole) => {
                for position in whole.left_out {
                    additional.left_out(&format!("msgParts[{position}]"));
                }
                kept = whole.arrays.pop().unwrap_or_else(|| "[]".to_owned());
                parts = &kept;
            }
            None => return additional.left_out(MESSAGE_PARTS[0]),
        }
    }
    if parts.len() <= LONGEST {
        return text_column(MESSAGE_PARTS[0], parts, row);
    }
    for (piece, range) in pieces(parts, LONGEST).enumerate() {
        text_column(&format!("msgParts{}", piece + 1), &parts[range], row);
    }
}

/// Appends `,"column":"text"`.
fn text_column(column: &str, text: &str, row: &mut Vec<u8>) {
    write!(row, r#","{column}":"#).expect("writing to memory does not fail");
    serde_json::to_writer(row, text).expect("a text can be written to memory");
}
