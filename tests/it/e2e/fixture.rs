//! A scene: a simulation, the settings that lead to it, and runs against it.

use std::future::Future;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use hyper::http::Request;
use jiff::{SignedDuration, Timestamp};
use proofpoint_sentinel::collect::{MemoryPool, Run, RunCounters, run};
use proofpoint_sentinel::net::Net;
use proofpoint_sentinel::pod::{ProcessSessions, SessionTimeouts};
use proofpoint_sentinel::report::{FeedOutcome, FeedReport, RunReport};
use proofpoint_sentinel::settings::{Settings, StateSettings, Vars};
use proofpoint_sentinel::state::{
    Checkpoint, DeadLetter, DeadLetterReason, LeaseTimes, State, StoredDeadLetter,
};
use proofpoint_sentinel_core::clock::Clock;
use proofpoint_sentinel_core::feed::{EventType, Feed};
use proofpoint_sentinel_core::hour::Hour;
use proofpoint_sentinel_core::secret::Secret;
use proofpoint_sentinel_simulator::pod::{FeedCounters, InMemoryEvents, PodSettings};
use proofpoint_sentinel_simulator::tap::{InMemoryRecords, TapSettings};
use proofpoint_sentinel_simulator::{DestinationApi, Simulation, SimulationSettings};
use tempfile::TempDir;
use tokio::time::{Instant, timeout};
use tokio_util::sync::CancellationToken;
use url::Url;

use crate::e2e::connector::assert_tells_no_more_than_is_there;
use crate::e2e::test_events;
use crate::support::azurite::Azurite;
use crate::support::http;

/// The default cluster of a scene.
pub(crate) const ACME: &str = "acme_hosted";

/// When a scene begins. With a look-back of one hour, only [`LAST_HOUR`] is due.
pub(crate) const START: &str = "2026-11-20T10:50:00Z";

/// The newest hour that is due when a scene begins.
pub(crate) const LAST_HOUR: &str = "2026-11-20T09";

/// The time limit of every wait. A wait that succeeds ends with an event, long before this.
const WAIT_LIMIT: Duration = Duration::from_secs(60);

/// Silence after which a live session ends. Later events come in the next session.
const QUIET: Duration = Duration::from_millis(400);

/// Waits for `event`, and fails if it does not happen in time.
pub(crate) async fn soon<T>(event: impl Future<Output = T>) -> T {
    timeout(WAIT_LIMIT, event).await.expect("the event happens in time")
}

pub(crate) fn hour(text: &str) -> Hour {
    text.parse().expect("the test has a valid hour")
}

/// The hour that is due when a scene begins.
pub(crate) fn last_hour() -> Hour {
    hour(LAST_HOUR)
}

/// The current hour when a scene begins. It is not due.
pub(crate) fn this_hour() -> Hour {
    last_hour().plus(1)
}

/// A feed of [`ACME`].
pub(crate) fn feed(event_type: EventType) -> Feed {
    Feed::log(ACME, event_type)
}

pub(crate) fn messages() -> Feed {
    feed(EventType::Message)
}

/// Messages of `hour`: one per second, from `minute` on.
pub(crate) fn from_minute(hour: Hour, minute: usize, count: usize) -> Vec<Bytes> {
    test_events::small(&messages(), hour, minute * 60 + count).split_off(minute * 60)
}

/// The options of a scene.
pub(crate) struct SceneBuilder {
    destination: DestinationApi,
    clusters: Vec<&'static str>,
    vars: Vars,
    pod: Box<dyn FnOnce(&mut PodSettings)>,
    tap: Box<dyn FnOnce(&mut TapSettings)>,
    has_tap: bool,
}

impl SceneBuilder {
    pub(crate) fn destination(self, destination: DestinationApi) -> SceneBuilder {
        SceneBuilder { destination, ..self }
    }

    pub(crate) fn clusters(self, clusters: &[&'static str]) -> SceneBuilder {
        SceneBuilder { clusters: clusters.to_vec(), ..self }
    }

    pub(crate) fn types(self, types: &str) -> SceneBuilder {
        self.set("ProofpointEventTypes", types)
    }

    pub(crate) fn lookback(self, hours: u32) -> SceneBuilder {
        self.set("ProofpointInitialLookbackHours", &hours.to_string())
    }

    /// Sets a setting of the Function App, instead of the scene's own.
    pub(crate) fn set(mut self, name: &str, value: &str) -> SceneBuilder {
        self.vars.insert(name.to_owned(), value.to_owned());
        self
    }

    /// Posts nothing but events, where a test counts posts or connections.
    pub(crate) fn without_connector_table(self) -> SceneBuilder {
        self.set("ProofpointConnectorTable", "off")
    }

    /// Changes how the Log API behaves.
    pub(crate) fn pod(self, change: impl FnOnce(&mut PodSettings) + 'static) -> SceneBuilder {
        SceneBuilder { pod: Box::new(change), ..self }
    }

    /// Changes how the SIEM API of TAP behaves.
    pub(crate) fn tap(self, change: impl FnOnce(&mut TapSettings) + 'static) -> SceneBuilder {
        SceneBuilder { tap: Box::new(change), ..self }
    }

    /// With a TAP account, beside the clusters.
    pub(crate) fn with_tap(self) -> SceneBuilder {
        SceneBuilder { has_tap: true, ..self }
    }

    pub(crate) async fn start(self) -> Scene {
        let directory = tempfile::tempdir().expect("a directory can be made");
        let clock = Clock::held(START.parse().expect("it is a time"));
        let source = Arc::new(InMemoryEvents::default());
        let given = Arc::clone(&source);
        let mut settings =
            SimulationSettings::new(directory.path(), clock.clone(), &self.clusters, given);
        (self.pod)(&mut settings.pod);
        let records = InMemoryRecords::default();
        if self.has_tap {
            settings = settings.with_tap(Arc::new(records.clone()));
        }
        if let Some(tap) = &mut settings.tap {
            (self.tap)(tap);
        }
        let simulation = Simulation::start(settings).await.expect("the simulation starts");
        let mut vars: Vars = simulation.app_settings(self.destination).into_iter().collect();
        use_client_secret(&mut vars, &simulation);
        let state = directory.path().join("state");
        let state_uri = Url::from_directory_path(&state).expect("the path is absolute");
        vars.insert("StateStorage".to_owned(), state_uri.to_string());
        vars.extend(self.vars);
        let destination = self.destination;
        Scene { directory, state, destination, clock, source, records, simulation, vars }
    }
}

/// Replaces the managed identity by a client secret. The endpoint of a managed identity is read from
/// the environment of the process, which all tests share.
fn use_client_secret(vars: &mut Vars, simulation: &Simulation) {
    vars.retain(|name, _| !name.starts_with("IDENTITY_"));
    let identity = simulation.identity.settings();
    let own = [
        ("AZURE_AUTHORITY_HOST", simulation.identity.authority_host().to_string()),
        ("AZURE_TENANT_ID", identity.tenant_id.clone()),
        ("AZURE_CLIENT_ID", identity.client_id.clone()),
        ("AZURE_CLIENT_SECRET", identity.client_secret.reveal().to_owned()),
    ];
    vars.extend(own.map(|(name, value)| (name.to_owned(), value)));
}

/// The simulation, clock and state of one test.
pub(crate) struct Scene {
    pub directory: TempDir,
    state: PathBuf,
    pub destination: DestinationApi,
    pub clock: Clock,
    pub source: Arc<InMemoryEvents>,
    pub records: InMemoryRecords,
    pub simulation: Simulation,
    pub vars: Vars,
}

impl Scene {
    /// One cluster, messages only, the Logs Ingestion API, the archive only, and one hour that is due.
    pub(crate) fn of() -> SceneBuilder {
        let builder = SceneBuilder {
            destination: DestinationApi::LogsIngestion,
            clusters: vec![ACME],
            vars: Vars::new(),
            pod: Box::new(|_| {}),
            tap: Box::new(|_| {}),
            has_tap: false,
        };
        builder.types("message").lookback(1).set("ProofpointMode", "archive")
    }

    /// As [`of`](Self::of), but with the live stream too.
    pub(crate) fn hybrid() -> SceneBuilder {
        Scene::of().set("ProofpointMode", "hybrid")
    }

    /// A scene with the options of [`of`](Self::of).
    pub(crate) async fn new() -> Scene {
        Scene::of().start().await
    }

    /// Adds `count` small events.
    pub(crate) fn give(&self, feed: &Feed, hour: Hour, count: usize) -> Vec<Bytes> {
        self.give_events(feed, hour, test_events::small(feed, hour, count))
    }

    /// Adds `events`, and returns them.
    pub(crate) fn give_events(&self, feed: &Feed, hour: Hour, events: Vec<Bytes>) -> Vec<Bytes> {
        self.source.add_to_hour(feed, hour, events.clone());
        events
    }

    pub(crate) fn advance(&self, minutes: i64) {
        self.clock.advance(SignedDuration::from_mins(minutes));
    }

    pub(crate) fn now(&self) -> Timestamp {
        self.clock.now()
    }

    /// The settings as an app has them.
    pub(crate) fn vars(&self) -> &Vars {
        &self.vars
    }

    /// The settings, with a short time until a live session counts as quiet.
    pub(crate) fn settings(&self) -> Settings {
        let mut settings = Settings::read(&self.vars).expect("the scene's settings are in order");
        settings.source.live_quiet = QUIET;
        settings
    }

    /// The settings, with another value for one of them.
    pub(crate) fn settings_with(&self, name: &str, value: &str) -> Settings {
        let mut vars = self.vars.clone();
        vars.insert(name.to_owned(), value.to_owned());
        Settings::read(&vars).expect("the settings are in order")
    }

    /// A run without time pressure.
    pub(crate) fn a_run(&self) -> Run {
        Run {
            id: "run".to_owned(),
            settings: self.settings(),
            clock: self.clock.clone(),
            timeouts: SessionTimeouts::default(),
            lease_times: LeaseTimes::default(),
            sessions: ProcessSessions::default(),
            memory: MemoryPool::new(256 << 20),
            reading_ends: Instant::now() + WAIT_LIMIT,
            posting_ends: Instant::now() + WAIT_LIMIT,
            all_ends: Instant::now() + WAIT_LIMIT,
            stop: CancellationToken::new(),
            counters: Arc::new(RunCounters::default()),
        }
    }

    pub(crate) async fn run(&self) -> RunReport {
        self.run_as(self.a_run()).await
    }

    /// Runs `run`, and asserts that it sent no value that Azure would truncate or drop, and told of no
    /// event that is not there.
    pub(crate) async fn run_as(&self, as_given: Run) -> RunReport {
        let report = soon(run(as_given)).await.expect("the run begins");
        assert_eq!(self.simulation.workspace.violations(), []);
        assert_tells_no_more_than_is_there(self);
        report
    }

    /// Runs, and asserts that every feed ends up to date.
    pub(crate) async fn run_well(&self) -> RunReport {
        let report = self.run().await;
        for feed in &report.feeds {
            assert_eq!(feed.outcome, FeedOutcome::UpToDate, "{feed}");
        }
        report
    }

    /// The state, opened independently of any run.
    pub(crate) async fn open_state(&self) -> State {
        open(&self.settings().state).await
    }

    /// The checkpoint of `feed`.
    pub(crate) async fn checkpoint(&self, feed: &Feed) -> Option<Checkpoint> {
        checkpoint(&self.open_state().await, feed).await
    }

    /// The hour at which the next run of `feed` continues. There must have been a run.
    pub(crate) async fn next_hour(&self, feed: &Feed) -> Hour {
        let checkpoint = self.checkpoint(feed).await.expect("the first run saves its beginning");
        assert_eq!((checkpoint.retry, checkpoint.lost), (vec![], vec![]));
        checkpoint.next_hour
    }

    /// The path of a state object.
    pub(crate) fn state_path(&self, name: &str) -> PathBuf {
        self.state.join(name)
    }

    /// The path of the checkpoint of `feed`.
    pub(crate) fn checkpoint_path(&self, feed: &Feed) -> PathBuf {
        self.state_path(&format!("checkpoints/{feed}.json"))
    }

    /// The dead letters of `feed`, in any order.
    pub(crate) fn dead_letters(
        &self,
        reason: DeadLetterReason,
        feed: &Feed,
    ) -> Vec<StoredDeadLetter> {
        let path = self.state.join(format!("dead-letters/{reason}/{feed}"));
        let Ok(entries) = std::fs::read_dir(path) else { return Vec::new() };
        let read = |entry: std::io::Result<std::fs::DirEntry>| {
            let bytes = std::fs::read(entry.expect("it can be listed").path());
            DeadLetter::parse(&bytes.expect("it can be read")).expect("it is a whole dead letter")
        };
        entries.map(read).collect()
    }

    /// The Log API's counters of `feed`.
    pub(crate) fn sessions(&self, feed: &Feed) -> FeedCounters {
        self.simulation.pod.counters().feed(feed)
    }

    /// The rows of all feeds of this type, in order of arrival.
    pub(crate) fn rows(&self, event_type: EventType) -> Vec<String> {
        self.simulation.workspace.rows(&test_events::table(self.destination, event_type))
    }
}

async fn open(settings: &StateSettings) -> State {
    let net = Net::new(None).expect("the system has roots or needs none");
    State::open(settings, &net).await.expect("the state opens")
}

async fn checkpoint(state: &State, feed: &Feed) -> Option<Checkpoint> {
    let read = state.read_checkpoint(feed).await.expect("the checkpoint can be read");
    read.map(|(checkpoint, _)| checkpoint)
}

/// The checkpoint of [`messages`] in `container`, read directly from Azurite.
pub(crate) async fn checkpoint_in(container: &str) -> Checkpoint {
    let connection_string = Secret::new(Azurite::shared().connection_string());
    let container = container.to_owned();
    let settings = StateSettings::ConnectionString { connection_string, container };
    checkpoint(&open(&settings).await, &messages()).await.expect("it was written")
}

/// Takes the lease of [`messages`] in `container` away from its owner.
pub(crate) async fn break_lease(container: &str) {
    let mut url = Azurite::shared().blob(container, &format!("leases/{}", messages()));
    url.query_pairs_mut().append_pair("comp", "lease");
    let request = Request::put(url.as_str())
        .header("x-ms-lease-action", "break")
        .header("x-ms-lease-break-period", "0");
    let broken = soon(http::send_plain(request, "")).await;
    assert_eq!(broken.status(), 202);
}

/// The part of `feed` in a report.
pub(crate) fn of_feed<'a>(report: &'a RunReport, feed: &Feed) -> &'a FeedReport {
    let name = feed.to_string();
    report.feeds.iter().find(|part| part.feed == name).expect("the feed has a part in the report")
}

/// The ends of sessions, by kind.
pub(crate) fn ends(report: &FeedReport) -> Vec<(&str, u32)> {
    report.ends.iter().map(|(end, count)| (end.as_str(), *count)).collect()
}

/// Asserts that `text` contains each of `what`.
pub(crate) fn assert_tells(text: &str, what: &[&str]) {
    for what in what {
        assert!(text.contains(what), "`{what}` is not in: {text}");
    }
}

/// The failure of `feed`.
pub(crate) fn failure(report: &RunReport, feed: &Feed) -> String {
    match &of_feed(report, feed).outcome {
        FeedOutcome::Failed { reason, .. } => reason.clone(),
        other => panic!("{feed} did not fail: {other:?}"),
    }
}
