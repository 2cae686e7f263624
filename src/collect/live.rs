//! The live stream of a feed: drained until it is quiet, over as many sessions as that takes.

use std::time::Duration;

use jiff::SignedDuration;
use tokio::time::{Instant, sleep};
use tracing::Instrument;

use super::feed::{FeedError, FeedRun};
use super::pipeline::{DeliveryError, EventDelivery};
use super::read::{ReadEnd, ReadError, Reader};
use crate::pod::{RefusalKind, SessionEnd};
use crate::report::FeedCounts;
use crate::retry::Backoff;
use crate::state::LiveMark;

/// While closed hours are due, the live stream gets so much of the time that is left for reading.
/// What it can't take stays with the server for the next run.
const SHARE: f64 = 1.0 / 3.0;

/// While closed hours are read, the live stream gets a turn so often.
const TURN: Duration = Duration::from_secs(180);

/// In less time than this no live session is begun.
const LEAST: Duration = Duration::from_millis(500);

/// How far back the server goes on from where a session ended. What is older comes from the
/// archive alone. A little less than the documented hour.
const REACH: SignedDuration = SignedDuration::from_mins(55);

/// How a session that ended without an event is followed by another.
const RECONNECT: Backoff =
    Backoff { first: Duration::from_secs(1), longest: Duration::from_secs(30), tries: 4 };

impl FeedRun<'_> {
    /// Drains the live stream. Says whether the run goes on: the time may have come to stop.
    pub(super) async fn live(&mut self) -> Result<bool, FeedError> {
        if self.halted() {
            self.report.stopped();
            return Ok(false);
        }
        let left = self.run.reading_ends.saturating_duration_since(Instant::now());
        if left < LEAST {
            return Ok(true);
        }
        self.tell_of_a_gap();
        let share = if self.has_due_hours() { left.mul_f64(SHARE) } else { left };
        let drained = self.drain(Instant::now() + share).instrument(tracing::info_span!("live"));
        let end = match drained.await {
            Ok(end) => end,
            Err(error) => return self.survive(error).await,
        };
        self.live_ended = Some(Instant::now());
        self.live_was_cut_short = end == ReadEnd::OutOfTime;
        self.save().await?;
        if end == ReadEnd::Stopped {
            self.report.stopped();
        }
        Ok(end != ReadEnd::Stopped)
    }

    /// Whether the live stream was left before it was quiet, and there is time to go on with it.
    pub(super) fn has_more_live(&self) -> bool {
        let left = self.run.reading_ends.saturating_duration_since(Instant::now());
        self.live_was_cut_short && left >= LEAST
    }

    /// Whether the live stream has waited long enough while closed hours were read.
    pub(super) fn is_live_due(&self) -> bool {
        self.live_ended.is_some_and(|ended| ended.elapsed() >= TURN)
    }

    /// Reads session after session until the stream is quiet, it is `until`, or sessions bring
    /// nothing any more. Every event is accounted for on success.
    async fn drain(&mut self, until: Instant) -> Result<ReadEnd, ReadError<DeliveryError>> {
        let quiet = self.run.settings.source.live_quiet;
        let reader = self.services.reader(self.run, self.cluster, self.feed, self.scope);
        let ctx = self.services.ctx(self.run, self.scope);
        let mut delivery = EventDelivery::live(self.feed, &mut self.ledger, ctx);
        let mut ends = Vec::new();
        let drained = sessions(&reader, quiet, until, &mut delivery, &mut ends).await;
        self.report.counts.add(delivery.counts());
        for end in &ends {
            self.report.count_end("live", end);
        }
        if let Some(last) = ends.last() {
            let (ended, end) = (self.run.clock.now(), last.to_string());
            self.saved.checkpoint.live = Some(LiveMark { ended, end });
        }
        let end = drained?;
        if let ReadEnd::Session(last) = &end
            && !matches!(last, SessionEnd::Closed(Some(1000 | 1001)))
        {
            let (end, mode) = (end.clone(), self.run.settings.source.mode);
            self.first_error.get_or_insert(FeedError::LiveFails { end, mode });
        }
        Ok(end)
    }

    /// Goes on to the archive where the live stream alone is in first_error. A token that is refused,
    /// or busy, opens no other session either.
    async fn survive(&mut self, error: ReadError<DeliveryError>) -> Result<bool, FeedError> {
        match &error {
            ReadError::Open(open) if open.kind() == RefusalKind::Passing => {
                tracing::warn!(%error, "the live stream can't be read");
                self.live_ended = Some(Instant::now());
                self.live_was_cut_short = false;
                self.save().await?;
                let mode = self.run.settings.source.mode;
                self.first_error.get_or_insert(FeedError::LiveRefused { error, mode });
                Ok(true)
            }
            _ => Err(error.into()),
        }
    }

    /// Says which events can't come from the live stream, since it was left for too long.
    fn tell_of_a_gap(&self) {
        let now = self.run.clock.now();
        if let Some(live) = &self.saved.checkpoint.live
            && live.ended < now - REACH
        {
            let (since, until) = (live.ended, now - REACH);
            let then = match self.run.settings.source.mode.reads_archive() {
                true => "is read from the archive",
                false => "is missing until `collect` reads it",
            };
            tracing::warn!(%since, %until, "the live stream was not read for over an hour: what came then {then}");
        }
    }
}

/// The sessions of one drain; how each ended goes to `ends`. An end of a session itself is given
/// only where it is of no use to open another.
async fn sessions(
    reader: &Reader<'_>,
    quiet: Duration,
    until: Instant,
    delivery: &mut EventDelivery<'_>,
    ends: &mut Vec<ReadEnd>,
) -> Result<ReadEnd, ReadError<DeliveryError>> {
    let mut fruitless = 0;
    loop {
        let before = news(delivery.counts());
        let end = match reader.live(quiet, until, delivery).await {
            Ok(end) => end,
            Err(error) => {
                // Whatever else is wrong, what was read is to be delivered.
                if let ReadError::Open(_) = error {
                    reader.finish(delivery).await?;
                }
                return Err(error);
            }
        };
        ends.push(end.clone());
        let events = news(delivery.counts()) - before;
        fruitless = if events > 0 { 0 } else { fruitless + 1 };
        tracing::info!(events, %end, "live session ended");
        // What was read does not wait for the next session, which may be long in coming.
        reader.finish(delivery).await?;
        if !matches!(end, ReadEnd::Session(_)) || fruitless >= RECONNECT.tries {
            return Ok(end);
        }
        if fruitless == 0 {
            continue;
        }
        let Some(wait) = RECONNECT.wait_until(fruitless, None, until) else {
            return Ok(ReadEnd::OutOfTime);
        };
        tokio::select! {
            () = sleep(wait) => {}
            () = reader.stop.cancelled() => {}
        }
    }
}

/// How many events there were that had not been delivered before.
fn news(counts: &FeedCounts) -> u64 {
    counts.events - counts.duplicates
}
