//! Rows for the HTTP Data Collector API, as the deprecated connector sent them: the record itself. The
//! service derives a column's suffix from the value (`subject_s`, `spamScore_d`, `id_g`). Lists and
//! objects are sent as text, which is how they arrive in that connector's tables.
//!
//! Beyond that connector, `eventTime` carries the row's time, for `TimeGenerated`.

use jiff::Timestamp;

use crate::row::additional::AdditionalFields;
use crate::row::event::{Member, Repeated};
use crate::row::legacy::{MAX_VALUE_BYTES, close, is_column, push_text};
use crate::row::reduction::reduce;
use crate::row::timestamp;
use crate::settings::MessageText;

/// Appends the row. Says whether it lacks something.
pub(super) fn append<'a>(
    at: Timestamp,
    members: &'a [Member<'a>],
    mut additional: AdditionalFields<'a>,
    row: &mut Vec<u8>,
) -> bool {
    row.extend_from_slice(br#"{"eventTime":""#);
    timestamp::push(at, row);
    row.push(b'"');
    let repeated = Repeated::among(members);
    for (position, member) in members.iter().enumerate() {
        if repeated.at(position) {
            additional.keep_repeated(member, MessageText::Fit);
        } else if !is_column(&member.key) {
            additional.keep(member);
        } else if let Some(value) =
            reduce(&member.key, member.value, MAX_VALUE_BYTES, &mut additional)
        {
            if value.starts_with(['[', '{']) {
                push_text(&member.key, &value, row);
            } else {
                row.extend_from_slice(b",\"");
                row.extend_from_slice(member.key.as_bytes());
                row.extend_from_slice(b"\":");
                row.extend_from_slice(value.as_bytes());
            }
        }
    }
    close(additional, row)
}
