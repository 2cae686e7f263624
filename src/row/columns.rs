//! Rows for the Logs Ingestion API: a column for each top-level key of the event.

use std::ops::Range;

use jiff::{SignedDuration, Timestamp};
use proofpoint_sentinel_core::tables::{
    ADDITIONAL_FIELDS, Column, ColumnType, MESSAGE_PARTS, Table,
};

use super::additional::AdditionalFields;
use super::collected_by::CollectedBy;
use super::event::{Member, Repeated};
use super::message_parts::{fit, without_content};
use super::reduction::reduce;
use super::timestamp;
use crate::settings::MessageText;

/// The longest value of a column. Azure silently cuts a value over 64 KB, which breaks its JSON.
/// The rest is margin, because Azure may write the value differently.
pub const MAX_VALUE_BYTES: usize = 64_000;

/// The longest JSON of a text. A text of control characters is six times as long in JSON as in a
/// column. With this limit the longest row of any table fits into a post.
const MAX_TEXT_JSON_BYTES: usize = 2 * MAX_VALUE_BYTES;

/// Azure replaces a `TimeGenerated` that is more than two days old by the time of arrival. A row that
/// is nearly that old gets the time of receipt at once. So rules whose period is just below two days
/// see every row, however late it is.
const MAX_AGE: SignedDuration = SignedDuration::from_hours(46);

/// Opens the row with the event's time, and how the event was collected.
pub(super) fn start(
    at: Timestamp,
    received: Timestamp,
    collected_by: CollectedBy,
    row: &mut Vec<u8>,
) {
    row.extend_from_slice(br#"{"TimeGenerated":""#);
    timestamp::push(time_generated(at, received), row);
    row.extend_from_slice(br#"","eventTime":""#);
    timestamp::push(at, row);
    row.extend_from_slice(br#"","CollectedBy":""#);
    row.extend_from_slice(collected_by.as_str().as_bytes());
    row.push(b'"');
}

/// The event's time, unless rules would not see a row of that time: it is too old, or yet to come.
fn time_generated(at: Timestamp, received: Timestamp) -> Timestamp {
    let age = received.duration_since(at);
    if age > MAX_AGE || age.is_negative() { received } else { at }
}

/// Appends the event's members to a row that [`start`] opened, and closes it. Says whether the row
/// lacks something.
pub(super) fn finish<'a>(
    table: &Table,
    message_text: MessageText,
    event: &str,
    members: &'a [Member<'a>],
    mut additional: AdditionalFields<'a>,
    row: &mut Vec<u8>,
) -> bool {
    let repeated = Repeated::among(members);
    let mut run = Run { event, span: 0..0 };
    for (position, member) in members.iter().enumerate() {
        if repeated.at(position) {
            additional.keep_repeated(member, message_text);
            continue;
        }
        let Some(column) = table.event_column(&member.key) else {
            if member.key != "ts" {
                additional.keep(member);
            }
            continue;
        };
        if fits_as_it_is(column, member.value, message_text) {
            run.push(member, row);
            continue;
        }
        run.end(row);
        match column.column_type {
            ColumnType::Dynamic if column.name == MESSAGE_PARTS[0] => {
                push_message_parts(member.value, &mut additional, row);
            }
            ColumnType::Dynamic => push_dynamic(column.name, member.value, &mut additional, row),
            ColumnType::String | ColumnType::DateTime => {
                push_string(column.name, member.value, &mut additional, row);
            }
        }
    }
    run.end(row);
    additional.settle();
    let oversize = additional.is_oversize();
    if let Some(fields) = additional.into_json() {
        push_column(row, ADDITIONAL_FIELDS, &fields);
    }
    row.push(b'}');
    oversize
}

/// Whether the column takes the value byte for byte.
fn fits_as_it_is(column: &Column, value: &str, message_text: MessageText) -> bool {
    let is_of_type = match column.column_type {
        ColumnType::Dynamic => column.name != MESSAGE_PARTS[0] || message_text == MessageText::Fit,
        ColumnType::String | ColumnType::DateTime => value == "null" || value.starts_with('"'),
    };
    is_of_type && value.len() <= MAX_VALUE_BYTES
}

/// Members that stand one after the other in the event and in the row, and are copied together.
struct Run<'e> {
    event: &'e str,
    span: Range<usize>,
}

impl Run<'_> {
    fn push(&mut self, member: &Member<'_>, row: &mut Vec<u8>) {
        match &member.span {
            Some(span) if !self.span.is_empty() && span.start == self.span.end + ",".len() => {
                self.span.end = span.end;
            }
            Some(span) => {
                self.end(row);
                self.span = span.clone();
            }
            None => {
                self.end(row);
                push_column(row, &member.key, member.value);
            }
        }
    }

    fn end(&mut self, row: &mut Vec<u8>) {
        if !self.span.is_empty() {
            row.push(b',');
            row.extend_from_slice(&self.event.as_bytes()[self.span.clone()]);
            self.span = 0..0;
        }
    }
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

/// Appends what is not a text, or is too long for one. It becomes the text of its JSON.
fn push_string(
    column: &str,
    value: &str,
    additional: &mut AdditionalFields<'_>,
    row: &mut Vec<u8>,
) {
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

/// Appends `msgParts` that do not fit as they are: without mail content, else spread over its columns,
/// else with shortened parts.
fn push_message_parts(parts: &str, additional: &mut AdditionalFields<'_>, row: &mut Vec<u8>) {
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
