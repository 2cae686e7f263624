//! Rows for the Logs Ingestion API: a column for each top-level key of the event.

use std::io::Write;

use proofpoint_sentinel_core::tables::{ADDITIONAL_FIELDS, ColumnType, MESSAGE_PARTS, Table};

use super::additional::AdditionalFields;
use super::event::{Member, repeated};
use super::message_parts::{fit, without_content};
use super::reduction::reduce;
use crate::settings::MessageText;

/// The longest value of a column. Azure silently cuts a value over 64 KB, which breaks its JSON.
/// The rest is margin, because Azure may write the value differently.
pub const MAX_VALUE_BYTES: usize = 64_000;

/// The longest JSON of a text. A text of control characters is six times as long in JSON as in a
/// column. With this limit the longest row of any table fits into a post.
const MAX_TEXT_JSON_BYTES: usize = 2 * MAX_VALUE_BYTES;

/// Opens the row with its times.
pub(super) fn start(at: jiff::Timestamp, row: &mut Vec<u8>) {
    write!(row, r#"{{"TimeGenerated":"{at}","eventTime":"{at}""#)
        .expect("writing to memory does not fail");
}

/// Appends the event's members to a row that [`start`] opened, and closes it. Says whether the row
/// lacks something.
pub(super) fn finish<'a>(
    table: &Table,
    message_text: MessageText,
    event: &'a [Member<'a>],
    mut additional: AdditionalFields<'a>,
    row: &mut Vec<u8>,
) -> bool {
    for (member, repeated) in event.iter().zip(repeated(event)) {
        if repeated {
            additional.keep_repeated(member, message_text);
            continue;
        }
        let Some(column) = table.event_column(&member.key) else {
            if member.key != "ts" {
                additional.keep(member);
            }
            continue;
        };
        match column.column_type {
            ColumnType::Dynamic if column.name == MESSAGE_PARTS[0] => {
                push_message_parts(message_text, member.value, &mut additional, row);
            }
            ColumnType::Dynamic => push_dynamic(column.name, member.value, &mut additional, row),
            ColumnType::String | ColumnType::DateTime => {
                push_string(column.name, member.value, &mut additional, row);
            }
        }
    }
    additional.settle();
    let oversize = additional.is_oversize();
    if let Some(fields) = additional.into_json() {
        push_column(row, ADDITIONAL_FIELDS, &fields);
    }
    row.push(b'}');
    oversize
}

/// Appends `,"column":value`.
fn push_column(row: &mut Vec<u8>, column: &str, value: &str) {
    row.extend_from_slice(b",\"");
    row.extend_from_slice(column.as_bytes());
    row.extend_from_slice(b"\":");
    row.extend_from_slice(value.as_bytes());
}

/// Appends a value of any kind, whole if it fits.
fn push_dynamic(
    column: &str,
    value: &str,
    additional: &mut AdditionalFields<'_>,
    row: &mut Vec<u8>,
) {
    if let Some(kept) = reduce(column, value, MAX_VALUE_BYTES, additional) {
        push_column(row, column, &kept);
    }
}

/// Appends a text. Another value becomes the text of its JSON, and null stays null.
fn push_string(
    column: &str,
    value: &str,
    additional: &mut AdditionalFields<'_>,
    row: &mut Vec<u8>,
) {
    if value == "null" || (value.starts_with('"') && value.len() <= MAX_VALUE_BYTES) {
        return push_column(row, column, value);
    }
    let text = serde_json::from_str::<String>(value).unwrap_or_else(|_| value.to_owned());
    let kept = &text[..text.floor_char_boundary(MAX_VALUE_BYTES)];
    if kept.len() < text.len() {
        additional.left_out(&format!("{column} (from byte {})", kept.len()));
    }
    let json = serde_json::Value::from(kept).to_string();
    if let Some(kept) = reduce(column, &json, MAX_TEXT_JSON_BYTES, additional) {
        push_column(row, column, &kept);
    }
}

/// Appends `msgParts`: whole if it fits, else without mail content, else spread over its columns,
/// else with shortened parts.
fn push_message_parts(
    text: MessageText,
    parts: &str,
    additional: &mut AdditionalFields<'_>,
    row: &mut Vec<u8>,
) {
    if parts.len() <= MAX_VALUE_BYTES && text == MessageText::Fit {
        return push_column(row, MESSAGE_PARTS[0], parts);
    }
    let less = without_content(parts);
    if less.is_some() {
        additional.text_dropped();
    }
    let parts = less.as_deref().unwrap_or(parts);
    if parts.len() <= MAX_VALUE_BYTES {
        return push_column(row, MESSAGE_PARTS[0], parts);
    }
    let Some(fitted) = fit(parts, MESSAGE_PARTS.len(), MAX_VALUE_BYTES, additional) else {
        return push_dynamic(MESSAGE_PARTS[0], parts, additional, row);
    };
    for (column, array) in MESSAGE_PARTS.iter().zip(&fitted.arrays) {
        push_column(row, column, array);
    }
    for position in fitted.left_out {
        additional.left_out(&format!("msgParts[{position}]"));
    }
}
