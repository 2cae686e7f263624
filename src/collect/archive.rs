//! Closed hours of a feed, from the archive: read one after the other, each judged when it was read.

use std::time::Duration;

use proofpoint_sentinel_core::hour::Hour;
use tokio::time::Instant;
use tracing::Instrument;

use super::feed::{FeedError, FeedRun};
use super::hour_status::{
    HourStatus, classify_read, classify_second_read, is_too_long, is_troubled,
};
use super::pipeline::EventDelivery;
use super::plan::{
    Plan, enter, enter_lost, forget_what_is_gone, is_near_the_end_of_what_is_kept, is_second, plan,
};
use super::read::{ReadEnd, ReadError};
use crate::pod::OpenError;
use crate::settings::Mode;
use crate::state::HourAttempt;

/// A run begins another hour only if the time that is left is this many times what the longest
/// hour so far has taken: an hour that is cut short has to be read again.
const MARGIN: f64 = 1.5;

impl FeedRun<'_> {
    /// Reads the hours that are due while the run's time allows. Says whether none is left.
    pub(super) async fn archive(&mut self) -> Result<bool, FeedError> {
        let timing = (&self.run.settings.source).into();
        forget_what_is_gone(&mut self.saved.checkpoint, self.run.clock.now(), timing);
        let plan = self.plan();
        for hour in plan.lost {
            enter_lost(&mut self.saved.checkpoint, hour);
            self.report.hours_lost.push(hour);
        }
        if !self.report.hours_lost.is_empty() {
            self.save().await?;
        }
        let mut longest = Duration::ZERO;
        for hour in plan.due {
            if self.is_live_due() && !self.live().await? {
                return Ok(false);
            }
            let left = self.run.reading_ends.saturating_duration_since(Instant::now());
            if self.halted() || left <= longest.mul_f64(MARGIN) {
                self.report.stopped();
                return Ok(false);
            }
            self.ledger.forget_all_but(2);
            let began = Instant::now();
            let span = tracing::info_span!("hour", hour = %hour);
            if !self.hour(hour).instrument(span).await? {
                self.report.stopped();
                return Ok(false);
            }
            longest = longest.max(began.elapsed());
        }
        Ok(true)
    }

    /// The hours that are due, after noting in the report how many wait.
    pub(super) fn plan(&mut self) -> Plan {
        let source = &self.run.settings.source;
        let plan = plan(&self.saved.checkpoint, self.run.clock.now(), source.into());
        let is_waiting = |hour: &&Hour| !is_second(&self.saved.checkpoint, **hour);
        self.report.hours_waiting = plan.later + plan.due.iter().filter(is_waiting).count();
        plan
    }

    /// Reads one hour and enters what came of it. Says whether the run goes on.
    async fn hour(&mut self, hour: Hour) -> Result<bool, FeedError> {
        let reader = self.services.reader(self.run, self.cluster, self.feed, self.scope);
        let ctx = self.services.ctx(self.run, self.scope);
        let mut delivery = EventDelivery::archive(self.feed, hour, &mut self.ledger, ctx);
        let end = reader.hour(hour, &mut delivery).await;
        let counts = delivery.counts().clone();
        self.report.counts.add(&counts);
        if self.run.settings.source.mode == Mode::Hybrid || is_second(&self.saved.checkpoint, hour)
        {
            self.report.repaired += counts.delivered;
        }
        match end {
            Ok(end) => {
                self.report.count_end("archive", &end);
                self.enter(hour, &end, counts.events).await?;
                Ok(matches!(end, ReadEnd::Session(_)))
            }
            Err(ReadError::Open(OpenError::Refused(refusal)))
                if refusal.status == 400
                    && is_near_the_end_of_what_is_kept(hour, self.run.clock.now()) =>
            {
                if !is_second(&self.saved.checkpoint, hour) {
                    self.report.hours_lost.push(hour);
                    self.report.hours_waiting -= 1;
                }
                enter_lost(&mut self.saved.checkpoint, hour);
                self.save().await?;
                Ok(true)
            }
            Err(error) => Err(error.into()),
        }
    }

    async fn enter(&mut self, hour: Hour, end: &ReadEnd, events: u64) -> Result<(), FeedError> {
        let begun = events > 0 || matches!(end, ReadEnd::Session(_));
        if !begun {
            return Ok(());
        }
        let timing = (&self.run.settings.source).into();
        let now = self.run.clock.now();
        let was_done = is_second(&self.saved.checkpoint, hour);
        let judgement = if was_done {
            let has_delivered = self.ledger.has_any(hour).await?;
            classify_second_read(hour, end, events, has_delivered, now, timing)
        } else {
            let retry = &self.saved.checkpoint.retry;
            let previous = retry.iter().find(|attempt| attempt.hour == hour);
            classify_read(hour, previous, end, events, now, timing)
        };
        match &judgement {
            HourStatus::Done { .. } if was_done => self.report.hours_checked.push(hour),
            HourStatus::Done { .. } => {
                self.report.hours_done.push(hour);
                self.report.hours_waiting -= 1;
            }
            HourStatus::Again(attempt) => {
                self.report.hours_waiting += usize::from(was_done);
                self.note_failing(attempt);
            }
        }
        match &judgement {
            HourStatus::Done { .. } => tracing::info!(events, %end, "hour done"),
            HourStatus::Again(HourAttempt { attempts, not_before, .. }) => {
                tracing::info!(events, %end, attempts, %not_before, "hour to be read again");
            }
        }
        enter(&mut self.saved.checkpoint, hour, judgement);
        self.save().await
    }

    /// Keeps what somebody should hear of an hour that was not read whole.
    fn note_failing(&mut self, attempt: &HourAttempt) {
        let HourAttempt { hour, attempts, last_events: events, .. } = *attempt;
        if is_too_long(attempt) {
            self.first_error.get_or_insert(FeedError::HourTooLong { hour, attempts, events });
        } else if is_troubled(attempt) {
            let end = attempt.last_end.clone();
            self.first_error.get_or_insert(FeedError::HourFails { hour, attempts, end });
        }
    }
}
