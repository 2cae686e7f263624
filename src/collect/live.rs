//! The live stream of a feed: drained until it is quiet, over as many sessions as that takes.

use std::ops::ControlFlow;
use std::time::Duration;

use jiff::SignedDuration;
use tokio::time::{Instant, sleep};
use tracing::Instrument;

use super::delivery_error::DeliveryError;
use super::feed_context::FeedContext;
use super::feed_error::FeedError;
use super::feed_progress::FeedProgress;
use super::ledger::Ledger;
use super::pipeline::EventDelivery;
use super::read_end::ReadEnd;
use super::session_reader::{ReadError, SessionReader};
use crate::error_code::{self, Coded as _};
use crate::pod::{RefusalKind, SessionEnd};
use crate::report::FeedCounts;
use crate::retry::Backoff;

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
pub(super) struct LiveReader<'a> {
    ctx: FeedContext<'a>,
    /// The last turn in this run.
    last_turn: Option<Turn>,
}

/// How a turn ended.
struct Turn {
    ended: Instant,
    /// Its time was up before the stream was quiet.
    was_cut_short: bool,
}

impl<'a> LiveReader<'a> {
    pub(super) fn new(ctx: FeedContext<'a>) -> LiveReader<'a> {
        LiveReader { ctx, last_turn: None }
    }

    /// Takes a turn: drains the live stream until it is quiet or the turn's time is up. Breaks
    /// where the run is to end.
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
        let turn = self.read_sessions(Instant::now() + share, ledger, progress);
        let end = match turn.instrument(tracing::info_span!("live")).await {
            Ok(end) => end,
            Err(error) => return self.recover_live(error, progress).await,
        };
        self.end_turn(end == ReadEnd::OutOfTime);
        progress.save().await?;
        if end == ReadEnd::Stopped {
            progress.report().mark_unfinished();
            return Ok(ControlFlow::Break(()));
        }
        Ok(ControlFlow::Continue(()))
    }

    /// Whether the live stream was left before it was quiet, and there is time to go on with it.
    pub(super) fn has_more(&self) -> bool {
        let was_cut_short = self.last_turn.as_ref().is_some_and(|turn| turn.was_cut_short);
        was_cut_short && self.ctx.time_left() >= MIN_TIME
    }

    /// Whether the live stream has waited long enough for its next turn. It never has where it had
    /// none.
    pub(super) fn is_due(&self) -> bool {
        self.last_turn.as_ref().is_some_and(|turn| turn.ended.elapsed() >= TURN_INTERVAL)
    }

    fn end_turn(&mut self, was_cut_short: bool) {
        self.last_turn = Some(Turn { ended: Instant::now(), was_cut_short });
    }

    /// Reads session after session until the stream is quiet, it is `until`, or sessions bring
    /// nothing any more. Every event is accounted for on success.
    async fn read_sessions(
        &self,
        until: Instant,
        ledger: &mut Ledger,
        progress: &mut FeedProgress<'_>,
    ) -> Result<ReadEnd, ReadError<DeliveryError>> {
        let ctx = self.ctx;
        let quiet = ctx.run().settings.source.live_quiet;
        let mut delivery = EventDelivery::live(ctx.feed(), ledger, ctx.delivery_context());
        let mut ends = Vec::new();
        let result =
            read_sessions(&ctx.session_reader(), quiet, until, &mut delivery, &mut ends).await;
        progress.report().counts.add(delivery.counts());
        for end in &ends {
            progress.report().count_session_end("live", end);
        }
        if let Some(last) = ends.last() {
            progress.record_live(last);
        }
        let end = result?;
        if let ReadEnd::Session(last) = &end
            && !matches!(last, SessionEnd::Closed(Some(1000 | 1001)))
        {
            progress.note_error(FeedError::LiveFails { end: end.clone(), mode: ctx.mode() });
        }
        Ok(end)
    }

    /// Goes on to the archive where the fault is the live stream's alone and passes. A token that
    /// is refused, or busy, opens no other session either.
    async fn recover_live(
        &mut self,
        error: ReadError<DeliveryError>,
        progress: &mut FeedProgress<'_>,
    ) -> Result<ControlFlow<()>, FeedError> {
        match &error {
            ReadError::Open(open) if open.kind() == RefusalKind::Passing => {
                tracing::warn!(code = %error.code(), %error, "the live stream can't be read");
                self.end_turn(false);
                progress.save().await?;
                progress.note_error(FeedError::LiveRefused { error, mode: self.ctx.mode() });
                Ok(ControlFlow::Continue(()))
            }
            _ => Err(error.into()),
        }
    }

    /// Says which events can't come from the live stream, since it was left for too long.
    fn warn_of_gap(&self, progress: &FeedProgress<'_>) {
        let now = self.ctx.now();
        if let Some(live) = &progress.checkpoint().live
            && live.ended < now - REPLAY_WINDOW
        {
            let (since, until) = (live.ended, now - REPLAY_WINDOW);
            let then = match self.ctx.mode().reads_archive() {
                true => "is read from the archive",
                false => "is missing until `collect` reads it",
            };
            tracing::warn!(code = %error_code::LIVE_GAP, %since, %until, "the live stream was not read for over an hour: what came then {then}");
        }
    }
}

/// The sessions of one turn. How each ended goes to `ends`. The result is the end of a session
/// itself only where it is of no use to open another.
async fn read_sessions(
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
