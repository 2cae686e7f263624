//! From the bytes of a TAP record to the bytes of a row. Pure, like all of [`row`](super).

mod columns;
mod identity;
mod legacy;
mod record;
mod typed;

use std::borrow::Cow;

use jiff::Timestamp;
use proofpoint_sentinel_core::tables::{Table, tap_table};
use proofpoint_sentinel_core::tap_kind::TapKind;

use super::additional::AdditionalFields;
use super::columns::time_generated;
use super::event::{MalformedEvent, members};
use super::reduction::reduce;
use super::repair::Repairs;
use super::{RowMetadata, RowShape, cells, legacy as event_legacy};
use record::Record;

/// Makes rows of the TAP records of one kind.
#[derive(Clone, Copy, Debug)]
pub struct TapRowBuilder {
    kind: TapKind,
    table: &'static Table,
    shape: RowShape,
}

impl TapRowBuilder {
    /// Makes rows of records of one kind in one shape.
    pub fn new(kind: TapKind, shape: RowShape) -> TapRowBuilder {
        TapRowBuilder { kind, table: tap_table(kind), shape }
    }

    /// The table that the rows go to.
    pub fn table(&self) -> &'static Table {
        self.table
    }

    /// Writes the row for `record` behind what is in `row`. The row names the `repairs` that made the
    /// record readable.
    ///
    /// The row's time is that of the record's creation: the later of the message's or click's time
    /// and the time of its newest verdict. `now` stands in for it where it can't be read, and where
    /// it is so old that Azure would replace it, or nearly so old, or is yet to come.
    ///
    /// In what is given back, `id` is what the ledger knows the record by
    /// (see [`identity`]), `event_time` is the time of its creation, and there is no
    /// disposition.
    ///
    /// # Errors
    /// If the record is not one JSON object; `row` is then unusable.
    pub fn append<'a>(
        &self,
        record: &'a str,
        repairs: Repairs,
        now: Timestamp,
        row: &mut Vec<u8>,
    ) -> Result<RowMetadata<'a>, MalformedEvent> {
        let found = Record::read(self.kind, record)?;
        let created = found.created();
        let at = created.map_or(now, |at| time_generated(at, now));
        let (most, limit) = match self.shape {
            RowShape::Columns => (columns::MAX_RECORD_BYTES, cells::MAX_VALUE_BYTES),
            RowShape::Legacy => (event_legacy::MAX_EVENT_BYTES, event_legacy::MAX_VALUE_BYTES),
        };
        let mut additional = AdditionalFields::new(limit);
        additional.repaired(repairs);
        if created.is_none() {
            additional.timestamp_unreadable();
        }
        let oversize = match reduce("", record, most, &mut additional) {
            Some(Cow::Owned(short)) => {
                let members = members(&short)?;
                self.finish(&short, at, &members, additional, row)
            }
            _ => self.finish(record, at, &found.members, additional, row),
        };
        Ok(RowMetadata {
            id: Cow::Owned(identity::identity(self.kind, record, &found)),
            disposition: None,
            event_time: created,
            may_have_surrogates: record.contains(r"\u"),
            oversize,
        })
    }

    fn finish<'a>(
        &self,
        record: &str,
        at: Timestamp,
        members: &'a [super::event::Member<'a>],
        additional: AdditionalFields<'a>,
        row: &mut Vec<u8>,
    ) -> bool {
        match self.shape {
            RowShape::Columns => columns::append(self.table, record, at, members, additional, row),
            RowShape::Legacy => legacy::append(at, members, additional, row),
        }
    }
}

#[cfg(test)]
mod tests;
