//! Rows for the Logs Ingestion API: a column for each top-level key of the event.

use std::io::Write;

use proofpoint_sentinel_core::tables::{ADDITIONAL_FIELDS, ColumnType, MESSAGE_PARTS, Table};

use super::additional::AdditionalFields;
use super::event::{Member, members, repeated};
use super::message_parts::{spread, without_content};
use crate::settings::MessageText;

/// The longest value of a column. Azure silently cuts a value over 64 KB, which breaks its JSON.
/// The rest is margin, because Azure may write the value differently.
pub const MAX_VALUE_BYTES: usize = 64_000;

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

/// Appends a value of any kind, whole if it fits. Of an object that does not fit, it appends the
/// members that do.
fn push_dynamic(
    column: &str,
    value: &str,
    additional: &mut AdditionalFields<'_>,
    row: &mut Vec<u8>,
) {
    if value.len() <= MAX_VALUE_BYTES {
        return push_column(row, column, value);
    }
    let Ok(all) = members(value) else {
        return additional.left_out(column);
    };
    let mut kept = String::from("{");
    for member in &all {
        let key = serde_json::Value::from(member.key.as_ref()).to_string();
        if kept.len() + key.len() + member.value.len() + ",:}".len() > MAX_VALUE_BYTES {
            additional.left_out(&format!("{column}.{}", member.key));
            continue;
        }
        if kept.len() > 1 {
            kept.push(',');
        }
        kept.push_str(&key);
        kept.push(':');
        kept.push_str(member.value);
    }
    kept.push('}');
    push_column(row, column, &kept);
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
    push_column(row, column, &serde_json::Value::from(kept).to_string());
}

/// Appends `msgParts`: whole if it fits, else without mail content, else spread over its columns.
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
    let Some(spread) = spread(parts, MESSAGE_PARTS.len(), MAX_VALUE_BYTES) else {
        return push_dynamic(MESSAGE_PARTS[0], parts, additional, row);
    };
    for (column, array) in MESSAGE_PARTS.iter().zip(&spread.arrays) {
        push_column(row, column, array);
    }
    for position in spread.left_out {
        additional.left_out(&format!("msgParts[{position}]"));
    }
}
