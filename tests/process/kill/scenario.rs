//! One scenario: Proofpoint with events, a workspace, storage, and one handler after the other.

use std::collections::BTreeSet;
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use proofpoint_sentinel::host::FUNCTION;
use proofpoint_sentinel_core::clock::Clock;
use proofpoint_sentinel_core::feed::{EventType, Feed};
use proofpoint_sentinel_core::hour::Hour;
use proofpoint_sentinel_core::tables::table;
use proofpoint_sentinel_simulator::host::TimerTrigger;
use proofpoint_sentinel_simulator::pod::{PodCounters, SessionFault};
use proofpoint_sentinel_simulator::{DestinationApi, Simulation, SimulationSettings};
use rand::rngs::SmallRng;
use rand::{RngExt as _, SeedableRng as _};
use serde::Deserialize;
use tempfile::TempDir;
use tokio::time::{sleep, timeout};

use crate::app::{App, succeed};
use crate::in_time;
use crate::kill::events::ScenarioEvents;
use crate::kill::hours::SimulatedHours;
use crate::kill::kill_point::{RandomMoment, Step};
use crate::kill::phases::{Phase, PhaseCounts};
use crate::kill::state_container::StateContainer;
use crate::kill::summary::{HandlerPosts, KillSummary, PostsByEvent, unrecorded_posts};

/// The one cluster.
const CLUSTER: &str = "acme_hosted";

/// The function time-out of a handler that will be killed. It is short, so that the handler does not
/// spend its whole run on the live stream.
const SHORT_TIMEOUT: &str = "00:00:06";

/// After the last kill, the rest is delivered within this time, even if the storage received a lease
/// request of a dead handler and keeps that lease for a minute.
const FINISH_LIMIT: Duration = Duration::from_secs(180);

/// Hours that do not pass at random: a scenario has at most so many rounds that need one to pass.
const RESERVED_HOURS: i64 = 4;

pub(crate) struct Scenario {
    rng: SmallRng,
    hours: SimulatedHours,
    /// The first hour that is read.
    first: Hour,
    events: ScenarioEvents,
    simulation: Simulation,
    destination: DestinationApi,
    state: StateContainer,
    feeds: [Feed; 2],
    /// For how long events of one round arrive.
    span: SignedDuration,
    /// The app with the short function time-out.
    short_app: App,
    app: App,
    handlers: HandlerPosts,
    kills: usize,
    pub phases: PhaseCounts,
    /// The steps that were hit.
    pub steps: BTreeSet<Step>,
    _directory: TempDir,
}

impl Scenario {
    /// A scenario for this many rounds. Of four consecutive seeds, one uses the older destination;
    /// two have a Log API that counts a broken session as open for a moment; in two, the events of
    /// a round arrive all at once.
    pub(crate) async fn new(seed: u64, rounds: usize) -> Scenario {
        let mut rng = SmallRng::seed_from_u64(seed);
        let hours = SimulatedHours::new(Timestamp::now(), rounds as i64);
        let feeds = [EventType::Message, EventType::Maillog]
            .map(|event_type| Feed::log(CLUSTER, event_type));
        let mut events = ScenarioEvents::new(&feeds);
        let oldest = hours.current().plus(-2);
        events.add_history(oldest, 100, &mut rng);
        for hour in oldest.plus(1).through(hours.last()) {
            events.add_history(hour, 10, &mut rng);
        }

        let directory = tempfile::tempdir().unwrap();
        let source = std::sync::Arc::new(events.source.clone());
        let mut settings =
            SimulationSettings::new(directory.path(), Clock::system(), &[CLUSTER], source);
        settings.pod.archive_delay = SignedDuration::ZERO;
        settings.pod.slot_release_delay =
            Duration::from_millis(if seed.is_multiple_of(2) { 0 } else { 300 });
        let simulation =
            in_time("the simulation starts", Simulation::start(settings)).await.unwrap();
        let destination = if seed.is_multiple_of(4) {
            DestinationApi::DataCollector
        } else {
            DestinationApi::LogsIngestion
        };
        Scenario {
            rng,
            hours,
            first: oldest.plus(-1),
            events,
            simulation,
            destination,
            state: StateContainer::new(format!("kill-{seed}-{:08x}", rand::random::<u32>())).await,
            feeds,
            span: SignedDuration::from_millis(if seed % 4 < 2 { 100 } else { 1_500 }),
            short_app: App::with_timeout(SHORT_TIMEOUT),
            app: App::new(),
            handlers: HandlerPosts::default(),
            kills: 0,
            phases: PhaseCounts::default(),
            steps: BTreeSet::new(),
            _directory: directory,
        }
    }

    /// Starts a handler, fires its timer, and kills it at a random moment.
    pub(crate) async fn round_with_random_kill(&mut self) {
        self.advance();
        let moment = RandomMoment::choose(&mut self.rng);
        for phase in self.run_until(moment).await {
            self.phases.count(phase);
        }
        self.wait_until_gone().await;
        self.kills += 1;
    }

    /// Runs a handler until the moment or the end of its run. Returns the phase of each feed.
    async fn run_until(&mut self, moment: RandomMoment) -> [Phase; 2] {
        let reached = moment.reached(&self.simulation);
        tokio::pin!(reached);
        let before = self.simulation.pod.counters();
        let host = tokio::select! {
            biased;
            // This drops the host during its start, which kills the handler too.
            () = &mut reached => return [Phase::Starting; 2],
            host = self.short_app.host(self.settings()) => host,
        };
        self.handlers.start_handler(self.accepted_posts());
        let tick = TimerTrigger::default();
        let fired = host.fire(FUNCTION, &tick);
        tokio::pin!(fired);
        let is_over = tokio::select! {
            _ = &mut fired => true,
            () = &mut reached => false,
        };
        let now = self.simulation.pod.counters();
        in_time("the handler dies", host.kill()).await;
        self.feeds.each_ref().map(|feed| match is_over {
            true => Phase::Finished,
            false => Phase::of(before.feed(feed), now.feed(feed)),
        })
    }

    /// Starts a handler, fires its timer, and kills it when the work on one feed is at `step`.
    pub(crate) async fn round_with_kill_at(&mut self, step: Step) {
        self.advance();
        let feed = self.feeds[self.rng.random_range(0..2)].clone();
        if matches!(step, Step::ArchiveSession | Step::LedgerAppend) {
            self.make_an_hour_due().await;
        }
        if step == Step::ArchiveSession {
            self.simulation.pod.inject_archive(&feed, [SessionFault::StallAfter(3)]);
        }
        let phase = if step == Step::Start {
            let start = self.app.host(self.settings());
            // The process is there after the first poll; then this drops it.
            tokio::select! {
                biased;
                _ = start => {}
                () = std::future::ready(()) => {}
            }
            Phase::Starting
        } else {
            self.run_to(step, &feed).await
        };
        self.phases.count(phase);
        self.steps.insert(step);
        self.wait_until_gone().await;
        self.kills += 1;
    }

    /// Runs a handler until the work on `feed` is at `step`. Returns the feed's phase.
    async fn run_to(&mut self, step: Step, feed: &Feed) -> Phase {
        let request = self.state.stop_at(step, feed);
        let before = self.simulation.pod.counters();
        let mut settings = self.settings();
        if step == Step::LiveSession {
            // It stays open until the kill.
            settings.push(("ProofpointLiveQuietSeconds".to_owned(), "60".to_owned()));
        }
        let host = self.app.host(settings).await;
        self.handlers.start_handler(self.accepted_posts());
        let tick = TimerTrigger::default();
        let stopped = async {
            match step {
                Step::LiveSession | Step::ArchiveSession => {}
                _ => request.await.expect("the relay outlives the handler"),
            }
            self.at_step(step, feed, &before).await
        };
        let now = tokio::select! {
            ended = host.fire(FUNCTION, &tick) => {
                panic!("the run ended before {step:?}: {ended:?}; the handler wrote {:#?}", host.lines())
            }
            now = in_time("the run comes to the step", stopped) => now,
        };
        in_time("the handler dies", host.kill()).await;
        Phase::of(before.feed(feed), now.feed(feed))
    }

    /// Waits until the Log API sees the work on `feed` at `step`, too.
    async fn at_step(&self, step: Step, feed: &Feed, before: &PodCounters) -> PodCounters {
        let before = before.feed(feed);
        let is_there = |all: &PodCounters| {
            let now = all.feed(feed);
            match step {
                Step::LiveSession => now.open > 0 && now.live_opened > before.live_opened,
                Step::ArchiveSession => now.open > 0 && now.archive_opened > before.archive_opened,
                // The session is over before its checkpoint is written.
                Step::CheckpointWrite => now.open == 0,
                _ => true,
            }
        };
        self.simulation.pod.wait_for(is_there).await
    }

    /// Starts a handler, and kills it only after its run has ended.
    pub(crate) async fn round_without_kill(&mut self) {
        self.advance();
        let host = self.app.host(self.settings()).await;
        self.handlers.start_handler(self.accepted_posts());
        succeed(&host).await;
        in_time("the handler dies", host.kill()).await;
        self.wait_until_gone().await;
    }

    /// Lets all events arrive and all hours pass, and runs a handler until everything is delivered.
    pub(crate) async fn finish(&mut self) {
        let left = self.events.all_arrived().duration_since(Timestamp::now());
        sleep(Duration::try_from(left).unwrap_or_default()).await;
        self.hours.advance_to_end();
        let host = self.app.host(self.settings()).await;
        self.handlers.start_handler(self.accepted_posts());
        let finished = async {
            while !self.is_finished().await {
                host.fire(FUNCTION, &TimerTrigger::default())
                    .await
                    .expect("the timer can be fired");
            }
        };
        let finished = timeout(FINISH_LIMIT, finished).await;
        assert!(
            finished.is_ok(),
            "not everything was delivered; the handler wrote {:#?}",
            host.lines()
        );
    }

    async fn is_finished(&self) -> bool {
        for feed in &self.feeds {
            let Some(checkpoint) = self.state.checkpoint(feed).await else { return false };
            let (now, twice) = (self.hours.current(), self.hours.read_twice_before());
            let again = checkpoint.retry.iter().any(|attempt| attempt.hour < now);
            let second = checkpoint.second.iter().any(|hour| *hour < twice);
            if checkpoint.next_hour < now || again || second {
                return false;
            }
        }
        true
    }

    /// Checks that every event was delivered, and counts the duplicates.
    pub(crate) fn summary(&self) -> KillSummary {
        let mut summary =
            KillSummary { kills: self.kills, events: self.events.len(), ..KillSummary::default() };
        let mut costly = BTreeSet::new();
        for (feed, ids) in self.events.ids() {
            let delivered = self.delivered(feed);
            let unrecorded = unrecorded_posts(feed, ids, &delivered, &self.handlers);
            summary.duplicates += delivered.values().map(|posts| posts.len() - 1).sum::<usize>();
            summary.unrecorded_posts += unrecorded.values().map(BTreeSet::len).sum::<usize>();
            costly.extend(unrecorded.into_keys());
        }
        assert_eq!(self.simulation.workspace.violations(), []);
        let refusals = self.simulation.pod.counters().feeds.values().map(|feed| feed.refused).sum();
        KillSummary { costly_kills: costly.len(), refusals, ..summary }
    }

    fn delivered(&self, feed: &Feed) -> PostsByEvent {
        let table = table(feed.event_type().unwrap());
        let name = match self.destination {
            DestinationApi::LogsIngestion => table.name.to_owned(),
            DestinationApi::DataCollector => format!("{}_CL", table.log_type),
        };
        let mut delivered = PostsByEvent::new();
        for (post, row) in self.simulation.workspace.rows_with_posts(&name) {
            delivered.entry(id(&row)).or_default().push(post);
        }
        delivered
    }

    /// Adds events, and lets an hour pass from time to time. An hour does not end before all its
    /// events have arrived: later ones would be late, and there are enough late events.
    fn advance(&mut self) {
        let now = Timestamp::now();
        let have_arrived = self.events.have_arrived(now);
        if have_arrived && self.hours.has_more(RESERVED_HOURS) && self.rng.random_ratio(2, 3) {
            self.hours.advance();
        }
        let count = self.rng.random_range(10..70);
        self.events.add_arriving(count, now, self.span, &self.hours, &mut self.rng);
    }

    /// Lets the current hour pass, and first all events arrive.
    async fn make_an_hour_due(&mut self) {
        let left = self.events.all_arrived().duration_since(Timestamp::now());
        sleep(Duration::try_from(left).unwrap_or_default()).await;
        assert!(self.hours.has_more(0), "the scenario has hours for all its rounds");
        self.hours.advance();
    }

    /// Waits until the sessions, posts and leases of a killed handler are gone.
    async fn wait_until_gone(&self) {
        let Simulation { pod, workspace, .. } = &self.simulation;
        in_time("sessions end", pod.wait_for(|counters| counters.open() == 0)).await;
        in_time("posts end", workspace.wait_for(|counters| counters.in_flight == 0)).await;
        for feed in &self.feeds {
            self.state.break_lease(feed).await;
        }
    }

    fn accepted_posts(&self) -> u64 {
        let statuses = self.simulation.workspace.counters().statuses;
        statuses.range(200..300).map(|(_, count)| count).sum()
    }

    fn settings(&self) -> Vec<(String, String)> {
        let own = [
            ("ProofpointMode", "hybrid".to_owned()),
            ("ProofpointLiveQuietSeconds", "1".to_owned()),
        ];
        let hours = self.hours.settings(self.first, Timestamp::now());
        let own = own
            .into_iter()
            .chain(hours.map(|(name, value)| (name, value.to_string())))
            .chain(self.state.settings())
            .map(|(name, value)| (name.to_owned(), value));
        self.simulation.app_settings(self.destination).into_iter().chain(own).collect()
    }
}

/// The id of a row. The column's name depends on the table.
fn id(row: &str) -> String {
    #[derive(Deserialize)]
    struct Row {
        #[serde(alias = "guid")]
        id: String,
    }
    let row: Row = serde_json::from_str(row).expect("the row has an id");
    row.id
}
