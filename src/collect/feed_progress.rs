//! How far a feed has come: its checkpoint, the report of this run, and what went wrong.

use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use proofpoint_sentinel_core::hour::Hour;
use tokio::time::Instant;

use super::archive_pass::FailedHour;
use super::delivery_error::DeliveryError;
use super::evidence::Evidence;
use super::fault::holds_rows;
use super::feed_context::FeedContext;
use super::feed_error::FeedError;
use super::hold::DestinationHold;
use super::hour_rows::HourRows;
use super::hour_status::{HourStatus, failed_read, has_failed_often, is_too_long, look_later};
use super::ledger::Ledger;
use super::plan::{Plan, believed, is_reread, oldest_unfinished, plan, tried};
use super::read_end::ReadEnd;
use super::record::{drop_expired_rereads, record, record_lost};
use super::session_reader::ReadError;
use super::stored_checkpoint::StoredCheckpoint;
use super::told_hours::{ToldState, state_of};
use crate::error_code;
use crate::report::{FeedCounts, FeedReport};
use crate::state::{Checkpoint, HourAttempt, LiveMark};

/// How far a feed has come in this run.
pub(super) struct FeedProgress<'a> {
    ctx: FeedContext<'a>,
    stored: StoredCheckpoint,
    report: &'a mut FeedReport,
    evidence: Arc<Evidence>,
    /// The first fault in this run that needs someone's attention and did not end it.
    first_error: Option<FeedError>,
    hold: DestinationHold,
}

impl<'a> FeedProgress<'a> {
    /// Goes on from the feed's checkpoint.
    pub(super) async fn load(
        ctx: FeedContext<'a>,
        report: &'a mut FeedReport,
    ) -> Result<FeedProgress<'a>, FeedError> {
        let stored = StoredCheckpoint::load(ctx).await?;
        report.newest = stored.get().newest;
        report.oldest_open = Some(oldest_unfinished(stored.get()));
        let evidence = Arc::new(Evidence::new(stored.get().refusals.clone()));
        let hold = DestinationHold::new(stored.get().held);
        Ok(FeedProgress { ctx, evidence, hold, stored, report, first_error: None })
    }

    pub(super) fn checkpoint(&self) -> &Checkpoint {
        self.stored.get()
    }

    /// When the feed was worked on last; `None` if it never was.
    pub(super) fn last_worked(&self) -> Option<Timestamp> {
        let checkpoint = self.stored.get();
        (checkpoint.sequence > 0).then_some(checkpoint.updated)
    }

    /// What is known of refused rows.
    pub(super) fn evidence(&self) -> Arc<Evidence> {
        self.evidence.clone()
    }

    pub(super) fn report(&mut self) -> &mut FeedReport {
        self.report
    }

    /// Keeps an error that does not end the run, where it is the first one.
    pub(super) fn note_error(&mut self, error: FeedError) {
        self.first_error.get_or_insert(error);
    }

    /// The first error that did not end the run.
    pub(super) fn into_result(self) -> Result<(), FeedError> {
        self.first_error.map_or(Ok(()), Err)
    }

    fn plan(&self) -> Plan {
        plan(self.stored.get(), self.ctx.now(), self.ctx.timing())
    }

    /// Reports how many hours wait.
    pub(super) fn report_waiting_hours(&mut self) {
        self.report.hours_waiting = self.count_waiting(&self.plan());
    }

    fn count_waiting(&self, plan: &Plan) -> usize {
        let is_waiting = |hour: &&Hour| !is_reread(self.stored.get(), **hour);
        plan.later + plan.due.iter().filter(is_waiting).count()
    }

    /// Whether closed hours are due.
    pub(super) fn has_due_hours(&self) -> bool {
        !self.plan().due.is_empty()
    }

    /// Records which hours Proofpoint no longer keeps, and gives those that are due.
    pub(super) async fn begin_archive(
        &mut self,
        ledger: &mut Ledger,
    ) -> Result<Vec<Hour>, FeedError> {
        let (now, timing) = (self.ctx.now(), self.ctx.timing());
        drop_expired_rereads(self.stored.get_mut(), now, timing);
        let plan = self.plan();
        self.report.hours_waiting = self.count_waiting(&plan);
        for hour in plan.lost {
            let before = state_of(self.stored.get(), hour);
            record_lost(self.stored.get_mut(), hour);
            self.report.hours_lost.push(hour);
            self.tell_hour(hour, before, ledger).await;
        }
        if !self.report.hours_lost.is_empty() {
            self.save().await?;
        }
        Ok(plan.due)
    }

    /// Whether the destination takes the feed's rows.
    pub(super) fn hold(&self) -> &DestinationHold {
        &self.hold
    }

    /// Notes that the destination took a post without rows.
    pub(super) fn note_probe(&mut self) {
        self.hold.note_probe();
    }

    /// Whether rows of this feed were delivered in this run.
    pub(super) fn has_delivered(&self) -> bool {
        self.report.counts.delivered > 0
    }

    /// Adds what became of events that were read.
    pub(super) fn add_counts(&mut self, counts: &FeedCounts) {
        self.report.counts.add(counts);
        if counts.delivered > 0 {
            self.hold.release();
        }
    }

    /// Notes a fault. What it says of the destination is saved later.
    pub(super) fn note_fault(&mut self, error: &ReadError<DeliveryError>) {
        if holds_rows(error, self.has_delivered()) {
            self.hold.begin(self.ctx.now(), self.ctx.destination().paused_for());
        }
    }

    /// Saves that the feed is on hold, or is no longer, if that is not on record yet.
    pub(super) async fn save_hold(&mut self) -> Result<(), FeedError> {
        if self.stored.get().held == self.hold.get() {
            return Ok(());
        }
        self.save().await
    }

    /// Leaves the destination alone for as long as it asked for in an earlier run.
    ///
    /// # Errors
    /// If that is longer than this run may post.
    pub(super) fn respect_pause(&self) -> Result<(), FeedError> {
        let now = self.ctx.now();
        let Some(until) = self.hold.paused_until(now) else { return Ok(()) };
        let pause = Duration::try_from(until.duration_since(now)).unwrap_or_default();
        self.ctx.destination().pause_for(pause);
        if Instant::now() + pause < self.ctx.scope().posting_ends() {
            return Ok(());
        }
        Err(FeedError::Paused { until })
    }

    /// Records how the last live session ended. It is saved later.
    pub(super) fn record_live(&mut self, end: &ReadEnd) {
        let mark = LiveMark { ended: self.ctx.now(), end: end.into() };
        self.stored.get_mut().live = Some(mark);
    }

    /// Records and saves what a reading of `hour` means.
    pub(super) async fn record_hour(
        &mut self,
        hour: Hour,
        status: HourStatus,
        ledger: &mut Ledger,
    ) -> Result<(), FeedError> {
        let before = state_of(self.stored.get(), hour);
        let was_done = is_reread(self.stored.get(), hour);
        match &status {
            HourStatus::Proved { .. } | HourStatus::Settled | HourStatus::Believed(_)
                if was_done =>
            {
                self.report.hours_checked.push(hour);
            }
            HourStatus::Proved { .. } | HourStatus::Settled => self.count_done(hour),
            HourStatus::Believed(_) => {
                self.count_done(hour);
                self.report.hours_believed.push(hour);
            }
            HourStatus::Retry(attempt) => {
                self.report.hours_waiting += usize::from(was_done);
                self.note_failures(attempt);
            }
        }
        let checkpoint = self.stored.get_mut();
        checkpoint.oldest_next ^= !was_done;
        record(checkpoint, hour, status);
        self.tell_hour(hour, before, ledger).await;
        self.save().await
    }

    /// Puts in line for the connector's table what `hour`, which was `before`, has become.
    async fn tell_hour(&mut self, hour: Hour, before: Option<ToldState>, ledger: &mut Ledger) {
        let rows = HourRows::of(self.ctx.run());
        let Some(after) = state_of(self.stored.get(), hour) else { return };
        rows.tell_read(&mut self.stored.get_mut().hour_rows, (hour, before, after), ledger).await;
    }

    /// Puts in line for the connector's table the hours that were read before and of which more events
    /// came since. Says whether there are any.
    pub(super) async fn tell_changed_hours(&mut self, ledger: &mut Ledger) -> bool {
        let rows = HourRows::of(self.ctx.run());
        let Checkpoint { told_from, .. } = *self.stored.get();
        let mut has_any = false;
        for hour in ledger.changed().into_iter().filter(|hour| *hour >= told_from) {
            if let Some(state) = state_of(self.stored.get(), hour) {
                rows.tell(&mut self.stored.get_mut().hour_rows, (hour, state), ledger).await;
                has_any = true;
            }
        }
        has_any
    }

    /// Reports what the connector's table is yet to be told, as far as it is on record.
    pub(super) fn report_hour_rows(&mut self) {
        if self.stored.is_written() {
            self.report.hour_rows.clone_from(&self.stored.get().hour_rows);
        }
        self.report.is_on_hold = self.hold.get().is_some();
    }

    fn count_done(&mut self, hour: Hour) {
        self.report.hours_done.push(hour);
        self.report.hours_waiting -= 1;
    }

    /// Records and saves that hours could not be read, each by a fault of its own.
    pub(super) async fn record_failed_hours(
        &mut self,
        failed: Vec<FailedHour>,
        ledger: &mut Ledger,
    ) -> Result<(), FeedError> {
        let now = self.ctx.now();
        for FailedHour { hour, code, reason } in failed {
            let checkpoint = self.stored.get();
            let status = match believed(checkpoint, hour) {
                Some(attempt) => HourStatus::Believed(look_later(attempt, now)),
                None => HourStatus::Retry(failed_read(hour, tried(checkpoint, hour), code, now)),
            };
            self.note_error(FeedError::HourUnreadable { hour, code, reason });
            self.record_hour(hour, status, ledger).await?;
        }
        Ok(())
    }

    /// Records that Proofpoint keeps `hour`. It is saved later.
    pub(super) fn note_kept(&mut self, hour: Hour) {
        let age = Hour::containing(self.ctx.now()).hours_since(hour);
        let kept = &mut self.stored.get_mut().kept_hours;
        *kept = (*kept).max(u32::try_from(age).unwrap_or(0));
    }

    /// Records and saves that Proofpoint no longer keeps `hours`, since `oldest_kept` is the oldest
    /// hour that it does.
    pub(super) async fn record_retention(
        &mut self,
        hours: Vec<Hour>,
        oldest_kept: Hour,
        ledger: &mut Ledger,
    ) -> Result<(), FeedError> {
        let age = Hour::containing(self.ctx.now()).hours_since(oldest_kept);
        self.stored.get_mut().retention_hours = u32::try_from(age).ok();
        tracing::warn!(code = %error_code::HOURS_LOST, %oldest_kept, "Proofpoint keeps no older hour");
        for hour in hours {
            self.count_lost(hour, ledger).await;
        }
        self.save().await
    }

    /// Records and saves that Proofpoint no longer keeps `hour`.
    pub(super) async fn record_lost_hour(
        &mut self,
        hour: Hour,
        ledger: &mut Ledger,
    ) -> Result<(), FeedError> {
        self.count_lost(hour, ledger).await;
        self.save().await
    }

    async fn count_lost(&mut self, hour: Hour, ledger: &mut Ledger) {
        let before = state_of(self.stored.get(), hour);
        if !is_reread(self.stored.get(), hour) {
            self.report.hours_lost.push(hour);
            self.report.hours_waiting -= 1;
        }
        record_lost(self.stored.get_mut(), hour);
        self.tell_hour(hour, before, ledger).await;
    }

    /// Writes the checkpoint, unless the lease is lost.
    pub(super) async fn save(&mut self) -> Result<(), FeedError> {
        let newest = self.report.counts.newest;
        let checkpoint = self.stored.get_mut();
        checkpoint.newest = checkpoint.newest.max(newest);
        checkpoint.refusals = self.evidence.refusals();
        checkpoint.held = self.hold.get();
        self.stored.write(self.ctx).await
    }

    /// Keeps what the operator should know of an hour that was not read whole.
    fn note_failures(&mut self, attempt: &HourAttempt) {
        let HourAttempt { hour, attempts, last_events: events, .. } = *attempt;
        if is_too_long(attempt) {
            self.note_error(FeedError::HourTooLong { hour, attempts, events });
        } else if has_failed_often(attempt) {
            let end = attempt.last_end.clone();
            self.note_error(FeedError::HourCutShort { hour, attempts, end });
        }
    }
}
