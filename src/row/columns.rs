//! Rows for the Logs Ingestion API: a column for each top-level key of the event.

use jiff::{SignedDuration, Timestamp};
use proofpoint_sentinel_core::tables::{Column, ColumnType, MESSAGE_PARTS, Table};

use super::additional::AdditionalFields;
use super::cells::{MAX_VALUE_BYTES, MemberRun, close, push_column, push_dynamic, push_string};
use super::collected_by::CollectedBy;
use super::event::{Member, Repeated};
use super::message_parts::{fit, without_content};
use super::timestamp;
use crate::settings::MessageText;

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

/// The event's or record's time, unless rules would not see a row of that time: it is too old, or yet to come.
pub(super) fn time_generated(at: Timestamp, received: Timestamp) -> Timestamp {
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
    let mut run = MemberRun::of(event);
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
            _ => {
                push_string(column.name, member.value, &mut additional, row);
            }
        }
    }
    run.end(row);
    close(additional, row)
}

/// Whether the column takes the value byte for byte.
fn fits_as_it_is(column: &Column, value: &str, message_text: MessageText) -> bool {
    let is_of_type = match column.column_type {
        ColumnType::Dynamic => column.name != MESSAGE_PARTS[0] || message_text == MessageText::Fit,
        _ => value == "null" || value.starts_with('"'),
    };
    is_of_type && value.len() <= MAX_VALUE_BYTES
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
