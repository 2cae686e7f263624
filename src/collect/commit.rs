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
use crate::state::{Arrival, DeadLetter, DeadLetterReason, EventId, LedgerPart, State, StateError};

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

impl PendingRow {
    /// Where it is recorded if it `arrived` like this.
    fn part(&self, arrived: Arrival) -> LedgerPart {
        arrived.if_dated(self.at.is_some()).of(self.hour)
    }
}

/// How many of the rows belong to which hour.
pub(super) fn count_by_hour(rows: &[PendingRow]) -> BTreeMap<Hour, usize> {
    let mut hours = BTreeMap::new();
    for row in rows {
        *hours.entry(row.hour).or_default() += 1;
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
    /// How its events arrive.
    pub arrival: Arrival,
    /// Whether and until when posts may begin.
    pub scope: LeaseScope,
    pub recorder: Recorder,
    /// The ledger's segments that can be written: what they record, and the hour of the writing.
    pub open_segments: Mutex<BTreeSet<(LedgerPart, Hour)>>,
    /// What is known of refused rows.
    pub evidence: Arc<Evidence>,
}

/// What came of a batch.
#[derive(Default)]
pub(super) struct CommitOutcome {
    pub counts: FeedCounts,
    /// How many of its events are recorded, by where.
    pub recorded: BTreeMap<LedgerPart, u64>,
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
            let mut outcome = CommitOutcome::default();
            outcome.fail(DeliveryError::Ledger(error));
            return outcome;
        }
        let is_bracketed = |row: &PendingRow| self.evidence.is_bracketed(row.id);
        let delivery =
            self.destination.deliver(self.row_type.table(), batch, &self.scope, is_bracketed).await;
        self.note_evidence(&delivery);
        let mut outcome = CommitOutcome::default();
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
        let mut settled: BTreeMap<LedgerPart, Vec<EventId>> = BTreeMap::new();
        for row in &delivery.delivered {
            settled.entry(row.part(self.arrival)).or_default().push(row.id);
        }
        for refused in delivery.refused {
            let (detail, row) = (refused.reason.to_string(), refused.tag);
            match self.keep_dead_letter(DeadLetterReason::Refused, &detail, &row.event).await {
                Ok(()) => {
                    outcome.counts.add_dead_letter(DeadLetterReason::Refused);
                    settled.entry(row.part(Arrival::DeadLetter)).or_default().push(row.id);
                }
                Err(error) => outcome.fail(DeliveryError::DeadLetter(error)),
            }
        }
        for (part, ids) in settled {
            if let Err(error) = self.record(part, &ids).await {
                outcome.fail(DeliveryError::Ledger(error));
                break;
            }
            outcome.recorded.insert(part, ids.len() as u64);
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
        let parts: BTreeSet<LedgerPart> = rows.iter().map(|row| row.part(self.arrival)).collect();
        let mut open_segments = self.open_segments.lock().await;
        for part in parts {
            let segment = (part, Hour::containing(now));
            if !open_segments.contains(&segment) {
                self.state.open_ledger(&self.feed, part, now, &self.writer).await?;
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

    /// Records events that are accounted for in a part of the ledger.
    pub(super) async fn record(&self, of: LedgerPart, ids: &[EventId]) -> Result<(), StateError> {
        let append = async |ids: &[EventId]| {
            let now = self.clock.now();
            self.state.append_ledger(&self.feed, of, now, &self.writer, ids).await
        };
        self.recorder.record(of, ids, append).await
    }
}
