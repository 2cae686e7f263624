//! What rows are made of, which decides their table.

use std::borrow::Cow;

use bytes::Bytes;
use jiff::Timestamp;
use proofpoint_sentinel_core::feed::{EventType, Feed, FeedType};
use proofpoint_sentinel_core::tables::{Table, table, tap_table};
use proofpoint_sentinel_core::tap_kind::TapKind;

use crate::row::repair::Repairs;
use crate::row::tap::TapRowBuilder;
use crate::row::{CollectedBy, MalformedEvent, RowBuilder, RowMetadata, RowShape};
use crate::settings::{DestinationSettings, Settings};

/// What rows are made of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum RowType {
    /// Events of one type of the Log API.
    Log(EventType),
    /// TAP records of one kind.
    Tap(TapKind),
}

impl RowType {
    /// Where such rows go.
    pub(super) fn table(self) -> &'static Table {
        match self {
            RowType::Log(event_type) => table(event_type),
            RowType::Tap(kind) => tap_table(kind),
        }
    }

    /// What makes such rows of events that were collected in one way.
    pub(super) fn builder(self, settings: &Settings, by: CollectedBy) -> Builder {
        let shape = row_shape(settings);
        match self {
            RowType::Log(event_type) => {
                Builder::Log(RowBuilder::new(event_type, shape, settings.message_text, by))
            }
            RowType::Tap(kind) => Builder::Tap(TapRowBuilder::new(kind, shape)),
        }
    }

    /// The event as a dead letter has it. A TAP record does not say of which kind it is, so it stands in
    /// its array, as in an answer of the API.
    pub(super) fn dead_letter(self, event: &[u8]) -> Cow<'_, [u8]> {
        match self {
            RowType::Log(_) => Cow::Borrowed(event),
            RowType::Tap(kind) => {
                Cow::Owned([array_head(kind).as_bytes(), event, ARRAY_TAIL].concat())
            }
        }
    }

    /// The opposite of [`dead_letter`](Self::dead_letter); `None` if no array is there.
    pub(super) fn of_dead_letter(feed: &Feed, stored: Bytes) -> Option<(RowType, Bytes)> {
        if let FeedType::Log(event_type) = feed.feed_type {
            return Some((RowType::Log(event_type), stored));
        }
        TapKind::ALL.into_iter().find_map(|kind| {
            let event =
                stored.strip_prefix(array_head(kind).as_bytes())?.strip_suffix(ARRAY_TAIL)?;
            Some((RowType::Tap(kind), stored.slice_ref(event)))
        })
    }
}

/// The form of rows that the destination takes.
pub(super) fn row_shape(settings: &Settings) -> RowShape {
    match settings.destination {
        DestinationSettings::LogsIngestion { .. } => RowShape::Columns,
        DestinationSettings::DataCollector { .. } => RowShape::Legacy,
    }
}

fn array_head(kind: TapKind) -> String {
    format!("{{\"{kind}\":[")
}

const ARRAY_TAIL: &[u8] = b"]}";

/// Makes rows.
pub(super) enum Builder {
    Log(RowBuilder),
    Tap(TapRowBuilder),
}

impl Builder {
    /// Writes the row for `event` behind what is in `row`.
    ///
    /// # Errors
    /// If the event is not one JSON object; `row` is then unusable.
    pub(super) fn append<'a>(
        &self,
        event: &'a str,
        repairs: Repairs,
        received: Timestamp,
        row: &mut Vec<u8>,
    ) -> Result<RowMetadata<'a>, MalformedEvent> {
        match self {
            Builder::Log(builder) => builder.append(event, repairs, received, row),
            Builder::Tap(builder) => builder.append(event, repairs, received, row),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_dead_letter_says_what_its_event_is() {
        let tap = Feed::tap("default");
        for kind in TapKind::ALL {
            for event in [&b"{\"id\":1}"[..], b"", b"]}", b"\xff"] {
                let stored = RowType::Tap(kind).dead_letter(event).into_owned();
                let read = RowType::of_dead_letter(&tap, stored.into());
                assert_eq!(read, Some((RowType::Tap(kind), Bytes::copy_from_slice(event))));
            }
        }
        assert_eq!(RowType::of_dead_letter(&tap, Bytes::from_static(b"{\"id\":1}")), None);
        let row_type = RowType::Log(EventType::Audit);
        let stored = row_type.dead_letter(b"x").into_owned();
        let read = RowType::of_dead_letter(&Feed::log("acme", EventType::Audit), stored.into());
        assert_eq!(read, Some((row_type, Bytes::from_static(b"x"))));
    }
}
