//! One feed's part of a run: lease, checkpoint, the live stream, the archive, status.

use std::time::Instant as Stopwatch;

use jiff::Timestamp;
use proofpoint_sentinel_core::feed::Feed;
use proofpoint_sentinel_core::hour::Hour;
use tokio::time::Instant;
use tracing::Instrument;

use super::ledger::Ledger;
use super::pipeline::DeliveryError;
use super::plan::{first_unfinished, let_go, take_back};
use super::read::{ReadEnd, ReadError};
use super::under_lease::under_lease;
use super::{Run, Services};
use crate::lease_scope::LeaseScope;
use crate::report::{FeedOutcome, FeedReport};
use crate::settings::{Cluster, Mode};
use crate::state::{Checkpoint, StateError, Version};

/// Why the work on a feed ended early.
#[derive(Debug, thiserror::Error)]
pub(super) enum FeedError {
    #[error("{0}")]
    State(#[from] StateError),
    #[error("{0}")]
    Read(#[from] ReadError<DeliveryError>),
    #[error(
        "the live stream can't be read: {error}{}", archive_goes_on(*.mode)
    )]
    LiveRefused {
        #[source]
        error: ReadError<DeliveryError>,
        mode: Mode,
    },
    #[error(
        "live sessions end as soon as they begin, the last one was {end}; the next run tries again{}", archive_goes_on(*.mode)
    )]
    LiveFails { end: ReadEnd, mode: Mode },
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
    #[error(
        "this machine's clock is behind: it shows {now}, and what came before {reached} has been read. Set it right, and the next run goes on"
    )]
    ClockBehind { now: Timestamp, reached: Timestamp },
}

fn archive_goes_on(mode: Mode) -> &'static str {
    match mode {
        Mode::Hybrid => "; until then events come from the archive, an hour or two late",
        Mode::Live | Mode::Archive => "",
    }
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
    let scope = LeaseScope::new(&run.stop, run.posting_ends);
    let leased = async {
        let result = work(run, services, cluster, &feed, &scope, &mut report).await;
        report.conclude(result.as_ref().err(), run.clock.now(), started.elapsed());
        if !scope.is_lost() {
            write_status(services, run, &feed, &report).await;
        }
        result
    };
    let owned = under_lease(&services.state, &feed, &scope, FeedError::LeaseLost, leased);
    match owned.instrument(span.clone()).await {
        Err(FeedError::State(StateError::LeaseHeld { .. })) => {
            report.outcome = FeedOutcome::OwnedElsewhere;
        }
        result => report.conclude(result.as_ref().err(), run.clock.now(), started.elapsed()),
    }
    span.in_scope(|| report.log());
    report
}

async fn work(
    run: &Run,
    services: &Services,
    cluster: &Cluster,
    feed: &Feed,
    scope: &LeaseScope,
    report: &mut FeedReport,
) -> Result<(), FeedError> {
    let saved = Saved::read(run, services, feed, scope).await?;
    report.newest = saved.checkpoint.newest;
    let ledger = Ledger::new(services.state.clone(), feed.clone());
    let mut work = FeedRun {
        run,
        services,
        cluster,
        feed,
        scope,
        saved,
        ledger,
        report,
        first_error: None,
        live_ended: None,
        live_was_cut_short: false,
    };
    work.run().await?;
    work.prune().await?;
    work.first_error.map_or(Ok(()), Err)
}

/// The report for who looks at the feed from outside. A status that can't be written fails
/// nothing: the log has the same.
async fn write_status(services: &Services, run: &Run, feed: &Feed, report: &FeedReport) {
    let status = report.status(&run.id, run.clock.now());
    if let Err(error) = services.state.write_status(feed, status.into()).await {
        tracing::warn!(%error, "the feed's status was not written");
    }
}

/// The work on a feed in one run, under its lease.
pub(super) struct FeedRun<'a> {
    pub run: &'a Run,
    pub services: &'a Services,
    pub cluster: &'a Cluster,
    pub feed: &'a Feed,
    pub scope: &'a LeaseScope,
    pub saved: Saved,
    pub ledger: Ledger,
    pub report: &'a mut FeedReport,
    /// The first thing in this run that needs somebody's attention and did not end it.
    pub first_error: Option<FeedError>,
    /// When the live stream was drained last in this run.
    pub live_ended: Option<Instant>,
    /// Whether its time was up then.
    pub live_was_cut_short: bool,
}

impl FeedRun<'_> {
    /// The live stream first, which has the newest events, then closed hours, in between which the
    /// live stream gets its turn again, and then what time is left for what it still has.
    async fn run(&mut self) -> Result<(), FeedError> {
        match self.run.settings.source.mode {
            Mode::Archive => self.archive().await.map(drop),
            Mode::Hybrid => {
                self.plan();
                if self.live().await? && self.archive().await? && self.has_more_live() {
                    self.live().await?;
                }
                Ok(())
            }
            Mode::Live => {
                self.live().await?;
                let timing = (&self.run.settings.source).into();
                let_go(&mut self.saved.checkpoint, self.run.clock.now(), timing);
                self.save().await
            }
        }
    }

    /// Whether hours are due that are to be read in this run.
    pub(super) fn has_due_hours(&mut self) -> bool {
        self.run.settings.source.mode.reads_archive() && !self.plan().due.is_empty()
    }

    pub(super) fn halted(&self) -> bool {
        self.scope.is_halted()
    }

    /// Writes the checkpoint, unless it is somebody else's now.
    pub(super) async fn save(&mut self) -> Result<(), FeedError> {
        if self.scope.is_lost() {
            return Err(FeedError::LeaseLost);
        }
        let newest = self.report.counts.newest;
        self.saved.checkpoint.newest = self.saved.checkpoint.newest.max(newest);
        self.saved.write(self.run, self.services, self.feed).await
    }

    async fn prune(&mut self) -> Result<(), FeedError> {
        let reads_archive = self.run.settings.source.mode.reads_archive();
        let has_done = !self.report.hours_done.is_empty() || !self.report.hours_checked.is_empty();
        // Without the archive hours end when Proofpoint drops them, in any run.
        if reads_archive && !has_done {
            return Ok(());
        }
        // The reading of an hour brings some events of the one before it.
        let unfinished = first_unfinished(&self.saved.checkpoint).plus(-1);
        // A clock that is ahead must not make the ledger forget what was delivered lately.
        let now = self.run.clock.now();
        let now = self.saved.checkpoint.newest.map_or(now, |newest| newest.min(now));
        Ok(self.ledger.prune(unfinished, now).await?)
    }
}

/// A checkpoint and the stored version that it stands for.
pub(super) struct Saved {
    pub checkpoint: Checkpoint,
    version: Option<Version>,
}

impl Saved {
    /// What is saved, or on the first run a beginning, which is saved at once: the look-back counts
    /// from the first run, even if that fails.
    async fn read(
        run: &Run,
        services: &Services,
        feed: &Feed,
        scope: &LeaseScope,
    ) -> Result<Saved, FeedError> {
        if let Some((checkpoint, version)) = services.state.read_checkpoint(feed).await? {
            return Saved { checkpoint, version: Some(version) }.seen_at(run.clock.now());
        }
        if scope.is_lost() {
            return Err(FeedError::LeaseLost);
        }
        let now = run.clock.now();
        let first = Hour::containing(now).plus(-run.settings.source.initial_lookback_hours);
        tracing::info!(%first, "first run of this feed");
        let checkpoint = Checkpoint::starting_at(first, feed, &run.id, now);
        let mut saved = Saved { checkpoint, version: None };
        saved.write(run, services, feed).await?;
        Ok(saved)
    }

    /// Sets right what was saved by a clock that was ahead of this one. Where events were delivered
    /// that are yet to come, it is this one that is behind.
    fn seen_at(mut self, now: Timestamp) -> Result<Saved, FeedError> {
        let reached = self.checkpoint.next_hour.start();
        if self.checkpoint.newest.is_some_and(|newest| newest > now) {
            self.check_clock(now)?;
        }
        if let Some(first) = take_back(&mut self.checkpoint, now) {
            tracing::warn!(%reached, %first, "a run had a clock that was ahead: hours are read again from {first} on, and deliver what is missing");
        }
        Ok(self)
    }

    /// Fails where the next hour has not begun by this clock.
    fn check_clock(&self, now: Timestamp) -> Result<(), FeedError> {
        let reached = self.checkpoint.next_hour.start();
        if reached > now { Err(FeedError::ClockBehind { now, reached }) } else { Ok(()) }
    }

    async fn write(
        &mut self,
        run: &Run,
        services: &Services,
        feed: &Feed,
    ) -> Result<(), FeedError> {
        let now = run.clock.now();
        self.check_clock(now)?;
        self.checkpoint.writer.clone_from(&run.id);
        self.checkpoint.sequence += 1;
        self.checkpoint.updated = now;
        let state = &services.state;
        let version = state.write_checkpoint(feed, &self.checkpoint, self.version.as_ref()).await?;
        self.version = Some(version);
        Ok(())
    }
}
