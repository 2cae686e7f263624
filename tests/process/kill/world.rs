//! Traffic at Proofpoint, a workspace, storage, and one handler after the other.

use std::collections::BTreeSet;
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use proofpoint_sentinel::host::FUNCTION;
use proofpoint_sentinel_core::clock::Clock;
use proofpoint_sentinel_core::feed::{EventType, Feed};
use proofpoint_sentinel_core::hour::Hour;
use proofpoint_sentinel_core::tables::table;
use proofpoint_sentinel_simulator::host::Tick;
use proofpoint_sentinel_simulator::{DestinationApi, Simulation, SimulationSettings};
use rand::rngs::SmallRng;
use rand::{RngExt as _, SeedableRng as _};
use serde::Deserialize;
use tempfile::TempDir;
use tokio::time::{sleep, timeout};

use crate::app::{App, succeed};
use crate::in_time;
use crate::kill::account::{Account, Arrived, Lives, forgotten};
use crate::kill::calendar::Calendar;
use crate::kill::moments::{Moment, Moments};
use crate::kill::storage::Storage;
use crate::kill::strike::Strike;
use crate::kill::traffic::Traffic;

/// The one cluster.
const CLUSTER: &str = "acme_hosted";

/// The host's patience with a handler that is to be killed, so that it does not read the live
/// stream alone.
const HASTY: &str = "00:00:06";

/// What is left after the last kill is done within this time: also where the storage heard of a
/// lease from a handler that was dead, and keeps it for a minute.
const SETTLED: Duration = Duration::from_secs(180);

pub(crate) struct World {
    rng: SmallRng,
    calendar: Calendar,
    /// The first hour that is read.
    first: Hour,
    traffic: Traffic,
    simulation: Simulation,
    destination: DestinationApi,
    storage: Storage,
    feeds: [Feed; 2],
    /// For how long events of one round arrive.
    span: SignedDuration,
    hasty: App,
    patient: App,
    lives: Lives,
    kills: usize,
    pub moments: Moments,
    _directory: TempDir,
}

impl World {
    /// A world for so many rounds. Of four seeds on end one has the older destination; two keep
    /// the place of a session that died for a moment; in two events come all at once and are
    /// followed by silence.
    pub(crate) async fn new(seed: u64, rounds: usize) -> World {
        let mut rng = SmallRng::seed_from_u64(seed);
        let calendar = Calendar::new(Timestamp::now(), rounds as i64 * 2 / 3);
        let feeds = [EventType::Message, EventType::Maillog]
            .map(|event_type| Feed { cluster_id: CLUSTER.to_owned(), event_type });
        let mut traffic = Traffic::new(&feeds);
        let oldest = calendar.hour().plus(-2);
        traffic.history(oldest, 100, &mut rng);
        for hour in oldest.plus(1).through(calendar.last()) {
            traffic.history(hour, 10, &mut rng);
        }

        let directory = tempfile::tempdir().unwrap();
        let source = std::sync::Arc::new(traffic.source.clone());
        let mut settings =
            SimulationSettings::new(directory.path(), Clock::system(), &[CLUSTER], source);
        settings.pod.settle = SignedDuration::ZERO;
        settings.pod.ghost = Duration::from_millis(if seed.is_multiple_of(2) { 0 } else { 300 });
        let simulation =
            in_time("the simulation starts", Simulation::start(settings)).await.unwrap();
        let destination = if seed.is_multiple_of(4) {
            DestinationApi::DataCollector
        } else {
            DestinationApi::LogsIngestion
        };
        World {
            rng,
            calendar,
            first: oldest.plus(-1),
            traffic,
            simulation,
            destination,
            storage: Storage::new(format!("world-{seed}-{:08x}", rand::random::<u32>())),
            feeds,
            span: SignedDuration::from_millis(if seed % 4 < 2 { 100 } else { 1_500 }),
            hasty: App::with_time_out(HASTY),
            patient: App::new(),
            lives: Lives::default(),
            kills: 0,
            moments: Moments::default(),
            _directory: directory,
        }
    }

    /// Starts a handler, fires its timer, and kills it at any moment.
    pub(crate) async fn round_with_kill(&mut self) {
        self.go_on();
        let strike = Strike::draw(&mut self.rng);
        for moment in self.life(strike).await {
            self.moments.hit(moment);
        }
        self.has_died().await;
        self.kills += 1;
    }

    /// The life of a handler up to the strike, or to the end of its run. Gives what each feed was
    /// at.
    async fn life(&mut self, strike: Strike) -> [Moment; 2] {
        let falls = strike.falls(&self.simulation);
        tokio::pin!(falls);
        let before = self.simulation.pod.counters();
        let host = tokio::select! {
            biased;
            // The host is dropped half-way, which kills the handler too.
            () = &mut falls => return [Moment::Starting; 2],
            host = self.hasty.host(self.settings()) => host,
        };
        self.lives.begin(self.accepted_posts());
        let tick = Tick::default();
        let fired = host.fire(FUNCTION, &tick);
        tokio::pin!(fired);
        let is_over = tokio::select! {
            _ = &mut fired => true,
            () = &mut falls => false,
        };
        let now = self.simulation.pod.counters();
        in_time("the handler dies", host.kill()).await;
        self.feeds.each_ref().map(|feed| match is_over {
            true => Moment::Idle,
            false => Moment::of(before.feed(feed), now.feed(feed)),
        })
    }

    /// Starts a handler, and lets it end its run before it is killed.
    pub(crate) async fn round_in_peace(&mut self) {
        self.go_on();
        let host = self.patient.host(self.settings()).await;
        self.lives.begin(self.accepted_posts());
        succeed(&host).await;
        in_time("the handler dies", host.kill()).await;
        self.has_died().await;
    }

    /// Lets everything arrive and all hours pass, and a handler bring it all home.
    pub(crate) async fn settle(&mut self) {
        let left = self.traffic.all_arrived().duration_since(Timestamp::now());
        sleep(Duration::try_from(left).unwrap_or_default()).await;
        self.calendar.pass_all();
        let host = self.patient.host(self.settings()).await;
        self.lives.begin(self.accepted_posts());
        let settled = async {
            while !self.is_settled().await {
                host.fire(FUNCTION, &Tick::default()).await.expect("it can be fired");
            }
        };
        let settled = timeout(SETTLED, settled).await;
        assert!(settled.is_ok(), "not all is done; the handler wrote {:#?}", host.lines());
    }

    async fn is_settled(&self) -> bool {
        for feed in &self.feeds {
            let Some(checkpoint) = self.storage.checkpoint(feed).await else { return false };
            let (now, twice) = (self.calendar.hour(), self.calendar.read_twice_before());
            let again = checkpoint.retry.iter().any(|attempt| attempt.hour < now);
            let second = checkpoint.second.iter().any(|hour| *hour < twice);
            if checkpoint.next_hour < now || again || second {
                return false;
            }
        }
        true
    }

    /// What has arrived. All that was sent must have.
    pub(crate) fn account(&self) -> Account {
        let mut account =
            Account { kills: self.kills, events: self.traffic.len(), ..Account::default() };
        let mut costly = BTreeSet::new();
        for (feed, ids) in self.traffic.ids() {
            let arrived = self.arrived(feed);
            let forgotten = forgotten(feed, ids, &arrived, &self.lives);
            account.duplicates += arrived.values().map(|posts| posts.len() - 1).sum::<usize>();
            account.forgotten_posts += forgotten.values().map(BTreeSet::len).sum::<usize>();
            costly.extend(forgotten.into_keys());
        }
        assert_eq!(self.simulation.workspace.violations(), []);
        let refusals = self.simulation.pod.counters().feeds.values().map(|feed| feed.refused).sum();
        Account { costly_kills: costly.len(), refusals, ..account }
    }

    fn arrived(&self, feed: &Feed) -> Arrived {
        let table = table(feed.event_type);
        let name = match self.destination {
            DestinationApi::LogsIngestion => table.name.to_owned(),
            DestinationApi::DataCollector => format!("{}_CL", table.log_type),
        };
        let mut arrived = Arrived::new();
        for (post, row) in self.simulation.workspace.rows_with_posts(&name) {
            arrived.entry(id(&row)).or_default().push(post);
        }
        arrived
    }

    /// Events come, and hours pass. An hour is not over before all that was sent of it has
    /// arrived: what comes later is late, of which there is enough.
    fn go_on(&mut self) {
        let now = Timestamp::now();
        let has_arrived = self.traffic.has_arrived(now);
        if has_arrived && self.calendar.has_more() && self.rng.random_ratio(2, 3) {
            self.calendar.pass();
        }
        let count = self.rng.random_range(10..70);
        self.traffic.arrive(count, now, self.span, &self.calendar, &mut self.rng);
    }

    /// Waits until nothing is left of a handler that was killed.
    async fn has_died(&self) {
        let Simulation { pod, workspace, .. } = &self.simulation;
        in_time("sessions end", pod.wait_for(|counters| counters.open() == 0)).await;
        in_time("posts end", workspace.wait_for(|counters| counters.in_flight == 0)).await;
        for feed in &self.feeds {
            self.storage.let_lease_run_out(feed).await;
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
        let calendar = self.calendar.settings(self.first, Timestamp::now());
        let own = own
            .into_iter()
            .chain(calendar.map(|(name, value)| (name, value.to_string())))
            .chain(self.storage.settings())
            .map(|(name, value)| (name.to_owned(), value));
        self.simulation.app_settings(self.destination).into_iter().chain(own).collect()
    }
}

/// The id of a row, which is called differently in the tables.
fn id(row: &str) -> String {
    #[derive(Deserialize)]
    struct Row {
        #[serde(alias = "guid")]
        id: String,
    }
    let row: Row = serde_json::from_str(row).expect("it has an id");
    row.id
}
