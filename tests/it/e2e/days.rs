//! Days of several clusters, on which faults of every scope come and go: of an hour, a feed, a cluster, a
//! table, the destination and the process. A fault stays where it belongs; at the end every event is there
//! once, and of each hour the connector says the truth.
//!
//! A seed determines the days.

use std::collections::BTreeMap;

use bytes::Bytes;
use proofpoint_sentinel::collect::Run;
use proofpoint_sentinel::report::{FeedOutcome, RunReport};
use proofpoint_sentinel_core::feed::{EventType, Feed};
use proofpoint_sentinel_core::hour::Hour;
use proofpoint_sentinel_core::tables::table;
use proofpoint_sentinel_simulator::pod::{RefusedHandshake, SessionFault};
use proofpoint_sentinel_simulator::workspace::{ApiResponse, PostFault};
use rand::rngs::SmallRng;
use rand::{RngExt, SeedableRng};
use tokio::time::Instant;

use crate::e2e::connector::connector_rows;
use crate::e2e::fixture::{Scene, last_hour};
use crate::e2e::row_assertions::assert_arrived;

const CLUSTERS: [&str; 3] = ["a_hosted", "b_hosted", "c_hosted"];
const TYPES: [EventType; 2] = [EventType::Message, EventType::Maillog];

/// Hours of traffic, each with a run.
const HOURS: i64 = 40;

/// Hours without faults at the end, in which all that was put off is made up for.
const CALM: i64 = 12;

/// What is at fault.
#[derive(Clone, Debug, PartialEq)]
enum Scope {
    Hour(Feed, Hour),
    Feed(Feed),
    Cluster(&'static str),
    Table(EventType),
    Destination,
    Process,
}

#[derive(Clone, Debug)]
struct Fault {
    scope: Scope,
    /// The status of refusals.
    status: u16,
    /// The last run that it concerns.
    until: i64,
}

impl Fault {
    fn random(rng: &mut SmallRng, run: i64) -> Fault {
        let cluster = CLUSTERS[rng.random_range(0..CLUSTERS.len())];
        let feed = Feed::log(cluster, TYPES[rng.random_range(0..TYPES.len())]);
        let scope = match rng.random_range(0..6) {
            0 => Scope::Hour(feed, last_hour().plus(run)),
            1 => Scope::Feed(feed),
            2 => Scope::Cluster(cluster),
            3 => Scope::Table(feed.event_type().expect("it is of the Log API")),
            4 => Scope::Destination,
            _ => Scope::Process,
        };
        let status = [404, 500, 503][rng.random_range(0..3)];
        Fault { scope, status, until: run + rng.random_range(0..4) }
    }

    fn concerns(&self, feed: &Feed) -> bool {
        match &self.scope {
            Scope::Hour(of, _) | Scope::Feed(of) => of == feed,
            Scope::Cluster(cluster) => feed.account == *cluster,
            Scope::Table(event_type) => feed.event_type() == Some(*event_type),
            Scope::Destination | Scope::Process => true,
        }
    }

    /// The hours whose archive sessions it refuses.
    fn hours(&self) -> Option<(&Feed, Vec<Hour>)> {
        match &self.scope {
            Scope::Hour(feed, hour) => Some((feed, vec![*hour])),
            Scope::Feed(feed) => {
                Some((feed, last_hour().through(last_hour().plus(HOURS + CALM)).collect()))
            }
            _ => None,
        }
    }
}

fn feeds() -> Vec<Feed> {
    CLUSTERS.iter().flat_map(|cluster| TYPES.map(|of| Feed::log(*cluster, of))).collect()
}

/// The days, and the faults that there are now.
struct Days {
    scene: Scene,
    rng: SmallRng,
    /// The settings without a fault.
    tokens: BTreeMap<&'static str, (String, String)>,
    faults: Vec<Fault>,
    given: BTreeMap<EventType, Vec<Bytes>>,
    counts: BTreeMap<(Feed, Hour), u64>,
}

impl Days {
    async fn start(mode: &str, seed: u64) -> Days {
        let builder = Scene::of().clusters(&CLUSTERS).set("ProofpointMode", mode);
        let scene = builder.types("message,maillog").start().await;
        let token = |cluster: &'static str| {
            let named = |(name, value): &(&String, &String)| {
                name.starts_with("ProofpointClusterID") && *value == cluster
            };
            let (id, _) = scene.vars.iter().find(named).expect("the settings name the cluster");
            let name = id.replace("ProofpointClusterID", "ProofpointToken");
            let value = scene.vars[&name].clone();
            (cluster, (name, value))
        };
        let tokens = CLUSTERS.into_iter().map(token).collect();
        let rng = SmallRng::seed_from_u64(seed);
        let (faults, given, counts) = (Vec::new(), BTreeMap::new(), BTreeMap::new());
        Days { scene, rng, tokens, faults, given, counts }
    }

    /// New events of an hour that has just become due.
    fn give(&mut self, hour: Hour) {
        for feed in feeds() {
            let count = self.rng.random_range(1..9);
            let events = self.scene.give(&feed, hour, count);
            let event_type = feed.event_type().expect("it is of the Log API");
            self.given.entry(event_type).or_default().extend(events);
            self.counts.insert((feed, hour), count as u64);
        }
    }

    /// Ends the faults that are over, and perhaps begins one.
    fn change_faults(&mut self, run: i64, is_calm: bool) {
        let pod = &self.scene.simulation.pod;
        let over = |fault: &Fault| is_calm || fault.until < run;
        for (feed, hours) in self.faults.iter().filter(|it| over(it)).filter_map(Fault::hours) {
            hours.into_iter().for_each(|hour| pod.set_hour_fault(feed, hour, None));
        }
        self.faults.retain(|fault| !over(fault));
        if !is_calm && self.rng.random_bool(0.6) {
            let fault = Fault::random(&mut self.rng, run);
            self.faults.push(fault);
        }
    }

    /// Makes the services and the settings as the faults have them.
    fn apply(&mut self) {
        let Days { scene, tokens, faults, .. } = self;
        let (pod, workspace) = (&scene.simulation.pod, &scene.simulation.workspace);
        workspace.restore_streams();
        workspace.clear_faults();
        for (name, value) in tokens.values() {
            scene.vars.insert(name.clone(), value.clone());
        }
        for fault in faults.iter() {
            if let Some((feed, hours)) = fault.hours() {
                // The wait is longer than a run, so that nothing is tried twice in it.
                let refusal = RefusedHandshake::new(fault.status, "No");
                let refusal = refusal.with_header("retry-after", "3600");
                let refusal = SessionFault::Refuse(refusal);
                let set = |hour| pod.set_hour_fault(feed, hour, Some(refusal.clone()));
                hours.into_iter().for_each(set);
            }
            match &fault.scope {
                Scope::Cluster(cluster) => {
                    let (name, _) = &tokens[cluster];
                    match fault.status {
                        404 => scene.vars.remove(name),
                        _ => scene.vars.insert(name.clone(), "refused".to_owned()),
                    };
                }
                Scope::Table(event_type) => workspace.remove_stream(table(*event_type).stream),
                Scope::Destination => {
                    let body = "<html>Sign in</html>".to_owned();
                    let answer = ApiResponse { status: 403, headers: Vec::new(), body };
                    workspace.inject(vec![PostFault::Reply(answer); 1_000]);
                }
                _ => {}
            }
        }
    }

    async fn run(&mut self) -> RunReport {
        self.apply();
        let is_cut = self.faults.iter().any(|fault| fault.scope == Scope::Process);
        let run = self.scene.a_run();
        let reading_ends = if is_cut { Instant::now() } else { run.reading_ends };
        self.scene.run_as(Run { reading_ends, ..run }).await
    }

    /// Asserts that no feed failed that no fault concerns.
    fn assert_faults_stay_where_they_belong(&self, report: &RunReport) {
        for feed in feeds() {
            let name = feed.to_string();
            let of = report.feeds.iter().find(|it| it.feed == name).expect("it has a report");
            let is_failed = matches!(of.outcome, FeedOutcome::Failed { .. });
            let is_concerned = self.faults.iter().any(|fault| fault.concerns(&feed));
            assert!(!is_failed || is_concerned, "{of}; {:?}", self.faults);
        }
    }

    /// Asserts that the newest row of each hour says that it is whole, with all of its events.
    fn assert_hours_are_told_truly(&self) {
        let mut told = BTreeMap::new();
        for row in connector_rows(&self.scene) {
            if row["RecordType"] == "hour" {
                let text = |column: &str| row[column].as_str().expect("it is a text").to_owned();
                let of = (text("Account"), text("FeedType"), text("Hour"));
                told.insert(of, (text("Completeness"), row["Delivered"].as_u64().unwrap()));
            }
        }
        for ((feed, hour), count) in &self.counts {
            let event_type = feed.event_type().expect("it is of the Log API").to_string();
            let of = (feed.account.clone(), event_type, hour.start().to_string());
            assert_eq!(told.get(&of), Some(&("proved".to_owned(), *count)), "{feed} {hour}");
        }
    }
}

async fn check(mode: &str, seed: u64) {
    let mut days = Days::start(mode, seed).await;
    let mut failed = 0;
    for run in 0..HOURS + CALM {
        if run < HOURS {
            days.give(last_hour().plus(run));
        }
        days.change_faults(run, run >= HOURS);
        let report = days.run().await;
        days.assert_faults_stay_where_they_belong(&report);
        failed += u32::from(!report.is_success());
        days.scene.advance(60);
    }
    assert!(failed > 10, "{failed} runs failed: without faults the days prove nothing");
    for (event_type, events) in &days.given {
        assert_arrived(&days.scene, *event_type, events);
    }
    days.assert_hours_are_told_truly();
}

#[tokio::test(flavor = "multi_thread")]
async fn faults_of_every_scope_cost_no_event_in_the_archive() {
    check("archive", 1).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn faults_of_every_scope_cost_no_event_in_hybrid_mode() {
    check("hybrid", 3).await;
}
