//! The way of an event from the session to the workspace: row, ledger, batch, post.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use jiff::Timestamp;
use proofpoint_sentinel_core::clock::Clock;
use proofpoint_sentinel_core::feed::Feed;
use proofpoint_sentinel_core::hour::Hour;
use proofpoint_sentinel_core::tables::table;
use tokio::task::{JoinError, JoinSet};
use tokio::time::{Instant, sleep_until};
use tracing::Instrument;

use super::commit::{self, PendingRow, Posted, Posting};
use super::ledger::Ledger;
use super::progress::Progress;
use super::read::EventSink;
use crate::destination::{Batch, Destination, HeldReason, Packer};
use crate::lease_scope::LeaseScope;
use crate::report::FeedCounts;
use crate::row::{RowBuilder, RowMetadata, RowShape};
use crate::settings::{DestinationSettings, Settings};
use crate::state::{DeadLetterReason, EventId, State, StateError};

/// How many batches of one feed are under way at once. When so many are, no event is taken, and
/// the server feels it.
const POSTS: usize = 4;

/// A batch is closed when its events, which are kept until their rows are accepted, have so many
/// bytes.
const MOST_WAITING: usize = 4 << 20;

/// While the events in posts have so many bytes, no event is taken.
const MOST_UNDER_WAY: usize = 12 << 20;

/// How long the row of a live event waits for others to be posted with.
const LONGEST_WAIT: Duration = Duration::from_secs(10);

/// Why no more events can be delivered.
#[derive(Debug, thiserror::Error)]
pub enum DeliveryError {
    /// The workspace takes none.
    #[error("the workspace takes no rows: {0}")]
    Held(HeldReason),
    /// An event that can't be delivered could not be kept as a dead letter either.
    #[error("a dead letter can't be kept: {0}")]
    DeadLetter(StateError),
    /// What was delivered before can't be read, or what was delivered can't be recorded.
    #[error("the ledger of delivered events can't be used: {0}")]
    Ledger(StateError),
    /// A fault in the program.
    #[error("a post ended by a fault in the program: {0}")]
    Fault(#[from] JoinError),
}

/// What the deliveries of one run share.
#[derive(Clone, Copy)]
pub struct DeliveryContext<'a> {
    /// The run's settings.
    pub settings: &'a Settings,
    /// Where rows go.
    pub destination: &'a Destination,
    /// Where dead letters and the ledger are.
    pub state: &'a State,
    /// The time of receipt.
    pub clock: &'a Clock,
    /// Counts for whoever watches.
    pub progress: &'a Progress,
    /// Names the run in the ledger.
    pub writer: &'a str,
    /// Whether and until when posts may begin.
    pub scope: &'a LeaseScope,
}

/// Where events come from, which says what is not delivered.
enum Origin<'a> {
    /// Sessions. What the ledger knows has been delivered.
    Session(&'a mut Ledger),
    /// A dead letter. The ledger may know its event, since that was accounted for.
    Letter(DeadLetterReason),
}

/// Delivers events of a feed.
pub struct EventDelivery<'a> {
    /// The archive's hour; the live stream has none.
    hour: Option<Hour>,
    builder: RowBuilder,
    origin: Origin<'a>,
    progress: &'a Progress,
    row: Vec<u8>,
    packer: Packer<PendingRow>,
    posting: Arc<Posting>,
    posts: JoinSet<(Posted, Load)>,
    /// How long a row waits for its batch to become full.
    give_up_after: Option<Duration>,
    /// Bytes of the events whose rows wait to be posted. A row can be much shorter than its event.
    bytes_waiting: usize,
    /// Bytes of the events in posts under way.
    bytes_under_way: usize,
    counts: FeedCounts,
}

/// What of a batch is to be accounted for once it is posted.
struct Load {
    /// Bytes of its events.
    bytes: usize,
    /// How many events it has of which hour.
    hours: BTreeMap<Hour, usize>,
}

impl<'a> EventDelivery<'a> {
    /// Delivers events of the archive's `hour` that the ledger does not know.
    pub fn archive(
        feed: &Feed,
        hour: Hour,
        ledger: &'a mut Ledger,
        ctx: DeliveryContext<'a>,
    ) -> EventDelivery<'a> {
        EventDelivery::from(Origin::Session(ledger), feed, Some(hour), ctx)
    }

    /// As [`archive`](Self::archive), for events that come when they come: a batch does not wait
    /// for long to become full.
    pub fn live(
        feed: &Feed,
        ledger: &'a mut Ledger,
        ctx: DeliveryContext<'a>,
    ) -> EventDelivery<'a> {
        let delivery = EventDelivery::from(Origin::Session(ledger), feed, None, ctx);
        EventDelivery { give_up_after: Some(LONGEST_WAIT), ..delivery }
    }

    /// Delivers the event of a dead letter of `reason`, whatever the ledger knows, and records it
    /// there. What is `oversize` still is not delivered: the workspace has its shortened row.
    pub(super) fn of_letter(
        reason: DeadLetterReason,
        feed: &Feed,
        hour: Hour,
        ctx: DeliveryContext<'a>,
    ) -> EventDelivery<'a> {
        EventDelivery::from(Origin::Letter(reason), feed, Some(hour), ctx)
    }

    fn from(
        origin: Origin<'a>,
        feed: &Feed,
        hour: Option<Hour>,
        ctx: DeliveryContext<'a>,
    ) -> EventDelivery<'a> {
        let shape = match ctx.settings.destination {
            DestinationSettings::LogsIngestion { .. } => RowShape::Columns,
            DestinationSettings::DataCollector { .. } => RowShape::Legacy,
        };
        let posting = Posting {
            feed: feed.clone(),
            table: table(feed.event_type),
            destination: ctx.destination.clone(),
            state: ctx.state.clone(),
            clock: ctx.clock.clone(),
            writer: ctx.writer.to_owned(),
            scope: ctx.scope.clone(),
        };
        EventDelivery {
            hour,
            builder: RowBuilder::new(feed.event_type, shape, ctx.settings.message_text),
            origin,
            progress: ctx.progress,
            row: Vec::new(),
            packer: Packer::new(ctx.destination.limits()),
            posting: Arc::new(posting),
            posts: JoinSet::new(),
            give_up_after: None,
            bytes_waiting: 0,
            bytes_under_way: 0,
            counts: FeedCounts::default(),
        }
    }

    /// What has become of the events so far.
    pub fn counts(&self) -> &FeedCounts {
        &self.counts
    }

    /// Stands for the hour of an event whose own time can't be read.
    fn hour_of_reading(&self) -> Hour {
        self.hour.unwrap_or_else(|| Hour::containing(self.posting.clock.now()))
    }

    /// Says whether the event is new. A dead letter's always is.
    async fn claim(
        &mut self,
        hour: Hour,
        id: EventId,
        at: Option<Timestamp>,
    ) -> Result<bool, DeliveryError> {
        let Origin::Session(ledger) = &mut self.origin else { return Ok(true) };
        let claimed = match at {
            Some(_) => ledger.claim(hour, id).await,
            None => ledger.claim_undated(hour, id).await,
        };
        let is_new = claimed.map_err(DeliveryError::Ledger)?;
        self.counts.duplicates += u64::from(!is_new);
        Ok(is_new)
    }

    /// Says that of a claimed event all is done that will be.
    async fn remember(&mut self, hour: Hour, id: EventId) -> Result<(), DeliveryError> {
        if let Origin::Session(ledger) = &mut self.origin {
            self.posting.remember(hour, &[id]).await.map_err(DeliveryError::Ledger)?;
            ledger.settle(hour, 1);
        }
        Ok(())
    }

    /// Posts the rows that wait, if any do.
    fn post_rest(&mut self) {
        if let Some(batch) = self.packer.finish() {
            self.post(batch);
        }
    }

    /// Posts a batch that was just closed.
    fn post(&mut self, batch: Batch<PendingRow>) {
        let bytes = std::mem::take(&mut self.bytes_waiting);
        self.bytes_under_way += bytes;
        let load = Load { bytes, hours: commit::by_hour(batch.tags(), |count, _| *count += 1) };
        let post = Arc::clone(&self.posting).post(batch);
        let post = async move { (post.await, load) };
        self.posts.spawn(post.in_current_span());
    }

    fn account(&mut self, posted: Result<(Posted, Load), JoinError>) -> Result<(), DeliveryError> {
        let (posted, load) = posted?;
        self.bytes_under_way -= load.bytes;
        if let Origin::Session(ledger) = &mut self.origin {
            for (hour, count) in load.hours {
                ledger.settle(hour, count);
            }
        }
        self.counts.add(&posted.counts);
        self.progress.delivered(posted.counts.delivered);
        posted.error.map_or(Ok(()), Err)
    }

    /// Waits until a row has waited long enough for others; pending where none does. Cancel-safe.
    async fn waited_long_enough(since: Option<Instant>, give_up_after: Option<Duration>) {
        match (since, give_up_after) {
            (Some(since), Some(give_up_after)) => sleep_until(since + give_up_after).await,
            _ => std::future::pending().await,
        }
    }

    /// Keeps an event that can be no row, once.
    async fn malformed(&mut self, detail: &str, event: &[u8]) -> Result<(), DeliveryError> {
        let (hour, id) = (self.hour_of_reading(), malformed_id(event));
        if !self.claim(hour, id, None).await? {
            return Ok(());
        }
        self.dead_letter(DeadLetterReason::Malformed, detail, event).await?;
        self.remember(hour, id).await
    }

    async fn dead_letter(
        &mut self,
        reason: DeadLetterReason,
        detail: &str,
        event: &[u8],
    ) -> Result<(), DeliveryError> {
        let kept = self.posting.dead_letter(reason, detail, event).await;
        kept.map_err(DeliveryError::DeadLetter)?;
        self.counts.add_dead_letter(reason);
        Ok(())
    }
}

/// What the ledger knows the event by: its id, and the second of its time.
///
/// Proofpoint means an id to belong to one event. Should it ever give the same one to two, then
/// losing the second would be worse than delivering an event twice. Fractions of the second are
/// left out, so that an archive that keeps fewer digits than the live stream does not matter.
fn event_id(built: &RowMetadata<'_>) -> EventId {
    match built.event_time {
        Some(at) => EventId::of(format!("{}\n{}", built.id, at.as_second())),
        None => EventId::of(built.id.as_bytes()),
    }
}

/// What the ledger knows an event by whose id can't be read: all of it.
fn malformed_id(event: &[u8]) -> EventId {
    EventId::of([b"malformed\n", event].concat())
}

impl EventSink for EventDelivery<'_> {
    type Error = DeliveryError;

    fn has_room(&self) -> bool {
        self.posts.len() < POSTS && self.bytes_under_way < MOST_UNDER_WAY
    }

    // Nothing is awaited between the join and the account: what was joined can't be lost.
    async fn settle(&mut self) -> Result<(), DeliveryError> {
        let has_room = self.has_room();
        let waiting_since = self.packer.waiting_since();
        tokio::select! {
            biased;
            Some(posted) = self.posts.join_next() => self.account(posted),
            () = Self::waited_long_enough(waiting_since, self.give_up_after), if has_room => {
                self.post_rest();
                Ok(())
            }
            else => std::future::pending().await,
        }
    }

    async fn take(&mut self, event: Bytes) -> Result<(), DeliveryError> {
        self.counts.add_event(event.len());
        self.progress.read(event.len() as u64);
        let text = match std::str::from_utf8(&event) {
            Ok(text) => text,
            Err(error) => return self.malformed(&format!("not UTF-8: {error}"), &event).await,
        };
        let built = match self.builder.build(text, self.posting.clock.now(), &mut self.row) {
            Ok(built) => built,
            Err(error) => return self.malformed(&error.to_string(), &event).await,
        };
        let (at, oversize) = (built.event_time, built.oversize);
        let (hour, id) =
            (at.map_or_else(|| self.hour_of_reading(), Hour::containing), event_id(&built));
        if !self.claim(hour, id, at).await? {
            return Ok(());
        }
        if oversize {
            let detail = "the row lacks values that are too long for a column";
            self.dead_letter(DeadLetterReason::Oversize, detail, &event).await?;
            if matches!(self.origin, Origin::Letter(DeadLetterReason::Oversize)) {
                return Ok(());
            }
        }
        match self.packer.push(&self.row, PendingRow { event: event.clone(), hour, id, at }) {
            Ok(full) => {
                if let Some(full) = full {
                    self.post(full);
                }
                self.bytes_waiting += event.len();
            }
            Err(too_long) => {
                let detail = too_long.to_string();
                self.dead_letter(DeadLetterReason::Oversize, &detail, &event).await?;
                self.remember(hour, id).await?;
            }
        }
        if self.bytes_waiting >= MOST_WAITING && self.has_room() {
            self.post_rest();
        }
        Ok(())
    }

    async fn wind_down(&mut self) {
        while let Some(posted) = self.posts.join_next().await {
            if let Err(error) = self.account(posted) {
                tracing::warn!(%error, "another batch failed as well");
            }
        }
    }

    /// What waits begins only where there is room for it, and after a failure not at all.
    async fn finish(&mut self) -> Result<(), DeliveryError> {
        let mut first_error = None;
        loop {
            if self.has_room() && first_error.is_none() {
                self.post_rest();
            }
            let Some(posted) = self.posts.join_next().await else { break };
            if let Err(error) = self.account(posted) {
                first_error.get_or_insert(error);
            }
        }
        first_error.map_or(Ok(()), Err)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_id_at_another_second_is_another_event() {
        let id = |at: &str| {
            let event_time = Some(at.parse().unwrap());
            event_id(&RowMetadata { id: "g".into(), event_time, oversize: false })
        };
        assert_eq!(id("2026-11-20T06:00:01.25Z"), id("2026-11-20T06:00:01Z"));
        assert_ne!(id("2026-11-20T06:00:01Z"), id("2026-11-20T06:00:02Z"));
    }
}
