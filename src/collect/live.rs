//! The live stream of a feed: drained until it has caught up, over as many sessions as that takes.

use std::ops::ControlFlow;
use std::time::Duration;

use jiff::SignedDuration;
use tokio::time::{Instant, sleep};
use tracing::Instrument;

use super::delivery_error::DeliveryError;
use super::fault::{AfterLive, after_live, live_stream_fails};
use super::feed_context::FeedContext;
use super::feed_error::FeedError;
use super::feed_progress::FeedProgress;
use super::ledger::Ledger;
use super::pipeline::EventDelivery;
use super::read_end::ReadEnd;
use super::session_reader::{ReadError, SessionReader};
use crate::error_code::{self, Coded as _};
use crate::report::FeedCounts;
use crate::retry::Backoff;
use crate::settings::{LiveReading, Mode};

/// While closed hours are due, the live stream gets this share of the time that is left for
/// reading. What it can't take stays with the server for the next run.
const SHARE_OF_TIME: f64 = 1.0 / 3.0;

/// While closed hours are read, the live stream gets a turn this often.
const TURN_INTERVAL: Duration = Duration::from_secs(180);

/// In less time than this no live session is begun.
const MIN_TIME: Duration = Duration::from_millis(500);

/// How far back the server goes on from where a session ended. What is older comes from the
/// archive alone. A little less than the documented hour.
const REPLAY_WINDOW: SignedDuration = SignedDuration::from_mins(55);

/// How a session that ended without an event is followed by another.
const RECONNECT: Backoff =
    Backoff { first: Duration::from_secs(1), longest: Duration::from_secs(30), tries: 4 };

/// Reads a feed's live stream, in one or more turns a run.
///
/// The server forgets what it has sent. So a session is opened only if what it brings can probably be
/// delivered: the ledger can be written, there is a token, and the destination took the last rows.
/// Otherwise the archive goes first, whose hours can be read again.
pub(super) struct LiveReader<'a> {
    ctx: FeedContext<'a>,
    /// The last turn in this run.
    last_turn: Option<LiveTurn>,
    /// Whether this run has read the closed hours that are due.
    archive_was_read: bool,
}

/// How a turn ended.
struct LiveTurn {
    ended: Instant,
    /// Its time was up before the stream was quiet.
    was_cut_short: bool,
}

impl<'a> LiveReader<'a> {
    pub(super) fn new(ctx: FeedContext<'a>) -> LiveReader<'a> {
        LiveReader { ctx, last_turn: None, archive_was_read: false }
    }

    /// Says that the closed hours that are due were read.
    pub(super) fn note_archive_read(&mut self) {
        self.archive_was_read = true;
    }

    /// Takes a turn: drains the live stream until it has caught up, it is quiet, or the turn's time
    /// is up. Breaks if the run is to end.
    pub(super) async fn drain(
        &mut self,
        ledger: &mut Ledger,
        progress: &mut FeedProgress<'_>,
    ) -> Result<ControlFlow<()>, FeedError> {
        if self.ctx.scope().is_halted() {
            progress.report().mark_unfinished();
            return Ok(ControlFlow::Break(()));
        }
        let left = self.ctx.time_left();
        if left < MIN_TIME {
            return Ok(ControlFlow::Continue(()));
        }
        self.warn_of_gap(progress);
        let share = if progress.has_due_hours() { left.mul_f64(SHARE_OF_TIME) } else { left };
        let until = Instant::now() + share;
        let turn = async {
            self.prepare(until, ledger, progress).await.map_err(ReadError::Sink)?;
            self.read_sessions(until, ledger, progress).await
        };
        let end = match turn.instrument(tracing::info_span!("live")).await {
            Ok(end) => end,
            Err(error) => return self.recover_live(error, progress).await,
        };
        self.end_turn(matches!(end, ReadEnd::OutOfTime | ReadEnd::NotOpened));
        progress.save().await?;
        if end == ReadEnd::Stopped || self.ctx.scope().is_halted() {
            progress.report().mark_unfinished();
            return Ok(ControlFlow::Break(()));
        }
        Ok(ControlFlow::Continue(()))
    }

    /// Whether the live stream was left before it was quiet or was not read at all, and is to be
    /// read now that the archive was.
    pub(super) fn has_more(&self, progress: &FeedProgress<'_>) -> bool {
        let wants = self.last_turn.as_ref().is_none_or(|turn| turn.was_cut_short);
        wants && self.may_open(progress) && self.ctx.time_left() >= MIN_TIME
    }

    /// Whether the live stream is to have its next turn before another hour is read.
    pub(super) fn is_due(&self, progress: &FeedProgress<'_>) -> bool {
        let waited = |turn: &LiveTurn| turn.ended.elapsed() >= TURN_INTERVAL;
        self.may_open(progress) && self.last_turn.as_ref().is_none_or(waited)
    }

    /// Whether what a session brings can probably be delivered. In the first run, and after the
    /// destination took no rows, the archive goes first: its rows show whether they are taken.
    fn may_open(&self, progress: &FeedProgress<'_>) -> bool {
        let was_ever_opened = progress.checkpoint().live.is_some();
        let is_tried = was_ever_opened || progress.has_delivered() || self.archive_was_read;
        let is_let = progress.hold().lets_open_live(self.archive_was_read);
        self.ctx.mode() == Mode::Hybrid && is_tried && is_let
    }

    /// Makes sure that what a session brings can be recorded and posted.
    async fn prepare(
        &self,
        until: Instant,
        ledger: &mut Ledger,
        progress: &mut FeedProgress<'_>,
    ) -> Result<(), DeliveryError> {
        let (now, writer) = (self.ctx.now(), &self.ctx.run().id);
        ledger.prepare(now, writer).await.map_err(DeliveryError::Ledger)?;
        let destination = self.ctx.destination();
        if progress.hold().get().is_some() {
            let table = self.ctx.row_type().table();
            destination.probe(table, self.ctx.scope()).await.map_err(DeliveryError::Held)?;
            progress.note_probe();
        }
        destination.prepare(until).await.map_err(DeliveryError::Held)
    }

    fn end_turn(&mut self, was_cut_short: bool) {
        self.last_turn = Some(LiveTurn { ended: Instant::now(), was_cut_short });
    }

    /// Reads session after session until the stream has caught up or is quiet, it is `until`, or
    /// sessions bring nothing any more. Every event is accounted for on success.
    async fn read_sessions(
        &self,
        until: Instant,
        ledger: &mut Ledger,
        progress: &mut FeedProgress<'_>,
    ) -> Result<ReadEnd, ReadError<DeliveryError>> {
        let ctx = self.ctx;
        let source = &ctx.run().settings.source;
        let quiet = source.live_quiet;
        let catch_up_to = match source.live {
            LiveReading::CatchUp => Some(ctx.now()),
            LiveReading::Continuous => None,
        };
        let evidence = progress.evidence();
        let delivery_ctx = ctx.delivery_context(&evidence);
        let mut delivery = EventDelivery::live(ledger, catch_up_to, delivery_ctx);
        let mut ends = Vec::new();
        let result =
            drain_sessions(&ctx.session_reader(), quiet, until, &mut delivery, &mut ends).await;
        progress.add_counts(delivery.counts());
        for end in &ends {
            progress.report().count_session_end("live", end);
        }
        if let Some(last) = ends.last() {
            progress.record_live(last);
        }
        let end = result?;
        if let ReadEnd::Session(last) = &end
            && live_stream_fails(last)
        {
            progress.note_error(FeedError::LiveCutShort { end: end.clone() });
        }
        Ok(end)
    }

    /// Goes on to the archive if the fault leaves it usable.
    async fn recover_live(
        &mut self,
        error: ReadError<DeliveryError>,
        progress: &mut FeedProgress<'_>,
    ) -> Result<ControlFlow<()>, FeedError> {
        progress.note_fault(&error);
        match after_live(&error) {
            AfterLive::LeaveLive => {
                tracing::warn!(code = %error.code(), %error, "the live stream can't be read");
                self.end_turn(false);
                progress.save().await?;
                progress.note_error(FeedError::LiveUnreadable { error });
                Ok(ControlFlow::Continue(()))
            }
            AfterLive::EndFeed => Err(error.into()),
        }
    }

    /// Says which events can't come from the live stream, since it was left for too long.
    fn warn_of_gap(&self, progress: &FeedProgress<'_>) {
        let now = self.ctx.now();
        if let Some(live) = &progress.checkpoint().live
            && live.ended < now - REPLAY_WINDOW
        {
            let (since, until) = (live.ended, now - REPLAY_WINDOW);
            tracing::warn!(code = %error_code::LIVE_GAP, %since, %until, "the live stream was not read for over an hour: what came then is read from the archive");
        }
    }
}

/// The sessions of one turn. How each ended goes to `ends`. The result is the end of a session
/// itself only where it is of no use to open another.
async fn drain_sessions(
    reader: &SessionReader<'_>,
    quiet: Duration,
    until: Instant,
    delivery: &mut EventDelivery<'_>,
    ends: &mut Vec<ReadEnd>,
) -> Result<ReadEnd, ReadError<DeliveryError>> {
    let mut sessions_without_news = 0;
    loop {
        let before = new_events(delivery.counts());
        let end = match reader.read_live(quiet, until, delivery).await {
            Ok(end) => end,
            Err(error) => {
                // Whatever else is wrong, what was read is to be delivered.
                if let ReadError::Open(_) = error {
                    reader.flush(delivery).await?;
                }
                return Err(error);
            }
        };
        if end == ReadEnd::NotOpened {
            // There may have been sessions before it.
            reader.flush(delivery).await?;
            return Ok(end);
        }
        ends.push(end.clone());
        let events = new_events(delivery.counts()) - before;
        sessions_without_news = if events > 0 { 0 } else { sessions_without_news + 1 };
        tracing::info!(events, %end, "live session ended");
        // What was read does not wait for the next session, which may be long in coming.
        reader.flush(delivery).await?;
        if !matches!(end, ReadEnd::Session(_)) || sessions_without_news >= RECONNECT.tries {
            return Ok(end);
        }
        if sessions_without_news == 0 {
            continue;
        }
        let Some(wait) = RECONNECT.wait_until(sessions_without_news, None, until) else {
            return Ok(ReadEnd::OutOfTime);
        };
        tokio::select! {
            () = sleep(wait) => {}
            () = reader.stop.cancelled() => {}
        }
    }
}

/// How many events there were that had not been delivered before.
fn new_events(counts: &FeedCounts) -> u64 {
    counts.events - counts.duplicates
}
