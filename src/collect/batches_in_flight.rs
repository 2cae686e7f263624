//! The batches of a feed that are being committed.

use std::collections::BTreeMap;

use proofpoint_sentinel_core::hour::Hour;
use tokio::task::JoinSet;
use tracing::Instrument;

use super::commit::CommitOutcome;
use super::delivery_error::DeliveryError;
use super::memory::Draw;

/// How many batches of one feed are in flight at most. When that many are, no event is taken, and
/// the server feels the backpressure.
const MAX_BATCHES: usize = 4;

/// While the events of the batches in flight have this many bytes, no event is taken.
const MAX_BYTES: usize = 12 << 20;

/// What of a batch is to be accounted for once it is committed.
pub(super) struct BatchLoad {
    /// Bytes of its events.
    pub(super) bytes: usize,
    /// The memory of its events and rows.
    pub(super) memory: Draw,
    /// How many events it has of which hour.
    pub(super) hours: BTreeMap<Hour, usize>,
}

/// The batches in flight.
#[derive(Default)]
pub(super) struct BatchesInFlight {
    tasks: JoinSet<(CommitOutcome, BatchLoad)>,
    bytes: usize,
}

impl BatchesInFlight {
    /// Whether another batch may be in flight.
    pub(super) fn has_room(&self) -> bool {
        self.tasks.len() < MAX_BATCHES && self.bytes < MAX_BYTES
    }

    /// Begins to commit a batch.
    pub(super) fn begin(
        &mut self,
        load: BatchLoad,
        commit: impl Future<Output = CommitOutcome> + Send + 'static,
    ) {
        self.bytes += load.bytes;
        self.tasks.spawn(async move { (commit.await, load) }.in_current_span());
    }

    /// Waits for a batch to be committed; `None` if none is in flight. Its memory is given back.
    /// Cancel-safe.
    pub(super) async fn next(
        &mut self,
    ) -> Option<Result<(CommitOutcome, BTreeMap<Hour, usize>), DeliveryError>> {
        let (outcome, load) = match self.tasks.join_next().await? {
            Ok(joined) => joined,
            Err(fault) => return Some(Err(fault.into())),
        };
        self.bytes -= load.bytes;
        drop(load.memory);
        Some(Ok((outcome, load.hours)))
    }
}
