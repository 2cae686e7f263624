//! The ledger: which events are delivered, so that an hour that is read again delivers only what
//! is missing.
//!
//! Each run appends to a segment of its own for every hour of which it delivers events: eight
//! bytes that say what it is, then 16 bytes per [`EventId`]. A segment is a set in no order. So it
//! does no harm that a block whose answer was lost is stored twice. What a writer that was killed
//! left of an id at the end of a file is passed over: the events of its last append are then
//! delivered once more.

use bytes::Bytes;
use futures_util::{StreamExt as _, TryStreamExt as _, stream};

use super::State;
use super::error::StateError;
use super::hour_ids::{EventId, HourIds};
use super::objects::{Appended, Layout, sha256_hex};
use crate::feed::Feed;
use crate::hour::Hour;

/// The last two bytes are the version.
const LAYOUT: Layout = Layout { head: b"PODLDG01", record: EventId::BYTES };

const SUFFIX: &str = ".ids";

/// How many ids are appended in one piece, which makes it a mebibyte.
const MOST_AT_ONCE: usize = 1 << 16;

/// How many objects the segment of one writer may have. The first alone takes 50,000 appends or
/// five million ids.
const MOST_PARTS: u32 = 100;

/// How many objects one call deletes.
const MOST_PRUNED: usize = 2_000;

/// How many of them at a time.
const PRUNED_AT_A_TIME: usize = 8;

impl State {
    /// All ids that are recorded for the hour, by whichever run.
    ///
    /// # Errors
    /// [`StateError::Ledger`] where a segment is damaged. It is never passed over: the hour would
    /// be delivered again without anybody having said so.
    /// [`StateError::Service`] (412) where a large blob was appended to while it was read: read an
    /// hour before appending to it, not meanwhile.
    pub async fn read_ledger(&self, feed: &Feed, hour: Hour) -> Result<HourIds, StateError> {
        let mut ids = HourIds::default();
        for name in self.objects.list(&hour_folder(feed, hour)).await? {
            if !name.ends_with(SUFFIX) {
                continue;
            }
            // One that was deleted since it was listed holds nothing.
            let Some((segment, _)) = self.objects.get(&name).await? else { continue };
            match records(&segment) {
                Ok(records) => ids.extend(records.iter().map(|id| EventId::from_bytes(*id))),
                Err(reason) => return Err(StateError::Ledger { name, reason }),
            }
        }
        Ok(ids)
    }

    /// Records ids for the hour in the segment of `writer`, which is the id of the run. They
    /// outlive a crash once this returns. Where it fails, or is dropped before it returns, some of
    /// them may be recorded.
    ///
    /// Appends may run side by side, those of one writer as well.
    pub async fn append_ledger(
        &self,
        feed: &Feed,
        hour: Hour,
        writer: &str,
        ids: &[EventId],
    ) -> Result<(), StateError> {
        let writer = &sha256_hex(writer.as_bytes())[..16];
        let segment = format!("{}{writer}", hour_folder(feed, hour));
        for ids in ids.chunks(MOST_AT_ONCE) {
            let records: Vec<_> = ids.iter().map(|id| id.to_bytes()).collect();
            self.append_to_segment(&segment, records.into_flattened().into()).await?;
        }
        Ok(())
    }

    async fn append_to_segment(&self, segment: &str, records: Bytes) -> Result<(), StateError> {
        for part in 1..=MOST_PARTS {
            let name = part_name(segment, part);
            match self.objects.append(&name, LAYOUT, &records).await? {
                Appended::Done => return Ok(()),
                Appended::Full => {}
            }
        }
        let reason = "it and all its parts are full";
        Err(StateError::Ledger { name: part_name(segment, 1), reason })
    }

    /// Deletes what is recorded for hours before `before`, oldest first, and tells how many
    /// objects went. That is at most 2,000 in one call; the next call goes on from there.
    pub async fn prune_ledger(&self, feed: &Feed, before: Hour) -> Result<usize, StateError> {
        let names = self.objects.list(&feed_folder(feed)).await?;
        let outdated = |name: &String| hour_of(feed, name).is_some_and(|hour| hour < before);
        let deletions = names.into_iter().filter(outdated).take(MOST_PRUNED).map(|name| {
            let objects = self.objects.clone();
            async move { objects.delete(&name).await.map(|()| name) }
        });
        let deleted = stream::iter(deletions).buffer_unordered(PRUNED_AT_A_TIME);
        deleted.try_fold(0, async |count, _| Ok(count + 1)).await
    }
}

fn feed_folder(feed: &Feed) -> String {
    format!("ledger/{feed}/")
}

fn hour_folder(feed: &Feed, hour: Hour) -> String {
    format!("{}{hour}/", feed_folder(feed))
}

fn part_name(segment: &str, part: u32) -> String {
    match part {
        1 => format!("{segment}{SUFFIX}"),
        part => format!("{segment}-{part}{SUFFIX}"),
    }
}

/// The hour that a segment is of; `None` where the name is none of a segment.
fn hour_of(feed: &Feed, name: &str) -> Option<Hour> {
    let (hour, file) = name.strip_prefix(&feed_folder(feed))?.split_once('/')?;
    if file.ends_with(SUFFIX) { hour.parse().ok() } else { None }
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
