//! How values get into the columns of a row for the Logs Ingestion API.

use std::ops::Range;

use proofpoint_sentinel_core::tables::ADDITIONAL_FIELDS;

use super::additional::AdditionalFields;
use super::member::Member;
use super::reduction::reduce;

/// The longest value of a column. Azure silently cuts a value over 64 KB, which breaks its JSON.
/// The rest is margin, because Azure may write the value differently.
pub const MAX_VALUE_BYTES: usize = 64_000;

/// The longest JSON of a text. A text of control characters is six times as long in JSON as in a
/// column. With this limit the longest row of any table fits into a post.
const MAX_TEXT_JSON_BYTES: usize = 2 * MAX_VALUE_BYTES;

/// Members that stand one after the other in the event and in the row, and are copied together.
pub(super) struct MemberRun<'e> {
    event: &'e str,
    span: Range<usize>,
}

impl<'e> MemberRun<'e> {
    /// None yet, of `event`.
    pub(super) fn of(event: &'e str) -> MemberRun<'e> {
        MemberRun { event, span: 0..0 }
    }

    /// Adds a member, which goes into the row as it stands in the event.
    pub(super) fn push(&mut self, member: &Member<'_>, row: &mut Vec<u8>) {
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

    /// Writes what was added. To be called before anything else is written, and at the end.
    pub(super) fn end(&mut self, row: &mut Vec<u8>) {
        if !self.span.is_empty() {
            row.push(b',');
            row.extend_from_slice(&self.event.as_bytes()[self.span.clone()]);
            self.span = 0..0;
        }
    }
}

/// Appends `,"column":value`.
pub(super) fn push_column(row: &mut Vec<u8>, column: &str, value: &str) {
    row.extend_from_slice(b",\"");
    row.extend_from_slice(column.as_bytes());
    row.extend_from_slice(b"\":");
    row.extend_from_slice(value.as_bytes());
}

/// Appends a value of any kind, whole if it fits.
pub(super) fn push_dynamic(
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
pub(super) fn push_string(
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

/// Closes a row with what its columns do not hold. Says whether the row lacks something.
pub(super) fn close(mut additional: AdditionalFields<'_>, row: &mut Vec<u8>) -> bool {
    additional.settle();
    let oversize = additional.is_oversize();
    if let Some(fields) = additional.into_json() {
        push_column(row, ADDITIONAL_FIELDS, &fields);
    }
    row.push(b'}');
    oversize
}
