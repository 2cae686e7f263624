//! A batch is committed: posted, and then recorded in the ledger.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use bytes::Bytes;
use jiff::Timestamp;
use proofpoint_sentinel_core::clock::Clock;
use proofpoint_sentinel_core::feed::Feed;
use proofpoint_sentinel_core::hour::Hour;
use tokio::sync::Mutex;

use super::delivery_error::DeliveryError;
use super::evidence::Evidence;
use super::fault::wider;
use super::recorder::Recorder;
use super::row_type::RowType;
use crate::destination::{Batch, BatchOutcome, Destination, RefusedRow};
use crate::error_code;
use crate::lease_scope::LeaseScope;
use crate::report::FeedCounts;
use crate::state::{DeadLetter, DeadLetterReason, EventId, State, StateError};

/// What is known of a row that waits for its post to be answered.
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

/// A value for each hour that rows belong to, to which its rows are added one by one.
pub(super) fn by_hour<T: Default>(
    rows: &[PendingRow],
    mut add: impl FnMut(&mut T, &PendingRow),
) -> BTreeMap<Hour, T> {
    let mut hours = BTreeMap::new();
    for row in rows {
        add(hours.entry(row.hour).or_default(), row);
    }
    hours
}

/// Commits the batches of a feed.
pub(super) struct Committer {
    pub feed: Feed,
    pub row_type: RowType,
    pub destination: Destination,
    pub state: State,
    pub clock: Clock,
    /// Names the run in the ledger.
    pub writer: String,
    /// Whether and until when posts may begin.
    pub scope: LeaseScope,
    pub recorder: Recorder,
    /// The ledger's segments that can be written: the hour of their events and that of the writing.
    pub open_segments: Mutex<BTreeSet<(Hour, Hour)>>,
    /// What is known of refused rows.
    pub evidence: Arc<Evidence>,
}

/// What came of a batch.
pub(super) struct CommitOutcome {
    pub counts: FeedCounts,
    /// Why not every row of it is accounted for.
    pub error: Option<DeliveryError>,
}

impl CommitOutcome {
    /// Notes a fault. Of several, that of the widest scope decides.
    fn fail(&mut self, error: DeliveryError) {
        self.error = Some(match self.error.take() {
            Some(before) => wider(before, error),
            None => error,
        });
    }
}

impl Committer {
    /// Posts the batch, keeps refused rows as dead letters, and records both in the ledger. Nothing
    /// is posted that could not be recorded.
    pub(super) async fn commit(self: Arc<Self>, batch: Batch<PendingRow>) -> CommitOutcome {
        if let Err(error) = self.open_ledger(batch.tags()).await {
            let (counts, error) = (FeedCounts::default(), Some(DeliveryError::Ledger(error)));
            return CommitOutcome { counts, error };
        }
        let is_bracketed = |row: &PendingRow| self.evidence.is_bracketed(row.id);
        let delivery =
            self.destination.deliver(self.row_type.table(), batch, &self.scope, is_bracketed).await;
        self.note_evidence(&delivery);
        let mut outcome = CommitOutcome { counts: FeedCounts::default(), error: None };
        outcome.counts.add_posts(&delivery);
        if let Some(last) = delivery.unconfirmed.last() {
            let (refused, last) = (delivery.unconfirmed.len(), last.reason.clone());
            outcome.fail(DeliveryError::Unconfirmed { refused, last });
        }
        if let Some(reason) = delivery.hold {
            outcome.fail(DeliveryError::Held(reason));
        }
        let now = self.clock.now();
        for row in &delivery.delivered {
            outcome.counts.note_event_time(row.at, now);
        }
        let mut settled = delivery.delivered;
        for refused in delivery.refused {
            let (detail, row) = (refused.reason.to_string(), refused.tag);
            match self.keep_dead_letter(DeadLetterReason::Refused, &detail, &row.event).await {
                Ok(()) => {
                    outcome.counts.add_dead_letter(DeadLetterReason::Refused);
                    settled.push(row);
                }
                Err(error) => outcome.fail(DeliveryError::DeadLetter(error)),
            }
        }
        for (hour, ids) in by_hour(&settled, |ids: &mut Vec<EventId>, row| ids.push(row.id)) {
            if let Err(error) = self.record(hour, &ids).await {
                outcome.fail(DeliveryError::Ledger(error));
                break;
            }
        }
        outcome
    }

    /// Remembers what the batch tells of its table and of refused rows.
    fn note_evidence(&self, outcome: &BatchOutcome<PendingRow>) {
        fn ids(rows: &[RefusedRow<PendingRow>]) -> impl Iterator<Item = EventId> {
            rows.iter().map(|refused| refused.tag.id)
        }
        if !outcome.delivered.is_empty() {
            self.evidence.note_accepted(outcome.delivered.iter().map(|row| row.id));
        }
        self.evidence.note_settled(ids(&outcome.refused));
        if !outcome.unconfirmed.is_empty() {
            self.evidence.note_refused(ids(&outcome.unconfirmed));
        }
    }

    /// Makes sure that the rows can be recorded.
    async fn open_ledger(&self, rows: &[PendingRow]) -> Result<(), StateError> {
        let now = self.clock.now();
        let hours: BTreeSet<Hour> = rows.iter().map(|row| row.hour).collect();
        let mut open_segments = self.open_segments.lock().await;
        for hour in hours {
            let segment = (hour, Hour::containing(now));
            if !open_segments.contains(&segment) {
                self.state.open_ledger(&self.feed, hour, now, &self.writer).await?;
                open_segments.insert(segment);
            }
        }
        Ok(())
    }

    /// Keeps an event that can't be delivered as a dead letter.
    pub(super) async fn keep_dead_letter(
        &self,
        reason: DeadLetterReason,
        detail: &str,
        event: &[u8],
    ) -> Result<(), StateError> {
        let (event, at) = (&*self.row_type.dead_letter(event), self.clock.now());
        let letter = DeadLetter { reason, feed: &self.feed, detail, event, at };
        let name = self.state.put_dead_letter(&letter).await?;
        let code = match reason {
            DeadLetterReason::Malformed => error_code::EVENT_MALFORMED,
            DeadLetterReason::Oversize => error_code::EVENT_OVERSIZE,
            DeadLetterReason::Refused => error_code::ROW_REFUSED,
        };
        tracing::warn!(%code, name, detail, "event kept as a dead letter");
        Ok(())
    }

    /// Records events of `hour` that are accounted for.
    pub(super) async fn record(&self, hour: Hour, ids: &[EventId]) -> Result<(), StateError> {
        let append = async |ids: &[EventId]| {
            let now = self.clock.now();
            self.state.append_ledger(&self.feed, hour, now, &self.writer, ids).await
        };
        self.recorder.record(hour, ids, append).await
    }
}
