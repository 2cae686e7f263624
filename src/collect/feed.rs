//! One feed's part of a run: lease, checkpoint, hours.

use std::time::{Duration, Instant as Stopwatch};

use tokio::time::Instant;
use tokio_util::sync::CancellationToken;
use tracing::Instrument;

use super::delivery::{DeliveryError, EventDelivery};
use super::ledger::Ledger;
use super::owned::under_lease;
use super::plan::{
    Judgement, enter, enter_lost, first_unfinished, is_near_the_end_of_what_is_kept, is_too_long,
    is_troubled, judge, plan,
};
use super::read::{ReadEnd, ReadError};
use super::{Run, Services};
use crate::feed::Feed;
use crate::hour::Hour;
use crate::pod::OpenError;
use crate::report::{FeedReport, Outcome};
use crate::settings::Cluster;
use crate::state::{Checkpoint, StateError, Version};

/// A run begins another hour only if the time that is left is this many times what the longest
/// hour so far has taken: an hour that is cut short has to be read again.
const MARGIN: f64 = 1.5;

/// Why the work on a feed ended early.
#[derive(Debug, thiserror::Error)]
pub(super) enum FeedError {
    #[error("{0}")]
    State(#[from] StateError),
    #[error("{0}")]
    Read(#[from] ReadError<DeliveryError>),
    #[error(
        "the hour {hour} could not be read to its end in {attempts} runs, {events} events in the last one: raise functionTimeout in host.json, or read it with `collect`"
    )]
    HourTooLong { hour: Hour, attempts: u32, events: u64 },
    #[error(
        "the hour {hour} could not be read to its end in {attempts} tries, the last one was {end}: its events up to there are delivered, and it is tried again at most hourly while Proofpoint keeps it"
    )]
    HourFails { hour: Hour, attempts: u32, end: String },
    #[error("the feed's lease was lost: another run may have it; the next run goes on")]
    LeaseLost,
}

/// Works on one feed until nothing more is due or the run's time is up.
pub(super) async fn collect(
    run: &Run,
    services: &Services,
    cluster: &Cluster,
    feed: Feed,
) -> FeedReport {
    let started = Stopwatch::now();
    let mut report = FeedReport::new(feed.to_string(), cluster.name.clone());
    let span = tracing::info_span!("feed", feed = %feed);
    let work = FeedRun { run, services, cluster, feed: &feed, report: &mut report, trouble: None };
    match work.leased().instrument(span.clone()).await {
        Ok(()) => {}
        Err(FeedError::State(StateError::LeaseHeld { .. })) => {
            report.outcome = Outcome::OwnedElsewhere;
        }
        Err(error) => report.outcome = Outcome::Failed(error.to_string()),
    }
    report.took = started.elapsed();
    span.in_scope(|| report.log());
    report
}

struct FeedRun<'a> {
    run: &'a Run,
    services: &'a Services,
    cluster: &'a Cluster,
    feed: &'a Feed,
    report: &'a mut FeedReport,
    /// The first hour of this run that needs somebody's attention.
    trouble: Option<FeedError>,
}

impl FeedRun<'_> {
    async fn leased(mut self) -> Result<(), FeedError> {
        let (state, feed) = (&self.services.state, self.feed);
        let halt = self.run.stop.child_token();
        under_lease(state, feed, &halt, FeedError::LeaseLost, self.hours(&halt)).await?;
        self.trouble.map_or(Ok(()), Err)
    }

    async fn hours(&mut self, halt: &CancellationToken) -> Result<(), FeedError> {
        let mut saved = self.checkpoint().await?;
        let now = self.run.clock.now();
        let plan = plan(&saved.checkpoint, now, self.run.settings.source.archive_delay);
        self.report.hours_waiting = plan.later + plan.due.len();
        for hour in plan.lost {
            enter_lost(&mut saved.checkpoint, hour);
            self.report.hours_lost.push(hour);
        }
        if !self.report.hours_lost.is_empty() {
            self.save(&mut saved).await?;
        }
        let mut ledger = Ledger::new(self.services.state.clone(), self.feed.clone());
        let mut longest = Duration::ZERO;
        for hour in plan.due {
            let left = self.run.reading_ends.saturating_duration_since(Instant::now());
            if halt.is_cancelled() || left <= longest.mul_f64(MARGIN) {
                self.report.outcome = Outcome::Unfinished;
                return Ok(());
            }
            ledger.forget_all_but(2);
            let started = Stopwatch::now();
            let span = tracing::info_span!("hour", hour = %hour);
            let goes_on = self.hour(hour, &mut ledger, &mut saved, halt).instrument(span).await?;
            if !goes_on {
                self.report.outcome = Outcome::Unfinished;
                return Ok(());
            }
            longest = longest.max(started.elapsed());
        }
        if !self.report.hours_done.is_empty() {
            let unfinished = first_unfinished(&saved.checkpoint);
            ledger.prune(unfinished, self.run.clock.now()).await?;
        }
        Ok(())
    }

    /// Reads one hour and enters what came of it. Says whether the run goes on.
    async fn hour(
        &mut self,
        hour: Hour,
        ledger: &mut Ledger,
        saved: &mut Saved,
        halt: &CancellationToken,
    ) -> Result<bool, FeedError> {
        let reader = self.services.reader(self.run, self.cluster, self.feed, halt);
        let mut delivery =
            EventDelivery::new(self.feed, hour, ledger, self.services.around(self.run));
        let end = reader.read(hour, &mut delivery).await;
        self.report.tally.add(delivery.tally());
        match end {
            Ok(end) => {
                *self.report.ends.entry(end.to_string()).or_default() += 1;
                self.enter(hour, &end, delivery.tally().events, saved).await?;
                Ok(matches!(end, ReadEnd::Session(_)))
            }
            Err(ReadError::Open(OpenError::Refused(refusal)))
                if refusal.status == 400
                    && is_near_the_end_of_what_is_kept(hour, self.run.clock.now()) =>
            {
                enter_lost(&mut saved.checkpoint, hour);
                self.report.hours_lost.push(hour);
                self.report.hours_waiting -= 1;
                self.save(saved).await?;
                Ok(true)
            }
            Err(error) => Err(error.into()),
        }
    }

    async fn enter(
        &mut self,
        hour: Hour,
        end: &ReadEnd,
        events: u64,
        saved: &mut Saved,
    ) -> Result<(), FeedError> {
        let begun = events > 0 || matches!(end, ReadEnd::Session(_));
        if !begun {
            return Ok(());
        }
        let previous = saved.checkpoint.retry.iter().find(|attempt| attempt.hour == hour);
        let now = self.run.clock.now();
        let retry = self.run.settings.source.empty_hour_retry;
        let judgement = judge(hour, previous, end, events, now, retry);
        match &judgement {
            Judgement::Done => {
                self.report.hours_done.push(hour);
                self.report.hours_waiting -= 1;
                tracing::info!(events, %end, "hour done");
            }
            Judgement::Again(attempt) => {
                let (attempts, not_before) = (attempt.attempts, attempt.not_before);
                tracing::info!(events, %end, attempts, %not_before, "hour to be read again");
            }
        }
        if let Judgement::Again(attempt) = &judgement {
            if is_too_long(attempt) {
                let attempts = attempt.attempts;
                self.trouble.get_or_insert(FeedError::HourTooLong { hour, attempts, events });
            } else if is_troubled(attempt) {
                let (attempts, end) = (attempt.attempts, attempt.last_end.clone());
                self.trouble.get_or_insert(FeedError::HourFails { hour, attempts, end });
            }
        }
        enter(&mut saved.checkpoint, hour, judgement);
        self.save(saved).await
    }

    /// What is saved, or on the first run a beginning, which is saved at once: the look-back counts
    /// from the first run, even if that fails.
    async fn checkpoint(&self) -> Result<Saved, FeedError> {
        if let Some((checkpoint, version)) = self.services.state.read_checkpoint(self.feed).await? {
            return Ok(Saved { checkpoint, version: Some(version) });
        }
        let now = self.run.clock.now();
        let first = Hour::containing(now).plus(-self.run.settings.source.initial_lookback_hours);
        tracing::info!(%first, "first run of this feed");
        let checkpoint = Checkpoint::starting_at(first, self.feed, &self.run.id, now);
        let mut saved = Saved { checkpoint, version: None };
        self.save(&mut saved).await?;
        Ok(saved)
    }

    async fn save(&self, saved: &mut Saved) -> Result<(), FeedError> {
        saved.checkpoint.writer.clone_from(&self.run.id);
        saved.checkpoint.sequence += 1;
        saved.checkpoint.updated = self.run.clock.now();
        let version = self
            .services
            .state
            .write_checkpoint(self.feed, &saved.checkpoint, saved.version.as_ref())
            .await?;
        saved.version = Some(version);
        Ok(())
    }
}

/// A checkpoint and the stored version that it stands for.
struct Saved {
    checkpoint: Checkpoint,
    version: Option<Version>,
}
