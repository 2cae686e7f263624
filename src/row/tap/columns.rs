//! Rows for the Logs Ingestion API: the columns of Microsoft's own tables, and `AdditionalFields` for
//! what these can't hold.

use std::borrow::Cow;

use jiff::Timestamp;
use proofpoint_sentinel_core::tables::{Column, ColumnType, Table};

use super::typed::{Held, held};
use crate::row::additional::AdditionalFields;
use crate::row::cells::{
    MAX_VALUE_BYTES, MemberRun, close, push_column, push_dynamic, push_string,
};
use crate::row::event::{Member, Repeated};
use crate::row::timestamp;
use crate::settings::MessageText;

/// A longer record is shortened as a whole before its row is built, so that the row fits into a post of
/// 1,000,000 bytes: JSON in a column of text takes twice its room.
pub(super) const MAX_RECORD_BYTES: usize = 400_000;

/// Keys that earlier releases of the API had, and the columns that their values go to.
const FORMER_KEYS: [(&str, &str); 1] = [("clusterId", "cluster")];

/// Appends the row. Says whether it lacks something.
pub(super) fn append<'a>(
    table: &Table,
    record: &str,
    at: Timestamp,
    members: &'a [Member<'a>],
    mut additional: AdditionalFields<'a>,
    row: &mut Vec<u8>,
) -> bool {
    row.extend_from_slice(br#"{"TimeGenerated":""#);
    timestamp::push(at, row);
    row.push(b'"');
    let repeated = Repeated::among(members);
    let mut run = MemberRun::of(record);
    for (position, member) in members.iter().enumerate() {
        if repeated.at(position) {
            additional.keep_repeated(member, MessageText::Fit);
            continue;
        }
        let Some(column) = column_of(table, members, position) else {
            additional.keep(member);
            continue;
        };
        let Held { json, is_exact } = held(column.column_type, member.value);
        let is_named_so = member.key == column.name;
        if !is_exact || !is_named_so {
            additional.keep(member);
        }
        match json {
            Some(Cow::Borrowed(json))
                if is_named_so && json == member.value && fits_as_it_is(column, json) =>
            {
                run.push(member, row);
            }
            Some(json) => {
                run.end(row);
                push(column, &json, &mut additional, row);
            }
            None => {}
        }
    }
    run.end(row);
    close(additional, row)
}

/// The column for the member at this position: that of its name, or else the one that its key means,
/// if no other member before it has that.
fn column_of(table: &Table, members: &[Member<'_>], position: usize) -> Option<&'static Column> {
    let key = &members[position].key;
    if let Some(column) = table.record_column(key) {
        return Some(column);
    }
    let column = meant_by(table, key)?;
    let mut others = members.iter().enumerate().filter(|(n, _)| *n != position);
    let is_taken = others.any(|(n, other)| {
        other.key == column.name || (n < position && meant_by(table, &other.key) == Some(column))
    });
    (!is_taken).then_some(column)
}

/// The column that a key means which has another name.
fn meant_by(table: &Table, key: &str) -> Option<&'static Column> {
    if let Some((_, name)) = FORMER_KEYS.iter().find(|(former, _)| *former == key) {
        return table.record_column(name);
    }
    let columns = table.columns.iter().filter(|column| column.name.eq_ignore_ascii_case(key));
    columns.filter(|column| column.name != key).find_map(|column| table.record_column(column.name))
}

/// Whether the column takes the value byte for byte.
fn fits_as_it_is(column: &Column, value: &str) -> bool {
    let is_text = value == "null" || value.starts_with('"');
    value.len() <= MAX_VALUE_BYTES && (column.column_type != ColumnType::String || is_text)
}

/// Appends a value that does not stand in the record like that.
fn push(column: &Column, json: &str, additional: &mut AdditionalFields<'_>, row: &mut Vec<u8>) {
    match column.column_type {
        _ if fits_as_it_is(column, json) => push_column(row, column.name, json),
        ColumnType::Dynamic => push_dynamic(column.name, json, additional, row),
        _ => push_string(column.name, json, additional, row),
    }
}
