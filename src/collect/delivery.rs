//! The way of an event from the session to the workspace: row, ledger, batch, post.

use std::sync::Arc;

use bytes::Bytes;
use tokio::task::{JoinError, JoinSet};
use tokio::time::Instant;
use tracing::Instrument;

use super::ledger::Ledger;
use super::posting::{Parcel, Posted, Posting};
use super::progress::Progress;
use super::read::Sink;
use crate::clock::Clock;
use crate::feed::Feed;
use crate::hour::Hour;
use crate::report::Tally;
use crate::row::tables::table;
use crate::row::{RowBuilder, RowShape};
use crate::settings::{DestinationSettings, Settings};
use crate::state::{DeadLetterReason, EventId, State, StateError};
use crate::workspace::{Batch, Destination, HeldReason, Packer};

/// How many batches of one feed are under way at once. When so many are, no event is taken, and
/// the server feels it.
const POSTS: usize = 4;

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
pub struct Surroundings<'a> {
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
    /// Posts end by then.
    pub deadline: Instant,
}

/// Where events come from, which says what is not delivered.
enum Origin<'a> {
    /// A session. What the ledger knows has been delivered.
    Session(&'a mut Ledger),
    /// A dead letter. The ledger may know its event, since that was accounted for.
    Letter(DeadLetterReason),
}

/// Delivers the events of one hour of a feed.
pub struct EventDelivery<'a> {
    hour: Hour,
    builder: RowBuilder,
    origin: Origin<'a>,
    progress: &'a Progress,
    row: Vec<u8>,
    packer: Packer<Parcel>,
    posting: Arc<Posting>,
    posts: JoinSet<Posted>,
    tally: Tally,
}

impl<'a> EventDelivery<'a> {
    /// Delivers events of `feed` that the ledger does not know. `hour` stands for the hour of an
    /// event whose own time can't be read.
    pub fn new(
        feed: &Feed,
        hour: Hour,
        ledger: &'a mut Ledger,
        around: Surroundings<'a>,
    ) -> EventDelivery<'a> {
        EventDelivery::from(Origin::Session(ledger), feed, hour, around)
    }

    /// Delivers the event of a dead letter of `reason`, whatever the ledger knows, and records it
    /// there. What is `oversize` still is not delivered: the workspace has its shortened row.
    pub(super) fn of_letter(
        reason: DeadLetterReason,
        feed: &Feed,
        hour: Hour,
        around: Surroundings<'a>,
    ) -> EventDelivery<'a> {
        EventDelivery::from(Origin::Letter(reason), feed, hour, around)
    }

    fn from(
        origin: Origin<'a>,
        feed: &Feed,
        hour: Hour,
        around: Surroundings<'a>,
    ) -> EventDelivery<'a> {
        let shape = match around.settings.destination {
            DestinationSettings::LogsIngestion { .. } => RowShape::Columns,
            DestinationSettings::DataCollector { .. } => RowShape::Legacy,
        };
        let posting = Posting {
            feed: feed.clone(),
            table: table(feed.event_type),
            destination: around.destination.clone(),
            state: around.state.clone(),
            clock: around.clock.clone(),
            writer: around.writer.to_owned(),
            deadline: around.deadline,
        };
        EventDelivery {
            hour,
            builder: RowBuilder::new(feed.event_type, shape, around.settings.message_text),
            origin,
            progress: around.progress,
            row: Vec::new(),
            packer: Packer::new(around.destination.limits()),
            posting: Arc::new(posting),
            posts: JoinSet::new(),
            tally: Tally::default(),
        }
    }

    /// What has become of the events so far.
    pub fn tally(&self) -> &Tally {
        &self.tally
    }

    fn post(&mut self, batch: Batch<Parcel>) {
        self.posts.spawn(Arc::clone(&self.posting).post(batch).in_current_span());
    }

    fn account(&mut self, posted: Result<Posted, JoinError>) -> Result<(), DeliveryError> {
        let posted = posted?;
        self.tally.add(&posted.tally);
        self.progress.delivered(posted.tally.delivered);
        posted.error.map_or(Ok(()), Err)
    }

    async fn dead_letter(
        &mut self,
        reason: DeadLetterReason,
        detail: &str,
        event: &[u8],
    ) -> Result<(), DeliveryError> {
        let kept = self.posting.dead_letter(reason, detail, event).await;
        kept.map_err(DeliveryError::DeadLetter)?;
        self.tally.add_dead_letter(reason);
        Ok(())
    }
}

impl Sink for EventDelivery<'_> {
    type Error = DeliveryError;

    fn has_room(&self) -> bool {
        self.posts.len() < POSTS
    }

    // Nothing is awaited between the join and the account: what was joined can't be lost.
    async fn settle(&mut self) -> Result<(), DeliveryError> {
        match self.posts.join_next().await {
            Some(posted) => self.account(posted),
            None => std::future::pending().await,
        }
    }

    async fn take(&mut self, event: Bytes) -> Result<(), DeliveryError> {
        self.tally.add_event(event.len());
        self.progress.read(event.len() as u64);
        let text = match std::str::from_utf8(&event) {
            Ok(text) => text,
            Err(error) => {
                let detail = format!("not UTF-8: {error}");
                return self.dead_letter(DeadLetterReason::Malformed, &detail, &event).await;
            }
        };
        let built = match self.builder.build(text, self.posting.clock.now(), &mut self.row) {
            Ok(built) => built,
            Err(error) => {
                let detail = error.to_string();
                return self.dead_letter(DeadLetterReason::Malformed, &detail, &event).await;
            }
        };
        self.tally.saw(built.event_time);
        let hour = built.event_time.map_or(self.hour, Hour::containing);
        let id = EventId::of(&built.id);
        if let Origin::Session(ledger) = &mut self.origin
            && !ledger.claim(hour, id).await.map_err(DeliveryError::Ledger)?
        {
            self.tally.duplicates += 1;
            return Ok(());
        }
        if built.oversize {
            let detail = "the row lacks values that are too long for a column";
            self.dead_letter(DeadLetterReason::Oversize, detail, &event).await?;
            if matches!(self.origin, Origin::Letter(DeadLetterReason::Oversize)) {
                return Ok(());
            }
        }
        match self.packer.push(&self.row, Parcel { event: event.clone(), hour, id }) {
            Ok(Some(full)) => self.post(full),
            Ok(None) => {}
            Err(too_long) => {
                let detail = too_long.to_string();
                self.dead_letter(DeadLetterReason::Oversize, &detail, &event).await?;
            }
        }
        Ok(())
    }

    async fn finish(&mut self) -> Result<(), DeliveryError> {
        if let Some(rest) = self.packer.finish() {
            self.post(rest);
        }
        let mut first_error = None;
        while let Some(posted) = self.posts.join_next().await {
            if let Err(error) = self.account(posted) {
                first_error.get_or_insert(error);
            }
        }
        first_error.map_or(Ok(()), Err)
    }
}
