//! Sends the parts of a body: in chunks, with the faults of the transfer, and counted.

use std::collections::BTreeMap;
use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use futures_util::Stream;
use futures_util::stream::unfold;
use proofpoint_sentinel_core::tap_kind::TapKind;

use crate::watch_cell::WatchCell;

use super::body::{BodyPart, BodyParts};
use super::call_fault::CallFault;
use super::counters::TapCounters;

/// Parts are sent together up to this length.
const CHUNK: usize = 16 * 1024;

/// How many chunks of a trickle are sent in a second.
const TRICKLE_CHUNKS: u32 = 20;

/// The chunks of a body.
pub(super) type Chunks = Pin<Box<dyn Stream<Item = io::Result<Bytes>> + Send>>;

/// Sends `parts`, with what `fault` does to the transfer.
pub(super) fn chunks(
    parts: BodyParts,
    fault: Option<CallFault>,
    counters: Arc<WatchCell<TapCounters>>,
) -> Chunks {
    let (stop, pace) = match fault {
        Some(CallFault::CutWithinRecord(count)) => (Some((count, Stop::Cut)), None),
        Some(CallFault::EndWithinRecord(count)) => (Some((count, Stop::End)), None),
        Some(CallFault::StallWithinRecord(count)) => (Some((count, Stop::Stall)), None),
        Some(CallFault::Trickle(bytes)) => (None, Some(Pace::of(bytes))),
        _ => (None, None),
    };
    let transfer = Transfer {
        parts,
        pending: BytesMut::new(),
        records: BTreeMap::new(),
        stop,
        end: None,
        pace,
        open: OpenBody::new(counters),
    };
    Box::pin(unfold(transfer, |mut transfer| async move {
        let chunk = transfer.next().await?;
        Some((chunk, transfer))
    }))
}

/// How a body ends early.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Stop {
    Cut,
    End,
    Stall,
}

struct Transfer {
    parts: BodyParts,
    /// What is not sent yet.
    pending: BytesMut,
    /// Whole records in what was taken from `parts` since the last chunk.
    records: BTreeMap<TapKind, u64>,
    /// After how many records the body stops.
    stop: Option<(u64, Stop)>,
    /// How the body ends after what is pending, once that is known.
    end: Option<BodyEnd>,
    pace: Option<Pace>,
    open: OpenBody,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum BodyEnd {
    Complete,
    Stopped(Stop),
    /// After the last item of the stream.
    Over,
}

impl Transfer {
    async fn next(&mut self) -> Option<io::Result<Bytes>> {
        self.fill();
        if !self.pending.is_empty() {
            return Some(Ok(self.chunk().await));
        }
        let end = self.end.replace(BodyEnd::Over)?;
        match end {
            BodyEnd::Complete => {
                self.open.counters.update(|all| all.complete += 1);
                None
            }
            BodyEnd::Stopped(Stop::End) | BodyEnd::Over => None,
            BodyEnd::Stopped(Stop::Stall) => std::future::pending().await,
            BodyEnd::Stopped(Stop::Cut) => {
                // The server sends what it has before it asks for more.
                tokio::task::yield_now().await;
                Some(Err(io::ErrorKind::ConnectionAborted.into()))
            }
        }
    }

    /// Takes parts until there is a chunk.
    fn fill(&mut self) {
        while self.pending.len() < CHUNK && self.end.is_none() {
            match self.parts.next() {
                None => self.end = Some(BodyEnd::Complete),
                Some(part) => self.add(&part),
            }
        }
    }

    fn add(&mut self, part: &BodyPart) {
        let bytes = part.bytes();
        match (part, &mut self.stop) {
            (BodyPart::Record(..), Some((0, stop))) => {
                self.pending.extend_from_slice(&bytes[..bytes.len() / 2]);
                self.end = Some(BodyEnd::Stopped(*stop));
                return;
            }
            (BodyPart::Record(..), Some((left, _))) => *left -= 1,
            // The answer has fewer records: its last brace is not sent.
            (BodyPart::Frame(_), Some((_, stop))) if bytes == "}" => {
                self.end = Some(BodyEnd::Stopped(*stop));
                return;
            }
            (_, _) => {}
        }
        if let BodyPart::Record(kind, _) = part {
            *self.records.entry(*kind).or_default() += 1;
        }
        self.pending.extend_from_slice(bytes);
    }

    async fn chunk(&mut self) -> Bytes {
        let length = match &self.pace {
            Some(pace) => {
                tokio::time::sleep(pace.pause).await;
                pace.bytes.min(self.pending.len())
            }
            None => self.pending.len(),
        };
        let chunk = self.pending.split_to(length).freeze();
        // Records that are not wholly sent count with a later chunk.
        let whole = self.pending.is_empty().then(|| std::mem::take(&mut self.records));
        self.open.counters.update(|all| {
            all.body_bytes += chunk.len() as u64;
            for (kind, count) in whole.unwrap_or_default() {
                *all.records.entry(kind).or_default() += count;
            }
        });
        chunk
    }
}

/// The speed of a trickle.
struct Pace {
    bytes: usize,
    pause: Duration,
}

impl Pace {
    fn of(bytes_per_second: u32) -> Pace {
        let bytes = (bytes_per_second / TRICKLE_CHUNKS).max(1);
        let pause = Duration::from_secs(1) * bytes / bytes_per_second.max(1);
        Pace { bytes: bytes as usize, pause }
    }
}

/// Counts a body as open until it ends, even if the client stops reading it.
struct OpenBody {
    counters: Arc<WatchCell<TapCounters>>,
}

impl OpenBody {
    fn new(counters: Arc<WatchCell<TapCounters>>) -> OpenBody {
        counters.update(|all| {
            all.open += 1;
            all.most_open = all.most_open.max(all.open);
        });
        OpenBody { counters }
    }
}

impl Drop for OpenBody {
    fn drop(&mut self) {
        self.counters.update(|all| all.open -= 1);
    }
}
