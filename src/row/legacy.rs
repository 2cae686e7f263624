//! Rows for the HTTP Data Collector API, as the deprecated connector wrote them: the event itself
//! with `event_type` added and `msgParts` as text. The service flattens objects into columns
//! (`connection_tls_inbound_version_s`).
//!
//! Beyond that connector, `eventTime` carries the event's time in UTC, for `TimeGenerated`, and
//! `CollectedBy` says how the event was collected.

use std::io::Write;

use proofpoint_sentinel_core::feed::EventType;
use proofpoint_sentinel_core::tables::{ADDITIONAL_FIELDS, COLLECTED_BY, MESSAGE_PARTS};

use super::additional::AdditionalFields;
use super::collected_by::CollectedBy;
use super::event::{Member, Repeated, members};
use super::message_parts::{fit, pieces, without_content};
use super::reduction::{child, reduce};
use crate::settings::MessageText;

/// The longest text of one column. The service silently cuts what is over 32 KB.
pub const MAX_VALUE_BYTES: usize = 32_000;

/// How many columns `msgParts` may be cut into. A table has at most 500 columns, and the other keys
/// of a message need over a hundred.
pub const MAX_PIECES: usize = 100;

/// A column's name may have 45 characters, including the suffix for its type.
const MAX_NAME_CHARS: usize = 43;

/// A longer event is shortened as a whole before its row is built, so that the row fits into a post
/// of 29,000,000 bytes: as text inside of JSON, each quote of `msgParts` takes twice its room.
pub(super) const MAX_EVENT_BYTES: usize = 8_000_000;

/// Values that are too long and nested deeper than this are left out.
const MAX_DEPTH: usize = 32;

/// Names that the service refuses, and names that rows use for something else.
const RESERVED: [&str; 7] = [
    "tenant",
    "TimeGenerated",
    "RawData",
    "event_type",
    "eventTime",
    ADDITIONAL_FIELDS,
    COLLECTED_BY,
];

/// Opens the row with its type and time, and how the event was collected.
pub(super) fn start(
    event_type: EventType,
    at: jiff::Timestamp,
    collected_by: CollectedBy,
    row: &mut Vec<u8>,
) {
    let by = collected_by.as_str();
    write!(row, r#"{{"event_type":"{event_type}","eventTime":"{at}","{COLLECTED_BY}":"{by}""#)
        .expect("writing to memory does not fail");
}

/// Appends the event's members to a row that [`start`] opened, and closes it. Says whether the row
/// lacks something.
pub(super) fn finish<'a>(
    message_text: MessageText,
    event: &'a [Member<'a>],
    mut additional: AdditionalFields<'a>,
    row: &mut Vec<u8>,
) -> bool {
    let repeated = Repeated::among(event);
    for (position, member) in event.iter().enumerate() {
        if repeated.at(position) {
            additional.keep_repeated(member, message_text);
        } else if !is_column(&member.key) {
            additional.keep(member);
        } else if member.key == MESSAGE_PARTS[0] {
            push_message_parts(message_text, member.value, &mut additional, row);
        } else {
            row.extend_from_slice(b",\"");
            row.extend_from_slice(member.key.as_bytes());
            row.extend_from_slice(b"\":");
            push_leaves(&member.key, member.value, MAX_DEPTH, &mut additional, row);
        }
    }
    close(additional, row)
}

/// Closes a row with what its columns do not hold. Says whether the row lacks something.
pub(super) fn close(mut additional: AdditionalFields<'_>, row: &mut Vec<u8>) -> bool {
    additional.settle();
    let oversize = additional.is_oversize();
    if let Some(fields) = additional.into_json() {
        push_text(ADDITIONAL_FIELDS, &fields, row);
    }
    row.push(b'}');
    oversize
}

/// Whether a key can be a column of its own.
pub(super) fn is_column(key: &str) -> bool {
    let numbered_parts = key
        .strip_prefix(MESSAGE_PARTS[0])
        .is_some_and(|rest| !rest.is_empty() && rest.bytes().all(|byte| byte.is_ascii_digit()));
    key.len() <= MAX_NAME_CHARS
        && key.bytes().next().is_some_and(|byte| byte.is_ascii_alphabetic())
        && key.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
        && !RESERVED.iter().any(|name| key.eq_ignore_ascii_case(name))
        && !numbered_parts
}

/// Appends a value as it came, without the leaves that are too long. A leaf is what becomes a
/// column: a text, a number or an array.
fn push_leaves(
    path: &str,
    value: &str,
    depth: usize,
    additional: &mut AdditionalFields<'_>,
    row: &mut Vec<u8>,
) {
    if value.len() <= MAX_VALUE_BYTES {
        return row.extend_from_slice(value.as_bytes());
    }
    let object = if depth > 0 { members(value).ok() } else { None };
    let Some(object) = object else {
        let kept = match value.as_bytes()[0] {
            b'{' => {
                additional.left_out(path);
                None
            }
            _ => reduce(path, value, MAX_VALUE_BYTES, additional),
        };
        return row.extend_from_slice(kept.as_deref().unwrap_or("null").as_bytes());
    };
    row.push(b'{');
    for (position, member) in object.iter().enumerate() {
        if position > 0 {
            row.push(b',');
        }
        row.extend_from_slice(serde_json::Value::from(member.key.as_ref()).to_string().as_bytes());
        row.push(b':');
        let path = child(path, &member.key);
        push_leaves(&path, member.value, depth - 1, additional, row);
    }
    row.push(b'}');
}

/// Appends `msgParts` as text: in one column if it fits, else cut into pieces.
fn push_message_parts(
    text: MessageText,
    parts: &str,
    additional: &mut AdditionalFields<'_>,
    row: &mut Vec<u8>,
) {
    const MAX_BYTES: usize = MAX_VALUE_BYTES * MAX_PIECES;
    let mut shorter = None;
    if text == MessageText::Drop || parts.len() > MAX_BYTES {
        shorter = without_content(parts);
        if shorter.is_some() {
            additional.text_dropped();
        }
    }
    let mut parts = shorter.as_deref().unwrap_or(parts);
    // A piece ends at a whole character, up to three bytes early.
    let kept;
    if parts.len() > MAX_BYTES - 3 * MAX_PIECES {
        match fit(parts, 1, MAX_BYTES - 3 * MAX_PIECES, additional) {
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
    if parts.len() <= MAX_VALUE_BYTES {
        return push_text(MESSAGE_PARTS[0], parts, row);
    }
    for (piece, range) in pieces(parts, MAX_VALUE_BYTES).enumerate() {
        push_text(&format!("msgParts{}", piece + 1), &parts[range], row);
    }
}

/// Appends `,"column":"text"`.
pub(super) fn push_text(column: &str, text: &str, row: &mut Vec<u8>) {
    write!(row, r#","{column}":"#).expect("writing to memory does not fail");
    serde_json::to_writer(row, text).expect("a text can be written to memory");
}
