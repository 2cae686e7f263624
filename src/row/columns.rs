//! Rows for the Logs Ingestion API: a column for each top-level key of the event.

use std::io::Write;

use proofpoint_sentinel_core::tables::{ADDITIONAL_FIELDS, ColumnType, MESSAGE_PARTS, Table};

use super::additional::AdditionalFields;
use super::event::{Member, members, repeated};
use super::message_parts::{spread, without_content};
use crate::settings::MessageText;

/// The longest value of a column, in bytes. Azure cuts a value over 64 KB without a word, which
/// leaves broken JSON; the rest is margin for how it may write the value anew.
pub const LONGEST: usize = 64_000;

/// Appends the members after the row's times, and closes the row.
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
                message_parts(message_text, member.value, &mut additional, row);
            }
            ColumnType::Dynamic => dynamic(column.name, member.value, &mut additional, row),
            ColumnType::String | ColumnType::DateTime => {
                string(column.name, member.value, &mut additional, row);
            }
        }
    }
    let oversize = additional.is_oversize();
    if let Some(fields) = additional.into_json() {
        splice(row, ADDITIONAL_FIELDS, &fields);
    }
    row.push(b'}');
    oversize
}

/// Appends `,"column":value`.
fn splice(row: &mut Vec<u8>, column: &str, value: &str) {
    row.extend_from_slice(b",\"");
    row.extend_from_slice(column.as_bytes());
    row.extend_from_slice(b"\":");
    row.extend_from_slice(value.as_bytes());
}

/// A value of any kind, whole if it fits; of an object that does not, the members that fit.
fn dynamic(column: &str, value: &str, additional: &mut AdditionalFields<'_>, row: &mut Vec<u8>) {
    if value.len() <= LONGEST {
        return splice(row, column, value);
    }
    let Ok(all) = members(value) else {
        return additional.left_out(column);
    };
    let mut kept = String::from("{");
    for member in &all {
        let key = serde_json::Value::from(member.key.as_ref()).to_string();
        if kept.len() + key.len() + member.value.len() + ",:}".len() > LONGEST {
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
    splice(row, column, &kept);
}

/// A text; what is not one is sent as the text of its JSON, and a null as null.
fn string(column: &str, value: &str, additional: &mut AdditionalFields<'_>, row: &mut Vec<u8>) {
    if value == "null" || (value.starts_with('"') && value.len() <= LONGEST) {
        return splice(row, column, value);
    }
    let text = serde_json::from_str::<String>(value).unwrap_or_else(|_| value.to_owned());
    let kept = &text[..text.floor_char_boundary(LONGEST)];
    if kept.len() < text.len() {
        additional.left_out(&format!("{column} (from byte {})", kept.len()));
    }
    splice(row, column, &serde_json::Value::from(kept).to_string());
}

fn message_parts(
    text: MessageText,
    parts: &str,
    additional: &mut AdditionalFields<'_>,
    row: &mut Vec<u8>,
) {
    if parts.len() <= LONGEST && text == MessageText::Fit {
        return splice(row, MESSAGE_PARTS[0], parts);
    }
    let less = without_content(parts);
    if less.is_some() {
        additional.text_dropped();
    }
    let parts = less.as_deref().unwrap_or(parts);
    if parts.len() <= LONGEST {
        return splice(row, MESSAGE_PARTS[0], parts);
    }
    let Some(spread) = spread(parts, MESSAGE_PARTS.len(), LONGEST) else {
        return dynamic(MESSAGE_PARTS[0], parts, additional, row);
    };
    for (column, array) in MESSAGE_PARTS.iter().zip(&spread.arrays) {
        splice(row, column, array);
    }
    for position in spread.left_out {
        additional.left_out(&format!("msgParts[{position}]"));
    }
}

/// Opens the row with its times.
pub(super) fn start(at: jiff::Timestamp, row: &mut Vec<u8>) {
    write!(row, r#"{{"TimeGenerated":"{at}","eventTime":"{at}""#)
        .expect("writing to memory does not fail");
}
