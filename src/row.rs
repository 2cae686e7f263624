//! From the bytes of an event to the bytes of a row. Pure: no clock, no network, no storage.
//!
//! Bytes pass through: an event's top-level members are found once, and the row is spliced from
//! those slices, so numbers, the order of keys and unknown keys survive. Azure cuts long values
//! silently, so no such value is sent: the row names what it can't hold, and the caller keeps the
//! whole event.

pub mod additional;
pub mod cells;
mod collected_by;
pub mod columns;
pub mod event;
pub mod frame;
pub mod legacy;
pub mod losses;
pub mod member;
pub mod message_parts;
pub mod rank;
pub mod reduction;
pub mod repair;
mod scan;
pub mod tap;
mod text;
pub mod timestamp;

use std::borrow::Cow;

use jiff::Timestamp;
use proofpoint_sentinel_core::feed::EventType;
use proofpoint_sentinel_core::tables::{Table, table};

use crate::settings::MessageText;
use additional::AdditionalFields;
pub use collected_by::CollectedBy;
pub use event::MalformedEvent;
use event::{EventMembers, Member};
use repair::Repairs;
use text::{canonical_json, string_value};

/// The two forms that a row can have.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RowShape {
    /// One column for each top-level key, for the Logs Ingestion API.
    Columns,
    /// The event as the deprecated connector sent it, for the HTTP Data Collector API.
    Legacy,
}

/// Makes rows for one table.
#[derive(Clone, Copy, Debug)]
pub struct RowBuilder {
    event_type: EventType,
    table: &'static Table,
    shape: RowShape,
    message_text: MessageText,
    collected_by: CollectedBy,
}

/// What was found out about an event while its row was built.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RowMetadata<'a> {
    /// What distinguishes the event from all others of its type: its id, or, where it has none, the
    /// whole event in a form that does not depend on the order of keys.
    pub id: Cow<'a, str>,
    /// What Proofpoint decided about a message, and nothing if the event does not say it; `None`
    /// for events of other types.
    pub disposition: Option<Cow<'a, str>>,
    /// The event's own time, where it could be read.
    pub event_time: Option<Timestamp>,
    /// The event may have escapes for halves of characters, with which it is no text.
    pub may_have_surrogates: bool,
    /// The row lacks something, so the whole event must also be kept as a dead letter.
    pub oversize: bool,
}

impl RowBuilder {
    /// Makes rows of events of one type, collected in one way, in one shape.
    pub fn new(
        event_type: EventType,
        shape: RowShape,
        message_text: MessageText,
        collected_by: CollectedBy,
    ) -> RowBuilder {
        RowBuilder { event_type, table: table(event_type), shape, message_text, collected_by }
    }

    /// Writes the row for `event` into `row`, and replaces what was in it.
    ///
    /// `received` stands in for the event's time where that can't be read, and for a `TimeGenerated`
    /// with which rules would not see the row.
    ///
    /// # Errors
    /// If the event is not one JSON object; `row` is then unusable.
    pub fn build<'a>(
        &self,
        event: &'a str,
        received: Timestamp,
        row: &mut Vec<u8>,
    ) -> Result<RowMetadata<'a>, MalformedEvent> {
        row.clear();
        self.append(event, Repairs::default(), received, row)
    }

    /// As [`build`](Self::build), but the row comes behind what is in `row`, and names the
    /// `repairs` that made the event readable.
    ///
    /// # Errors
    /// As [`build`](Self::build).
    pub fn append<'a>(
        &self,
        event: &'a str,
        repairs: Repairs,
        received: Timestamp,
        row: &mut Vec<u8>,
    ) -> Result<RowMetadata<'a>, MalformedEvent> {
        let EventMembers { members, disposition, may_have_surrogates } =
            event::event_members(event)?;
        let ts = members.iter().rev().find(|member| member.key == "ts");
        let event_time = ts.and_then(|ts| timestamp::parse(ts.value));
        let at = event_time.unwrap_or(received);
        let oversize = match self.shape {
            RowShape::Columns => {
                let mut additional = AdditionalFields::new(cells::MAX_VALUE_BYTES);
                additional.repaired(repairs);
                if event_time.is_none() {
                    additional.timestamp_unreadable();
                    if let Some(ts) = ts {
                        additional.keep(ts);
                    }
                }
                columns::start(at, received, self.collected_by, row);
                columns::finish(self.table, self.message_text, event, &members, additional, row)
            }
            RowShape::Legacy => {
                let mut additional = AdditionalFields::new(legacy::MAX_VALUE_BYTES);
                additional.repaired(repairs);
                if event_time.is_none() {
                    additional.timestamp_unreadable();
                }
                legacy::start(self.event_type, at, self.collected_by, row);
                let short = reduction::reduce("", event, legacy::MAX_EVENT_BYTES, &mut additional);
                match short {
                    Some(Cow::Owned(short)) => {
                        let members = event::members(&short)?;
                        legacy::finish(self.message_text, &members, additional, row)
                    }
                    _ => legacy::finish(self.message_text, &members, additional, row),
                }
            }
        };
        let id = self.id(event, &members);
        let disposition = match self.event_type {
            EventType::Message => Some(disposition.and_then(string_value).unwrap_or_default()),
            _ => None,
        };
        Ok(RowMetadata { id, disposition, event_time, may_have_surrogates, oversize })
    }

    fn id<'a>(&self, event: &'a str, members: &[Member<'a>]) -> Cow<'a, str> {
        let id = members.iter().rev().find(|member| member.key == self.table.id);
        match id.and_then(|id| string_value(id.value)) {
            Some(id) if !id.is_empty() => id,
            _ => Cow::Owned(canonical_json(event)),
        }
    }
}

#[cfg(test)]
mod size_tests;
#[cfg(test)]
mod tests;
