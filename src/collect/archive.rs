//! Closed hours of a feed, from the archive: each is read, and its reading is classified.

use std::ops::ControlFlow;
use std::time::Duration;

use proofpoint_sentinel_core::hour::Hour;
use tokio::time::Instant;
use tracing::Instrument;

use super::delivery_error::DeliveryError;
use super::feed_context::FeedContext;
use super::feed_error::FeedError;
use super::feed_progress::FeedProgress;
use super::hour_status::{HourStatus, classify_read, classify_second_read};
use super::ledger::Ledger;
use super::pipeline::EventDelivery;
use super::plan::{awaits_second_read, is_near_end_of_retention};
use super::read_end::ReadEnd;
use super::session_reader::ReadError;
use crate::pod::OpenError;
use crate::settings::Mode;
use crate::state::HourAttempt;

/// A run begins another hour only if the time that is left is this many times what the longest
/// hour so far has taken: an hour that is cut short is read again.
const TIME_MARGIN: f64 = 1.5;

/// Reads closed hours of a feed from the archive.
pub(super) struct ArchiveReader<'a> {
    ctx: FeedContext<'a>,
    /// What the longest hour in this run has taken.
    longest: Duration,
}

impl<'a> ArchiveReader<'a> {
    pub(super) fn new(ctx: FeedContext<'a>) -> ArchiveReader<'a> {
        ArchiveReader { ctx, longest: Duration::ZERO }
    }

    /// Reads `hour`, which is due, and records what came of it. Breaks where the run is to end.
    pub(super) async fn read_hour(
        &mut self,
        hour: Hour,
        ledger: &mut Ledger,
        progress: &mut FeedProgress<'_>,
    ) -> Result<ControlFlow<()>, FeedError> {
        if self.ctx.scope().is_halted() || !self.has_time_for_an_hour() {
            progress.report().mark_unfinished();
            return Ok(ControlFlow::Break(()));
        }
        ledger.keep_recent(2);
        let began = Instant::now();
        let span = tracing::info_span!("hour", hour = %hour);
        let flow = self.read(hour, ledger, progress).instrument(span).await?;
        if flow.is_break() {
            progress.report().mark_unfinished();
        }
        self.longest = self.longest.max(began.elapsed());
        Ok(flow)
    }

    fn has_time_for_an_hour(&self) -> bool {
        self.ctx.time_left() > self.longest.mul_f64(TIME_MARGIN)
    }

    async fn read(
        &self,
        hour: Hour,
        ledger: &mut Ledger,
        progress: &mut FeedProgress<'_>,
    ) -> Result<ControlFlow<()>, FeedError> {
        let ctx = self.ctx;
        let mut delivery = EventDelivery::archive(ctx.feed(), hour, ledger, ctx.delivery_context());
        let end = ctx.session_reader().read_hour(hour, &mut delivery).await;
        let counts = delivery.counts().clone();
        let is_repair =
            ctx.mode() == Mode::Hybrid || awaits_second_read(progress.checkpoint(), hour);
        let report = progress.report();
        report.counts.add(&counts);
        report.repaired += if is_repair { counts.delivered } else { 0 };
        match end {
            Ok(end) => {
                report.count_session_end("archive", &end);
                self.record(hour, &end, counts.events, ledger, progress).await?;
                Ok(match end {
                    ReadEnd::Session(_) => ControlFlow::Continue(()),
                    ReadEnd::Stopped | ReadEnd::OutOfTime | ReadEnd::Quiet => {
                        ControlFlow::Break(())
                    }
                })
            }
            Err(error) if self.is_expired(hour, &error) => {
                progress.record_lost_hour(hour).await?;
                Ok(ControlFlow::Continue(()))
            }
            Err(error) => Err(error.into()),
        }
    }

    /// Records what a reading means, unless nothing is known by it: it was stopped before the
    /// first event came.
    async fn record(
        &self,
        hour: Hour,
        end: &ReadEnd,
        events: u64,
        ledger: &mut Ledger,
        progress: &mut FeedProgress<'_>,
    ) -> Result<(), FeedError> {
        if events == 0 && !matches!(end, ReadEnd::Session(_)) {
            return Ok(());
        }
        let (now, timing) = (self.ctx.now(), self.ctx.timing());
        let checkpoint = progress.checkpoint();
        let status = if awaits_second_read(checkpoint, hour) {
            let has_delivered = ledger.has_any(hour).await?;
            classify_second_read(hour, end, events, has_delivered, now, timing)
        } else {
            let previous = checkpoint.retry.iter().find(|attempt| attempt.hour == hour);
            classify_read(hour, previous, end, events, now, timing)
        };
        match &status {
            HourStatus::Done { .. } => tracing::info!(events, %end, "hour done"),
            HourStatus::Retry(HourAttempt { attempts, not_before, .. }) => {
                tracing::info!(events, %end, attempts, %not_before, "hour to be read again");
            }
        }
        progress.record_hour(hour, status).await
    }

    /// Whether the archive was refused because Proofpoint has dropped `hour` meanwhile.
    fn is_expired(&self, hour: Hour, error: &ReadError<DeliveryError>) -> bool {
        matches!(error, ReadError::Open(OpenError::Refused(refusal)) if refusal.status == 400)
            && is_near_end_of_retention(hour, self.ctx.now())
    }
}
