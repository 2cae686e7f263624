//! Runs a week: one tick after the other, with its faults.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use proofpoint_sentinel::collect::Run;
use proofpoint_sentinel::report::{FeedCounts, FeedOutcome, FeedReport, RunReport};
use proofpoint_sentinel_core::hour::Hour;
use proofpoint_sentinel_simulator::pod::{FeedCounters, InMemoryEvents};
use proofpoint_sentinel_simulator::workspace::PostFault;
use tokio::time::Instant;

use super::empty_reads::EmptyReads;
use super::plan::{BadHour, Tick, WeekPlan};
use super::run_fault::RunFault;
use crate::e2e::fixture::{Scene, messages};

/// Silence after which a live session ends. Later events come in the next session.
const QUIET: Duration = Duration::from_millis(20);

/// The reading time of a run with a fault: too short for any retry.
const SHORT: Duration = Duration::from_millis(900);

/// A running week.
pub(super) struct WeekRun {
    pub scene: Scene,
    pub totals: WeekTotals,
    /// How many post faults were injected so far.
    injected: u64,
    bad_hours: Vec<BadHour>,
    /// The number of archive sessions when the last archive fault was injected.
    archive_fault_at: Option<u64>,
}

/// What has happened so far.
#[derive(Debug, Default)]
pub(super) struct WeekTotals {
    pub ticks: u32,
    pub failed: u32,
    pub unfinished: u32,
    pub events: u64,
    pub delivered: u64,
    pub duplicates: u64,
    pub repaired: u64,
    pub hours_checked: usize,
    pub hours_done: BTreeSet<Hour>,
    /// The clock hours in which events were delivered.
    pub delivering: BTreeSet<Hour>,
    /// When the ledger was last pruned.
    pub pruned: Option<Timestamp>,
}

impl WeekRun {
    pub(super) async fn of(week: &WeekPlan) -> WeekRun {
        let events = InMemoryEvents::default();
        events.add(&messages(), week.events.iter().flat_map(|event| event.given.clone()));
        let source = Arc::new(EmptyReads::new(events, week.empty_reads.clone()));
        let scene = Scene::hybrid().destination(week.destination).pod(|pod| pod.source = source);
        let scene = scene.start().await;
        let (totals, bad_hours) = (WeekTotals::default(), week.bad_hours.clone());
        for BadHour { hour, fault, .. } in &bad_hours {
            scene.simulation.pod.set_hour_fault(&messages(), *hour, Some(fault.clone()));
        }
        WeekRun { scene, totals, injected: 0, bad_hours, archive_fault_at: None }
    }

    /// Runs at the tick's time, and returns the report of the feed.
    pub(super) async fn tick(&mut self, tick: &Tick) -> FeedReport {
        self.scene.clock.advance(tick.at.duration_since(self.scene.now()));
        self.mend_bad_hours(tick.at);
        let run = self.prepare(tick);
        let RunReport { mut feeds } = match tick.fault {
            Some(RunFault::Stop(events)) => self.stopped_after(events, run).await,
            _ => self.scene.run_as(run).await,
        };
        let report = feeds.remove(0);
        self.totals.add(tick.at, &report);
        report
    }

    /// Ends the faults of hours that last until `now`.
    fn mend_bad_hours(&mut self, now: Timestamp) {
        let pod = &self.scene.simulation.pod;
        for mended in self.bad_hours.extract_if(.., |bad| bad.until <= now) {
            pod.set_hour_fault(&messages(), mended.hour, None);
        }
    }

    /// Injects the faults of the tick, and returns its run.
    fn prepare(&mut self, tick: &Tick) -> Run {
        let mut run = self.scene.a_run();
        run.id = format!("tick-{}", self.totals.ticks);
        run.settings.source.live_quiet = QUIET;
        run.timeouts.close = QUIET * 10;
        if self.inject_archive_fault(tick) || !tick.is_faultless() {
            run.timeouts.no_event = SHORT / 3;
            run.reading_ends = Instant::now() + SHORT;
        }
        match &tick.fault {
            Some(RunFault::Live(fault)) => {
                self.scene.simulation.pod.inject_live(&messages(), [fault.clone()]);
            }
            Some(RunFault::Held(fault)) => {
                self.inject_post_fault(fault);
                run.posting_ends = run.reading_ends;
            }
            Some(RunFault::Deadline(left)) => run.reading_ends = Instant::now() + *left,
            Some(RunFault::Stop(_)) | None => {}
        }
        run
    }

    /// Injects the tick's archive fault, unless the last one still waits for its session. Returns
    /// whether one waits.
    fn inject_archive_fault(&mut self, tick: &Tick) -> bool {
        let sessions = self.sessions().archive_opened;
        let is_waiting = self.archive_fault_at == Some(sessions);
        if let (Some(fault), false) = (&tick.archive, is_waiting) {
            self.scene.simulation.pod.inject_archive(&messages(), [fault.clone()]);
            self.archive_fault_at = Some(sessions);
        }
        is_waiting || tick.archive.is_some()
    }

    /// Injects a fault of the next post, unless the last one still waits for a post.
    fn inject_post_fault(&mut self, fault: &PostFault) {
        let workspace = &self.scene.simulation.workspace;
        let counters = workspace.counters();
        let errors: u64 = counters.statuses.range(400..).map(|(_, count)| count).sum();
        if errors + counters.resets == self.injected {
            workspace.inject([fault.clone()]);
            self.injected += 1;
        }
    }

    /// Tells the run to stop after this many events, unless it ends before.
    async fn stopped_after(&self, events: u64, run: Run) -> RunReport {
        let target = self.sessions().events_sent + events;
        let sent = self
            .scene
            .simulation
            .pod
            .wait_for(|counters| counters.feed(&messages()).events_sent >= target);
        let stop = run.stop.clone();
        let run = self.scene.run_as(run);
        tokio::pin!(run);
        tokio::select! {
            report = &mut run => return report,
            _ = sent => stop.cancel(),
        }
        run.await
    }

    /// The Log API's counters.
    pub(super) fn sessions(&self) -> FeedCounters {
        self.scene.sessions(&messages())
    }
}

impl WeekTotals {
    fn add(&mut self, at: Timestamp, report: &FeedReport) {
        let FeedCounts { events, delivered, duplicates, .. } = report.counts;
        self.ticks += 1;
        self.failed += u32::from(matches!(report.outcome, FeedOutcome::Failed { .. }));
        self.unfinished += u32::from(report.outcome == FeedOutcome::Unfinished);
        self.events += events;
        self.delivered += delivered;
        self.duplicates += duplicates;
        self.repaired += report.repaired;
        self.hours_checked += report.hours_checked.len();
        self.hours_done.extend(&report.hours_done);
        if delivered > 0 {
            self.delivering.insert(Hour::containing(at));
        }
        if !report.hours_done.is_empty() || !report.hours_checked.is_empty() {
            self.pruned = Some(at);
        }
    }
}
