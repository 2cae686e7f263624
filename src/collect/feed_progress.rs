//! How far a feed has come: its checkpoint, the report of this run, and what went wrong.

use proofpoint_sentinel_core::hour::Hour;

use super::feed_context::FeedContext;
use super::feed_error::FeedError;
use super::hour_status::{HourStatus, has_failed_often, is_too_long};
use super::plan::{Plan, awaits_second_read, plan};
use super::read_end::ReadEnd;
use super::record::{drop_expired_second_reads, record, record_lost, skip_expired_hours};
use super::stored_checkpoint::StoredCheckpoint;
use crate::report::FeedReport;
use crate::state::{Checkpoint, HourAttempt, LiveMark};

/// How far a feed has come in this run.
pub(super) struct FeedProgress<'a> {
    ctx: FeedContext<'a>,
    stored: StoredCheckpoint,
    report: &'a mut FeedReport,
    /// The first fault in this run that needs somebody's attention and did not end it.
    first_error: Option<FeedError>,
}

impl<'a> FeedProgress<'a> {
    /// Goes on from the feed's checkpoint.
    pub(super) async fn load(
        ctx: FeedContext<'a>,
        report: &'a mut FeedReport,
    ) -> Result<FeedProgress<'a>, FeedError> {
        let stored = StoredCheckpoint::load(ctx).await?;
        report.newest = stored.get().newest;
        Ok(FeedProgress { ctx, stored, report, first_error: None })
    }

    pub(super) fn checkpoint(&self) -> &Checkpoint {
        self.stored.get()
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

    /// The hours that are due. Reports how many hours wait.
    pub(super) fn plan(&mut self) -> Plan {
        let checkpoint = self.stored.get();
        let plan = plan(checkpoint, self.ctx.now(), self.ctx.timing());
        let is_waiting = |hour: &&Hour| !awaits_second_read(checkpoint, **hour);
        self.report.hours_waiting = plan.later + plan.due.iter().filter(is_waiting).count();
        plan
    }

    /// Whether hours are due that this run is to read.
    pub(super) fn has_due_hours(&mut self) -> bool {
        self.ctx.mode().reads_archive() && !self.plan().due.is_empty()
    }

    /// Records which hours Proofpoint no longer keeps, and gives those that are due.
    pub(super) async fn begin_archive(&mut self) -> Result<Vec<Hour>, FeedError> {
        let (now, timing) = (self.ctx.now(), self.ctx.timing());
        drop_expired_second_reads(self.stored.get_mut(), now, timing);
        let plan = self.plan();
        for hour in plan.lost {
            record_lost(self.stored.get_mut(), hour);
            self.report.hours_lost.push(hour);
        }
        if !self.report.hours_lost.is_empty() {
            self.save().await?;
        }
        Ok(plan.due)
    }

    /// Records that hours end when Proofpoint drops them, where the archive is not read.
    pub(super) async fn skip_archive(&mut self) -> Result<(), FeedError> {
        let (now, timing) = (self.ctx.now(), self.ctx.timing());
        skip_expired_hours(self.stored.get_mut(), now, timing);
        self.save().await
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
    ) -> Result<(), FeedError> {
        let was_done = awaits_second_read(self.stored.get(), hour);
        match &status {
            HourStatus::Done { .. } if was_done => self.report.hours_checked.push(hour),
            HourStatus::Done { .. } => {
                self.report.hours_done.push(hour);
                self.report.hours_waiting -= 1;
            }
            HourStatus::Retry(attempt) => {
                self.report.hours_waiting += usize::from(was_done);
                self.note_failures(attempt);
            }
        }
        record(self.stored.get_mut(), hour, status);
        self.save().await
    }

    /// Records and saves that Proofpoint no longer keeps `hour`.
    pub(super) async fn record_lost_hour(&mut self, hour: Hour) -> Result<(), FeedError> {
        if !awaits_second_read(self.stored.get(), hour) {
            self.report.hours_lost.push(hour);
            self.report.hours_waiting -= 1;
        }
        record_lost(self.stored.get_mut(), hour);
        self.save().await
    }

    /// Writes the checkpoint, unless the lease is lost.
    pub(super) async fn save(&mut self) -> Result<(), FeedError> {
        let newest = self.report.counts.newest;
        let checkpoint = self.stored.get_mut();
        checkpoint.newest = checkpoint.newest.max(newest);
        self.stored.write(self.ctx).await
    }

    /// Keeps what the operator should know of an hour that was not read whole.
    fn note_failures(&mut self, attempt: &HourAttempt) {
        let HourAttempt { hour, attempts, last_events: events, .. } = *attempt;
        if is_too_long(attempt) {
            self.note_error(FeedError::HourTooLong { hour, attempts, events });
        } else if has_failed_often(attempt) {
            let end = attempt.last_end.clone();
            self.note_error(FeedError::HourFails { hour, attempts, end });
        }
    }
}
