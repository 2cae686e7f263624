//! Turns events into rows, drops those that the ledger knows, and commits the rest in batches.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use jiff::Timestamp;
use proofpoint_sentinel_core::hour::Hour;
use tokio::sync::Mutex;
use tokio::time::{Instant, sleep, sleep_until};

use super::batches_in_flight::{BatchLoad, BatchesInFlight};
use super::commit::{CommitOutcome, Committer, PendingRow, count_by_hour};
use super::counters::RunCounters;
use super::delivery_context::DeliveryContext;
use super::delivery_error::DeliveryError;
use super::event_key::{EventKey, event_key, malformed_id};
use super::event_origin::Origin;
use super::event_sink::EventSink;
use super::fault::reading_goes_on;
use super::kept_events::KeptEvents;
use super::ledger::Ledger;
use super::memory::{Draw, Place};
use super::recorder::Recorder;
use super::row_type::Builder;
use crate::destination::{Batch, Packer};
use crate::error_code::Coded as _;
use crate::report::FeedCounts;
use crate::row::CollectedBy;
use crate::row::frame::{fault, pieces, read};
use crate::row::repair::{Repairs, has_lone_surrogate};
use crate::state::{Arrival, DeadLetterReason, EventId, LedgerPart};

/// A batch is closed when its events, which are kept until their rows are accepted, have this many
/// bytes.
const MAX_BYTES_WAITING: usize = 4 << 20;

/// While posts would not be in time, it is reckoned again after this.
const RECKON_AGAIN: Duration = Duration::from_millis(250);

/// How long the row of a live event waits at most for others to be posted with.
const MAX_LIVE_WAIT: Duration = Duration::from_secs(10);

/// The live stream has caught up after so many events of the time to catch up to. A single one can
/// have come out of order, or have a wrong time.
const EVENTS_TO_CATCH_UP: u32 = 3;

/// Delivers events of a feed.
pub(super) struct EventDelivery<'a> {
    /// The archive's hour; the live stream has none.
    hour: Option<Hour>,
    builder: Builder,
    origin: Origin<'a>,
    counters: &'a RunCounters,
    place: Arc<Place>,
    packer: Packer<PendingRow>,
    kept: KeptEvents,
    committer: Arc<Committer>,
    in_flight: BatchesInFlight,
    /// How long a row waits at most for its batch to become full.
    max_wait: Option<Duration>,
    /// The live stream has caught up after some events of this time or later.
    catch_up_to: Option<Timestamp>,
    /// How many events of that time or later have come.
    recent_events: u32,
    /// Bytes of the events whose rows wait to be posted. A row can be much shorter than its event.
    bytes_waiting: usize,
    /// The memory of these events and rows.
    memory_waiting: Draw,
    counts: FeedCounts,
    /// Rows were refused without proof that they are at fault.
    unconfirmed: Option<DeliveryError>,
}

impl<'a> EventDelivery<'a> {
    /// Delivers events of the archive's `hour` that the ledger does not know. Their rows say that they
    /// were collected `by` a run, or for an operator, and the ledger that they `arrived` like this.
    pub(super) fn archive(
        hour: Hour,
        (by, arrived): (CollectedBy, Arrival),
        ledger: &'a mut Ledger,
        ctx: DeliveryContext<'a>,
    ) -> EventDelivery<'a> {
        EventDelivery::new(Origin::Session(ledger), (by, arrived), Some(hour), ctx)
    }

    /// Delivers events of the live stream, likewise. They come when they come, so a batch does not
    /// wait for long to become full. The stream has caught up once it brings events of
    /// `catch_up_to`, and never without that time.
    pub(super) fn live(
        ledger: &'a mut Ledger,
        catch_up_to: Option<Timestamp>,
        ctx: DeliveryContext<'a>,
    ) -> EventDelivery<'a> {
        let by = (CollectedBy::Live, Arrival::Live);
        let delivery = EventDelivery::new(Origin::Session(ledger), by, None, ctx);
        EventDelivery { max_wait: Some(MAX_LIVE_WAIT), catch_up_to, ..delivery }
    }

    /// Delivers TAP records that the ledger does not know, which then says that they `arrived` like
    /// this.
    pub(super) fn tap(
        arrived: Arrival,
        ledger: &'a mut Ledger,
        ctx: DeliveryContext<'a>,
    ) -> EventDelivery<'a> {
        // Rows of TAP do not say how they were collected.
        EventDelivery::new(Origin::Session(ledger), (CollectedBy::Live, arrived), None, ctx)
    }

    /// Delivers the event of a dead letter of `reason`, whatever the ledger knows, and records it
    /// there. An event that still is `oversize` is not delivered: the workspace has its shortened
    /// row.
    pub(super) fn dead_letter(
        reason: DeadLetterReason,
        hour: Hour,
        ctx: DeliveryContext<'a>,
    ) -> EventDelivery<'a> {
        let by = (CollectedBy::Resend, Arrival::Late);
        EventDelivery::new(Origin::DeadLetter(reason), by, Some(hour), ctx)
    }

    fn new(
        origin: Origin<'a>,
        (by, arrival): (CollectedBy, Arrival),
        hour: Option<Hour>,
        ctx: DeliveryContext<'a>,
    ) -> EventDelivery<'a> {
        let committer = Committer {
            feed: ctx.feed.clone(),
            row_type: ctx.row_type,
            destination: ctx.destination.clone(),
            state: ctx.state.clone(),
            clock: ctx.clock.clone(),
            writer: ctx.writer.to_owned(),
            arrival,
            scope: ctx.scope.clone(),
            recorder: Recorder::default(),
            open_segments: Mutex::default(),
            evidence: ctx.evidence.clone(),
        };
        EventDelivery {
            hour,
            builder: ctx.row_type.builder(ctx.settings, by),
            origin,
            counters: ctx.counters,
            packer: Packer::new(ctx.destination.limits()),
            kept: KeptEvents::default(),
            committer: Arc::new(committer),
            in_flight: BatchesInFlight::default(),
            max_wait: None,
            catch_up_to: None,
            recent_events: 0,
            bytes_waiting: 0,
            memory_waiting: Draw::nothing(ctx.place),
            place: ctx.place.clone(),
            counts: FeedCounts::default(),
            unconfirmed: None,
        }
    }

    /// What has become of the events so far.
    pub(super) fn counts(&self) -> &FeedCounts {
        &self.counts
    }

    /// The hour in the ledger of an event whose own time can't be read.
    fn fallback_hour(&self) -> Hour {
        self.hour.unwrap_or_else(|| Hour::containing(self.committer.clock.now()))
    }

    /// Says whether the event is new.
    async fn claim(
        &mut self,
        hour: Hour,
        key: EventKey,
        at: Option<Timestamp>,
    ) -> Result<bool, DeliveryError> {
        let claimed = self.origin.claim(hour, key, at).await;
        let is_new = claimed.map_err(DeliveryError::Ledger)?;
        self.counts.duplicates += u64::from(!is_new);
        Ok(is_new)
    }

    /// Records a claimed event of which no row is posted, and releases it.
    async fn record(&mut self, of: LedgerPart, id: EventId) -> Result<(), DeliveryError> {
        if let Origin::Session(_) = self.origin {
            self.committer.record(of, &[id]).await.map_err(DeliveryError::Ledger)?;
            self.origin.account_for([(of, 1)].into(), [(of.hour, 1)].into());
        }
        Ok(())
    }

    /// Commits the rows that wait, if any do.
    fn commit_waiting(&mut self) {
        if let Some(batch) = self.packer.finish() {
            self.commit(batch);
        }
    }

    /// Begins to commit a batch that was just closed.
    fn commit(&mut self, batch: Batch<PendingRow>) {
        let bytes = std::mem::take(&mut self.bytes_waiting);
        let memory = self.memory_waiting.take();
        let hours = count_by_hour(batch.tags());
        let commit = Arc::clone(&self.committer).commit(batch);
        self.in_flight.begin(BatchLoad { bytes, memory, hours }, commit);
    }

    fn account_for(
        &mut self,
        committed: Result<(CommitOutcome, BTreeMap<Hour, usize>), DeliveryError>,
    ) -> Result<(), DeliveryError> {
        let (outcome, hours) = committed?;
        self.origin.account_for(outcome.recorded, hours);
        self.counts.add(&outcome.counts);
        self.counters.count_rows(outcome.counts.delivered);
        match outcome.error {
            None => Ok(()),
            Some(error) if reading_goes_on(&error, self.counts.delivered) => {
                self.unconfirmed.get_or_insert(error);
                Ok(())
            }
            Some(error) => Err(error),
        }
    }

    /// Waits until a row has waited long enough for others. Pending where none does. Cancel-safe.
    async fn waited_long_enough(since: Option<Instant>, max_wait: Option<Duration>) {
        match (since, max_wait) {
            (Some(since), Some(max_wait)) => sleep_until(since + max_wait).await,
            _ => std::future::pending().await,
        }
    }

    /// Whether what comes now could be posted before posting ends.
    fn would_be_in_time(&self) -> bool {
        let Committer { destination, scope, .. } = &*self.committer;
        destination.would_be_in_time(scope.posting_ends())
    }

    fn count(&mut self, event: &Bytes) {
        self.counts.add_event(event.len());
        self.counters.count_event(event.len() as u64);
    }

    /// Takes an event whose JSON is `text`; false if it is none.
    async fn take(
        &mut self,
        text: &str,
        repairs: Repairs,
        event: &Bytes,
    ) -> Result<bool, DeliveryError> {
        let received = self.committer.clock.now();
        let row = self.packer.begin_row();
        let Ok(built) = self.builder.append(text, repairs, received, row) else { return Ok(false) };
        if built.may_have_surrogates && has_lone_surrogate(text) {
            return Ok(false);
        }
        self.count(event);
        let (at, oversize) = (built.event_time, built.oversize);
        if self.catch_up_to.is_some_and(|time| at >= Some(time)) {
            self.recent_events += 1;
        }
        let hour = at.map_or_else(|| self.fallback_hour(), Hour::containing);
        let key = event_key(&built, at.is_none() || self.origin.may_have_former_ids(hour));
        // Ids that differ in a character that was replaced have become one.
        let key = match repairs.replaced() && built.id.contains(char::REPLACEMENT_CHARACTER) {
            true => EventKey { id: malformed_id(event), former: None },
            false => key,
        };
        let id = key.id;
        if !self.claim(hour, key, at).await? {
            return Ok(true);
        }
        if oversize {
            let detail = "the row lacks values that are too long for a column";
            self.keep_dead_letter(DeadLetterReason::Oversize, detail, event).await?;
            if matches!(self.origin, Origin::DeadLetter(DeadLetterReason::Oversize)) {
                return Ok(true);
            }
        }
        let row_bytes = self.packer.row_bytes();
        match self.packer.end_row(PendingRow { event: self.kept.keep(event), hour, id, at }) {
            Ok(full) => {
                if let Some(full) = full {
                    self.commit(full);
                }
                self.bytes_waiting += event.len();
                self.memory_waiting.add(event.len() + row_bytes);
            }
            Err(too_long) => {
                let detail = too_long.to_string();
                self.keep_dead_letter(DeadLetterReason::Oversize, &detail, event).await?;
                let of = Arrival::DeadLetter.if_dated(at.is_some()).of(hour);
                self.record(of, id).await?;
            }
        }
        // A feed that may draw no more goes on by delivering what it has.
        let is_full = self.bytes_waiting >= MAX_BYTES_WAITING || !self.place.may_draw();
        if is_full && self.in_flight.has_room() {
            self.commit_waiting();
        }
        Ok(true)
    }

    /// Takes what came in an event's place and is none.
    pub(super) async fn take_malformed(
        &mut self,
        detail: &str,
        event: &Bytes,
    ) -> Result<(), DeliveryError> {
        self.count(event);
        self.keep_malformed(detail, event).await
    }

    /// Keeps an event that can't become a row, once.
    async fn keep_malformed(&mut self, detail: &str, event: &[u8]) -> Result<(), DeliveryError> {
        let id = malformed_id(&self.committer.row_type.dead_letter(event));
        let hour = self.fallback_hour();
        if !self.claim(hour, EventKey { id, former: None }, None).await? {
            return Ok(());
        }
        self.keep_dead_letter(DeadLetterReason::Malformed, detail, event).await?;
        self.record(Arrival::Uncounted.of(hour), id).await
    }

    async fn keep_dead_letter(
        &mut self,
        reason: DeadLetterReason,
        detail: &str,
        event: &[u8],
    ) -> Result<(), DeliveryError> {
        let kept = self.committer.keep_dead_letter(reason, detail, event).await;
        kept.map_err(DeliveryError::DeadLetter)?;
        self.counts.add_dead_letter(reason);
        Ok(())
    }
}

impl EventSink for EventDelivery<'_> {
    type Error = DeliveryError;

    fn has_capacity(&self) -> bool {
        self.in_flight.has_room() && self.place.may_draw() && self.would_be_in_time()
    }

    // Nothing is awaited between the join and its account, so nothing that was joined is lost.
    async fn make_progress(&mut self) -> Result<(), DeliveryError> {
        let has_capacity = self.in_flight.has_room();
        let lacks_memory = has_capacity && !self.place.may_draw();
        let lacks_time = has_capacity && !self.would_be_in_time();
        if lacks_memory && self.bytes_waiting > 0 {
            self.commit_waiting();
        }
        let waiting_since = self.packer.waiting_since();
        tokio::select! {
            biased;
            Some(committed) = self.in_flight.next() => self.account_for(committed),
            () = Self::waited_long_enough(waiting_since, self.max_wait), if has_capacity => {
                self.commit_waiting();
                Ok(())
            }
            () = self.place.room(), if lacks_memory => Ok(()),
            () = sleep(RECKON_AGAIN), if lacks_time => Ok(()),
            else => std::future::pending().await,
        }
    }

    fn has_caught_up(&self) -> bool {
        self.recent_events >= EVENTS_TO_CATCH_UP
    }

    fn is_out_of_time(&self) -> bool {
        let Committer { destination, scope, .. } = &*self.committer;
        Instant::now() + destination.paused_for() >= scope.posting_ends()
    }

    /// A frame that is not one event is taken apart, and its events are taken one after the other,
    /// each as soon as there is capacity for it.
    async fn push(&mut self, frame: Bytes) -> Result<(), DeliveryError> {
        if let Ok(text) = std::str::from_utf8(&frame)
            && self.take(text, Repairs::default(), &frame).await?
        {
            return Ok(());
        }
        for piece in pieces(&frame) {
            while !self.has_capacity() {
                self.make_progress().await?;
            }
            let event = frame.slice(piece.range);
            let text = if piece.is_event { read(&event) } else { None };
            let taken = match text {
                Some((text, repairs)) => self.take(&text, repairs, &event).await?,
                None => false,
            };
            if !taken {
                self.take_malformed(&fault(&event), &event).await?;
            }
        }
        Ok(())
    }

    async fn drain_in_flight(&mut self) {
        while let Some(committed) = self.in_flight.next().await {
            if let Err(error) = self.account_for(committed) {
                tracing::warn!(code = %error.code(), %error, "another batch failed as well");
            }
        }
    }

    /// A batch that waits begins only where there is capacity for it, and after a failure not at all.
    async fn flush(&mut self) -> Result<(), DeliveryError> {
        let mut first_error = None;
        loop {
            if self.in_flight.has_room() && first_error.is_none() {
                self.commit_waiting();
            }
            let Some(committed) = self.in_flight.next().await else { break };
            if let Err(error) = self.account_for(committed) {
                first_error.get_or_insert(error);
            }
        }
        first_error.or_else(|| self.unconfirmed.take()).map_or(Ok(()), Err)
    }
}
