//! The ledger: which events are delivered, so that an hour that is read again delivers only what
//! is missing.
//!
//! Each run appends to a segment of its own for every hour of which it delivers events and every way in
//! which they arrived, and begins another one with every hour of the day: the name of a segment tells
//! when it was written last, so that ids of events that came late are kept as long as any other.
//!
//! A segment is eight bytes that say what it is, then 16 bytes per [`EventId`]: a set in no order.
//! So it does no harm that a block whose answer was lost is stored twice. What a writer that was
//! killed left of an id at the end of a file is passed over: the events of its last append are then
//! delivered once more.

mod segment;

use bytes::Bytes;
use futures_util::{StreamExt as _, TryStreamExt as _, stream};
use jiff::Timestamp;
use proofpoint_sentinel_core::feed::Feed;
use proofpoint_sentinel_core::hour::Hour;

use self::segment::{SUFFIX, Segment, arrival, feed_folder, hour_folder, writer};
use super::error::StateError;
use super::event_id::EventId;
use super::hour_counts::{HourCounts, LedgerPart};
use super::hour_ids::HourIds;
use super::object::{Appended, Layout};
use super::store::State;

/// The last two bytes are the version.
const LAYOUT: Layout = Layout { head: b"PODLDG01", record: EventId::BYTES };

/// How many ids are appended in one piece, which makes it a mebibyte.
const MOST_AT_ONCE: usize = 1 << 16;

/// How many objects the segment of one writer may have. The first alone takes 50,000 appends or
/// five million ids.
const MOST_PARTS: u32 = 100;

/// How many segments are read side by side. Their bytes are fewer than those of the set that they
/// become.
const READ_AT_A_TIME: usize = 8;

/// How many objects one call deletes.
const MOST_PRUNED: usize = 2_000;

/// How many of them at a time.
const PRUNED_AT_A_TIME: usize = 8;

/// What is recorded of an hour.
#[derive(Debug, Default)]
pub struct RecordedHour {
    /// The ids of its events.
    pub ids: HourIds,
    /// How many of them arrived in which way.
    pub counts: HourCounts,
}

impl State {
    /// All ids that are recorded for the hour, by whichever run. Whatever ends in `.ids` counts, be
    /// it that someone restored a segment under a name of their own.
    ///
    /// # Errors
    /// [`StateError::Ledger`] where a segment is damaged. It is never passed over: the hour would
    /// be delivered again without anybody having said so.
    pub async fn read_ledger(&self, feed: &Feed, hour: Hour) -> Result<RecordedHour, StateError> {
        let mut names = self.objects.list(&hour_folder(feed, hour)).await?;
        names.retain(|name| name.ends_with(SUFFIX));
        // An event that is recorded in two ways counts for the first.
        names.sort_by_key(|name| arrival(name));
        let segments = names.into_iter().map(|name| {
            let objects = self.objects.clone();
            async move { objects.get(&name).await.map(|segment| (name, segment)) }
        });
        let read = stream::iter(segments).buffered(READ_AT_A_TIME);
        read.try_fold(RecordedHour::default(), async |mut recorded, (name, segment)| {
            // One that was deleted since it was listed holds nothing.
            let Some((segment, _)) = segment else { return Ok(recorded) };
            let (arrival, known) = (arrival(&name), recorded.ids.len());
            let records =
                records(&segment).map_err(|reason| StateError::Ledger { name, reason })?;
            recorded.ids.extend(records.iter().map(|id| EventId::from_bytes(*id)));
            recorded.counts.add(arrival, (recorded.ids.len() - known) as u64);
            Ok(recorded)
        })
        .await
    }

    /// Records ids for the part of the ledger in the segment that `writer`, which is the id of the run, has at
    /// the time `now`. They outlive a crash once this returns. Where it fails, or is dropped before
    /// it returns, some of them may be recorded.
    ///
    /// Appends may run side by side, those of one writer as well.
    pub async fn append_ledger(
        &self,
        feed: &Feed,
        of: LedgerPart,
        now: Timestamp,
        writer_id: &str,
        ids: &[EventId],
    ) -> Result<(), StateError> {
        let (written, writer) = (Hour::containing(now), writer(writer_id));
        let first = Segment { of, written, writer, part: 1 };
        for ids in ids.chunks(MOST_AT_ONCE) {
            let records: Vec<_> = ids.iter().map(|id| id.to_bytes()).collect();
            self.append_to_segment(feed, first, records.into_flattened().into()).await?;
        }
        Ok(())
    }

    /// Makes sure that `writer` can record ids for the part at the time `now`: its segment is there
    /// once this returns.
    pub async fn open_ledger(
        &self,
        feed: &Feed,
        of: LedgerPart,
        now: Timestamp,
        writer_id: &str,
    ) -> Result<(), StateError> {
        let (written, writer) = (Hour::containing(now), writer(writer_id));
        let first = Segment { of, written, writer, part: 1 };
        self.append_to_segment(feed, first, Bytes::new()).await
    }

    async fn append_to_segment(
        &self,
        feed: &Feed,
        first: Segment,
        records: Bytes,
    ) -> Result<(), StateError> {
        for part in 1..=MOST_PARTS {
            let name = Segment { part, ..first }.name(feed);
            match self.objects.append(&name, LAYOUT, &records).await? {
                Appended::Done => return Ok(()),
                Appended::Full => {}
            }
        }
        let reason = "it and all its parts are full";
        Err(StateError::Ledger { name: first.name(feed), reason })
    }

    /// Deletes what is recorded for hours before `unfinished` and was written before
    /// `written_before`, hours in their order, and tells how many objects went. That is at most
    /// 2,000 in one call; the next call goes on from there. What has another name than a segment
    /// is left alone.
    pub async fn prune_ledger(
        &self,
        feed: &Feed,
        unfinished: Hour,
        written_before: Hour,
    ) -> Result<usize, StateError> {
        let names = self.objects.list(&feed_folder(feed)).await?;
        let outdated = |name: &String| {
            Segment::parse(feed, name)
                .is_some_and(|it| it.of.hour < unfinished && it.written < written_before)
        };
        let deletions = names.into_iter().filter(outdated).take(MOST_PRUNED).map(|name| {
            let objects = self.objects.clone();
            async move { objects.delete(&name).await.map(|()| name) }
        });
        let deleted = stream::iter(deletions).buffer_unordered(PRUNED_AT_A_TIME);
        deleted.try_fold(0, async |count, _| Ok(count + 1)).await
    }
}

/// The whole records of a segment. An empty one has none: its writer was stopped before it wrote.
pub(crate) fn records(segment: &[u8]) -> Result<&[[u8; EventId::BYTES]], &'static str> {
    if segment.is_empty() {
        return Ok(&[]);
    }
    match segment.strip_prefix(LAYOUT.head) {
        Some(records) => Ok(records.as_chunks().0),
        None => Err("it does not start with PODLDG01, so it is damaged or of another version"),
    }
}

#[cfg(test)]
mod tests;
