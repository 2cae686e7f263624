//! The way of an event from the session to the workspace: row, batch, post, account.

use bytes::Bytes;
use jiff::Timestamp;
use tokio::task::{JoinError, JoinSet};
use tokio::time::Instant;
use tracing::Instrument;

use super::progress::Progress;
use super::read::Sink;
use crate::clock::Clock;
use crate::feed::Feed;
use crate::report::Tally;
use crate::row::tables::{Table, table};
use crate::row::{RowBuilder, RowShape};
use crate::settings::{DestinationSettings, Settings};
use crate::state::{DeadLetter, DeadLetterReason, State, StateError};
use crate::workspace::{Delivery, Destination, HeldReason, Packer};

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
    DeadLetter(#[from] StateError),
    /// A fault in the program.
    #[error("a post ended by a fault in the program: {0}")]
    Fault(#[from] JoinError),
}

/// Delivers the events of one feed.
pub struct EventDelivery<'a> {
    feed: &'a Feed,
    table: &'static Table,
    builder: RowBuilder,
    destination: &'a Destination,
    state: &'a State,
    clock: &'a Clock,
    progress: &'a Progress,
    deadline: Instant,
    row: Vec<u8>,
    packer: Packer<Bytes>,
    posts: JoinSet<Delivery<Bytes>>,
    tally: Tally,
}

/// What the deliveries of one run share.
#[derive(Clone, Copy)]
pub struct Surroundings<'a> {
    /// The run's settings.
    pub settings: &'a Settings,
    /// Where rows go.
    pub destination: &'a Destination,
    /// Where dead letters go.
    pub state: &'a State,
    /// The time of receipt.
    pub clock: &'a Clock,
    /// Counts for whoever watches.
    pub progress: &'a Progress,
    /// Posts end by then.
    pub deadline: Instant,
}

impl<'a> EventDelivery<'a> {
    /// Delivers events of `feed`.
    pub fn new(feed: &'a Feed, around: Surroundings<'a>) -> EventDelivery<'a> {
        let shape = match around.settings.destination {
            DestinationSettings::LogsIngestion { .. } => RowShape::Columns,
            DestinationSettings::DataCollector { .. } => RowShape::Legacy,
        };
        EventDelivery {
            feed,
            table: table(feed.event_type),
            builder: RowBuilder::new(feed.event_type, shape, around.settings.message_text),
            destination: around.destination,
            state: around.state,
            clock: around.clock,
            progress: around.progress,
            deadline: around.deadline,
            row: Vec::new(),
            packer: Packer::new(around.destination.limits()),
            posts: JoinSet::new(),
            tally: Tally::default(),
        }
    }

    /// What has become of the events so far.
    pub fn tally(&self) -> &Tally {
        &self.tally
    }

    fn post(&mut self, batch: crate::workspace::Batch<Bytes>) {
        let destination = self.destination.clone();
        let (table, deadline) = (self.table, self.deadline);
        let work = async move { destination.deliver(table, batch, deadline).await };
        self.posts.spawn(work.in_current_span());
    }

    async fn account(&mut self, delivery: Delivery<Bytes>) -> Result<(), DeliveryError> {
        self.tally.add_posts(&delivery);
        self.progress.delivered(delivery.delivered.len() as u64);
        for refused in &delivery.refused {
            let detail = refused.reason.to_string();
            self.dead_letter(DeadLetterReason::Refused, &detail, &refused.tag).await?;
        }
        match delivery.held {
            Some(held) => Err(DeliveryError::Held(held.reason)),
            None => Ok(()),
        }
    }

    async fn dead_letter(
        &mut self,
        reason: DeadLetterReason,
        detail: &str,
        event: &[u8],
    ) -> Result<(), DeliveryError> {
        let at: Timestamp = self.clock.now();
        let letter = DeadLetter { reason, feed: self.feed, detail, event, at };
        let name = self.state.put_dead_letter(&letter).await?;
        tracing::warn!(name, detail, "event kept as a dead letter");
        self.tally.add_dead_letter(reason);
        Ok(())
    }
}

impl Sink for EventDelivery<'_> {
    type Error = DeliveryError;

    fn has_room(&self) -> bool {
        self.posts.len() < POSTS
    }

    async fn settle(&mut self) -> Result<(), DeliveryError> {
        match self.posts.join_next().await {
            Some(delivery) => self.account(delivery?).await,
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
        let built = match self.builder.build(text, self.clock.now(), &mut self.row) {
            Ok(built) => built,
            Err(error) => {
                let detail = error.to_string();
                return self.dead_letter(DeadLetterReason::Malformed, &detail, &event).await;
            }
        };
        if built.oversize {
            let detail = "the row lacks values that are too long for a column";
            self.dead_letter(DeadLetterReason::Oversize, detail, &event).await?;
        }
        self.tally.saw(built.event_time);
        match self.packer.push(&self.row, event.clone()) {
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
        while let Some(delivery) = self.posts.join_next().await {
            let accounted = match delivery {
                Ok(delivery) => self.account(delivery).await,
                Err(fault) => Err(fault.into()),
            };
            if let Err(error) = accounted {
                first_error.get_or_insert(error);
            }
        }
        first_error.map_or(Ok(()), Err)
    }
}
