//! A batch on its way: posted, then remembered.

use std::collections::BTreeMap;
use std::sync::Arc;

use bytes::Bytes;
use jiff::Timestamp;
use proofpoint_sentinel_core::clock::Clock;
use proofpoint_sentinel_core::feed::Feed;
use proofpoint_sentinel_core::hour::Hour;
use proofpoint_sentinel_core::tables::Table;

use super::pipeline::DeliveryError;
use crate::destination::{Batch, Destination};
use crate::lease_scope::LeaseScope;
use crate::report::FeedCounts;
use crate::state::{DeadLetter, DeadLetterReason, EventId, State, StateError};

/// What is known of a row on its way.
#[derive(Clone, Debug)]
pub(super) struct PendingRow {
    /// The event, as it came.
    pub event: Bytes,
    /// The hour of its own time.
    pub hour: Hour,
    /// Its id.
    pub id: EventId,
    /// Its own time, where it could be read.
    pub at: Option<Timestamp>,
}

/// Something for each hour that parcels belong to, made up from its parcels one by one.
pub(super) fn by_hour<T: Default>(
    parcels: &[PendingRow],
    mut add: impl FnMut(&mut T, &PendingRow),
) -> BTreeMap<Hour, T> {
    let mut hours = BTreeMap::new();
    for parcel in parcels {
        add(hours.entry(parcel.hour).or_default(), parcel);
    }
    hours
}

/// What posts of a feed share.
pub(super) struct Posting {
    pub feed: Feed,
    pub table: &'static Table,
    pub destination: Destination,
    pub state: State,
    pub clock: Clock,
    /// Names the run in the ledger.
    pub writer: String,
    /// Whether and until when posts may begin.
    pub scope: LeaseScope,
}

/// What came of a batch.
pub(super) struct Posted {
    pub counts: FeedCounts,
    /// Why not every row of it is accounted for.
    pub error: Option<DeliveryError>,
}

impl Posting {
    /// Posts the batch, keeps refused rows as dead letters, and records both in the ledger.
    pub(super) async fn post(self: Arc<Self>, batch: Batch<PendingRow>) -> Posted {
        let delivery = self.destination.deliver(self.table, batch, &self.scope).await;
        let mut posted = Posted { counts: FeedCounts::default(), error: None };
        posted.counts.add_posts(&delivery);
        if let Some(held) = delivery.held {
            posted.error = Some(DeliveryError::Held(held.reason));
        }
        let now = self.clock.now();
        for parcel in &delivery.delivered {
            posted.counts.saw(parcel.at, now);
        }
        let mut known = delivery.delivered;
        for refused in delivery.refused {
            let (detail, parcel) = (refused.reason.to_string(), refused.tag);
            match self.dead_letter(DeadLetterReason::Refused, &detail, &parcel.event).await {
                Ok(()) => {
                    posted.counts.add_dead_letter(DeadLetterReason::Refused);
                    known.push(parcel);
                }
                Err(error) => posted.error = Some(DeliveryError::DeadLetter(error)),
            }
        }
        for (hour, ids) in by_hour(&known, |ids: &mut Vec<EventId>, known| ids.push(known.id)) {
            if let Err(error) = self.remember(hour, &ids).await {
                posted.error = Some(DeliveryError::Ledger(error));
                break;
            }
        }
        posted
    }

    /// Keeps an event that can't be delivered.
    pub(super) async fn dead_letter(
        &self,
        reason: DeadLetterReason,
        detail: &str,
        event: &[u8],
    ) -> Result<(), StateError> {
        let letter = DeadLetter { reason, feed: &self.feed, detail, event, at: self.clock.now() };
        let name = self.state.put_dead_letter(&letter).await?;
        tracing::warn!(name, detail, "event kept as a dead letter");
        Ok(())
    }

    /// Records events of `hour` that are accounted for.
    pub(super) async fn remember(&self, hour: Hour, ids: &[EventId]) -> Result<(), StateError> {
        let now = self.clock.now();
        self.state.append_ledger(&self.feed, hour, now, &self.writer, ids).await
    }
}
