//! Closed hours of a feed, from the archive: each is read, and its reading is classified.

use std::time::Duration;

use proofpoint_sentinel_core::hour::Hour;
use tokio::time::Instant;
use tracing::Instrument;

use super::archive_pass::FailedHour;
use super::delivery_error::DeliveryError;
use super::fault::{AfterHour, after_hour};
use super::feed_context::FeedContext;
use super::feed_error::FeedError;
use super::feed_progress::FeedProgress;
use super::hour_status::{
    HourReading, HourStatus, classify_look, classify_read, classify_second_read,
};
use super::ledger::Ledger;
use super::pipeline::EventDelivery;
use super::plan::{awaits_second_read, believed, is_near_end_of_retention, is_reread, tried};
use super::read_end::ReadEnd;
use super::session_reader::ReadError;
use crate::error_code::Coded as _;
use crate::pod::OpenError;
use crate::row::CollectedBy;
use crate::settings::Mode;
use crate::state::{Arrival, HourAttempt, StateError};

/// A run begins another hour only if the time that is left is this many times what the longest
/// hour so far has taken: an hour that is cut short is read again.
const TIME_MARGIN: f64 = 1.5;

/// Reads closed hours of a feed from the archive.
pub(super) struct ArchiveReader<'a> {
    ctx: FeedContext<'a>,
    /// What the longest hour in this run has taken.
    longest: Duration,
}

/// What came of asking for an hour.
pub(super) enum HourOutcome {
    /// It was read, and what that means is on record.
    Read,
    /// Proofpoint no longer keeps it, which is on record.
    Lost,
    /// It could not be read. Nothing is on record yet.
    Failed(FailedHour),
    /// The run is to end.
    Stopped,
}

impl<'a> ArchiveReader<'a> {
    pub(super) fn new(ctx: FeedContext<'a>) -> ArchiveReader<'a> {
        ArchiveReader { ctx, longest: Duration::ZERO }
    }

    /// Reads `hour`, which is due.
    pub(super) async fn read_hour(
        &mut self,
        hour: Hour,
        ledger: &mut Ledger,
        progress: &mut FeedProgress<'_>,
    ) -> Result<HourOutcome, FeedError> {
        if self.ctx.scope().is_halted() || !self.has_time_for_an_hour() {
            progress.report().mark_unfinished();
            return Ok(HourOutcome::Stopped);
        }
        ledger.keep_recent(2);
        let began = Instant::now();
        let span = tracing::info_span!("hour", hour = %hour);
        let outcome = self.read(hour, ledger, progress).instrument(span).await?;
        if let HourOutcome::Stopped = outcome {
            progress.report().mark_unfinished();
        }
        self.longest = self.longest.max(began.elapsed());
        Ok(outcome)
    }

    fn has_time_for_an_hour(&self) -> bool {
        self.ctx.time_left() > self.longest.mul_f64(TIME_MARGIN)
    }

    async fn read(
        &self,
        hour: Hour,
        ledger: &mut Ledger,
        progress: &mut FeedProgress<'_>,
    ) -> Result<HourOutcome, FeedError> {
        let ctx = self.ctx;
        ledger.begin_reading(hour);
        let evidence = progress.evidence();
        let delivery_ctx = ctx.delivery_context(&evidence);
        let is_reread = is_reread(progress.checkpoint(), hour);
        let arrived = if is_reread { Arrival::Late } else { Arrival::Archive };
        let by = (CollectedBy::Archive, arrived);
        let mut delivery = EventDelivery::archive(hour, by, ledger, delivery_ctx);
        let end = ctx.session_reader().read_hour(hour, &mut delivery).await;
        let counts = delivery.counts().clone();
        let live = progress.checkpoint().live.as_ref();
        let is_repair = (ctx.mode() == Mode::Hybrid && live.is_some()) || is_reread;
        progress.add_counts(&counts);
        let report = progress.report();
        report.repaired += if is_repair { counts.delivered } else { 0 };
        match end {
            Ok(ReadEnd::NotOpened) => Ok(HourOutcome::Stopped),
            Ok(end) => {
                report.count_session_end("archive", &end);
                self.record(hour, &end, counts.events, ledger, progress).await
            }
            Err(error) => self.fail(hour, error, ledger, progress).await,
        }
    }

    /// Does what follows from a fault of the reading of `hour`.
    async fn fail(
        &self,
        hour: Hour,
        error: ReadError<DeliveryError>,
        ledger: &mut Ledger,
        progress: &mut FeedProgress<'_>,
    ) -> Result<HourOutcome, FeedError> {
        if self.is_expired(hour, &error, progress) {
            progress.record_lost_hour(hour, ledger).await?;
            return Ok(HourOutcome::Lost);
        }
        progress.note_fault(&error);
        match after_hour(&error) {
            AfterHour::RetryHour => {
                let (code, reason) = (error.code(), error.to_string());
                tracing::warn!(%code, "the hour can't be read: {reason}");
                Ok(HourOutcome::Failed(FailedHour { hour, code, reason }))
            }
            AfterHour::EndFeed => Err(error.into()),
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
    ) -> Result<HourOutcome, FeedError> {
        let outcome = match end {
            ReadEnd::Session(_) => HourOutcome::Read,
            _ => HourOutcome::Stopped,
        };
        if events == 0 && matches!(outcome, HourOutcome::Stopped) {
            return Ok(outcome);
        }
        let status = match self.classify(hour, end, events, ledger, progress).await {
            Ok(status) => status,
            Err(error) => {
                let error = ReadError::Sink(DeliveryError::Ledger(error));
                return self.fail(hour, error, ledger, progress).await;
            }
        };
        match &status {
            HourStatus::Proved { .. } | HourStatus::Settled => {
                tracing::info!(events, %end, "hour done");
            }
            HourStatus::Believed(HourAttempt { attempts, .. }) => {
                tracing::info!(events, %end, attempts, "hour believed to be done");
            }
            HourStatus::Retry(HourAttempt { attempts, not_before, .. }) => {
                tracing::info!(events, %end, attempts, %not_before, "hour to be read again");
            }
        }
        progress.record_hour(hour, status, ledger).await?;
        Ok(outcome)
    }

    async fn classify(
        &self,
        hour: Hour,
        end: &ReadEnd,
        events: u64,
        ledger: &mut Ledger,
        progress: &FeedProgress<'_>,
    ) -> Result<HourStatus, StateError> {
        let (now, timing) = (self.ctx.now(), self.ctx.timing());
        let checkpoint = progress.checkpoint();
        let reading = HourReading { end, events, missing: ledger.missing(hour).await? };
        Ok(if awaits_second_read(checkpoint, hour) {
            let has_delivered = ledger.has_any(hour).await?;
            classify_second_read(hour, reading, has_delivered, now, timing)
        } else if let Some(believed) = believed(checkpoint, hour) {
            classify_look(believed, reading, now, timing)
        } else {
            classify_read(hour, tried(checkpoint, hour), reading, now, timing)
        })
    }

    /// Whether the archive was refused because Proofpoint has dropped `hour` meanwhile.
    fn is_expired(
        &self,
        hour: Hour,
        error: &ReadError<DeliveryError>,
        progress: &FeedProgress<'_>,
    ) -> bool {
        matches!(error, ReadError::Open(OpenError::Refused(refusal)) if refusal.status == 400)
            && is_near_end_of_retention(progress.checkpoint(), hour, self.ctx.now())
    }
}
