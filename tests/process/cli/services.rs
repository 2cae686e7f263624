//! What is around the program: events of some hours at Proofpoint, a workspace, a place for state.

use std::collections::BTreeSet;
use std::path::PathBuf;
use std::sync::Arc;

use bytes::Bytes;
use jiff::{SignedDuration, Timestamp};
use proofpoint_sentinel::net::Net;
use proofpoint_sentinel::settings::StateSettings;
use proofpoint_sentinel::state::{Checkpoint, State};
use proofpoint_sentinel_core::clock::Clock;
use proofpoint_sentinel_core::feed::{EventType, Feed};
use proofpoint_sentinel_core::hour::Hour;
use proofpoint_sentinel_core::tables::table;
use proofpoint_sentinel_simulator::pod::{EventSource, FeedCounters, InMemoryEvents};
use proofpoint_sentinel_simulator::{DestinationApi, Simulation, SimulationSettings};
use serde_json::Value;
use tempfile::TempDir;
use url::Url;

use crate::soon;

/// The one cluster.
pub(crate) const CLUSTER: &str = "acme_hosted";

/// The feeds that are read where settings don't say otherwise.
pub(crate) fn feeds() -> [Feed; 2] {
    [EventType::Message, EventType::Maillog].map(feed)
}

/// A feed of the one cluster.
pub(crate) fn feed(event_type: EventType) -> Feed {
    Feed { cluster_id: CLUSTER.to_owned(), event_type }
}

pub(crate) struct TestServices {
    pub simulation: Simulation,
    /// Hours that have events, all of them due.
    pub hours: Vec<Hour>,
    source: Arc<InMemoryEvents>,
    directory: TempDir,
}

impl TestServices {
    /// Each of the feeds has the given numbers of events in its latest hours. Where there is a
    /// `pace`, sessions send so many a second.
    pub(crate) async fn new(per_hour: &[usize], pace: Option<u32>) -> TestServices {
        let directory = tempfile::tempdir().unwrap();
        let newest = Hour::newest_due(Timestamp::now(), SignedDuration::from_mins(45));
        let oldest = newest.plus(1 - per_hour.len() as i64);
        let hours: Vec<Hour> = oldest.through(newest).collect();
        let source = Arc::new(InMemoryEvents::default());
        for feed in feeds() {
            for (hour, count) in hours.iter().zip(per_hour) {
                source.add_to_hour(
                    &feed,
                    *hour,
                    (0..*count).map(|number| event(&feed, *hour, number)),
                );
            }
        }
        let mut settings =
            SimulationSettings::new(directory.path(), Clock::system(), &[CLUSTER], source.clone());
        settings.pod.events_per_second = pace;
        let simulation = soon(Simulation::start(settings)).await.unwrap();
        TestServices { simulation, hours, source, directory }
    }

    /// The settings of an app, or of a terminal's environment, that lives in this services. It reads
    /// the archive alone.
    pub(crate) fn settings(&self, destination: DestinationApi) -> Vec<(String, String)> {
        // The hour before the first has no events. It is there for tests that begin in one hour
        // and go on in the next.
        let lookback = Hour::containing(Timestamp::now()).hours_since(self.hours[0]) + 1;
        let state = Url::from_directory_path(self.state_directory()).unwrap();
        let own = [
            ("ProofpointMode", "archive".to_owned()),
            ("ProofpointInitialLookbackHours", lookback.to_string()),
            ("StateStorage", state.to_string()),
        ];
        let own = own.into_iter().map(|(name, value)| (name.to_owned(), value));
        self.simulation.app_settings(destination).into_iter().chain(own).collect()
    }

    /// Where the state lies.
    pub(crate) fn state_directory(&self) -> PathBuf {
        self.directory.path().join("state")
    }

    pub(crate) async fn state(&self) -> State {
        let settings = StateSettings::Directory(self.state_directory());
        State::open(&settings, &Net::new(None).unwrap()).await.unwrap()
    }

    pub(crate) async fn checkpoint(&self, feed: &Feed) -> Checkpoint {
        self.state().await.read_checkpoint(feed).await.unwrap().expect("there is one").0
    }

    /// A path for a file of the test's own.
    pub(crate) fn file(&self, name: &str) -> PathBuf {
        self.directory.path().join(name)
    }

    /// Adds an event to those of an hour.
    pub(crate) fn add(&self, feed: &Feed, hour: Hour, event: &str) {
        self.source.add_to_hour(feed, hour, [event.to_owned()]);
    }

    /// The events of an hour, as they are sent.
    pub(crate) fn events(&self, feed: &Feed, hour: Hour) -> Vec<Bytes> {
        self.source.events(feed, hour).collect()
    }

    /// The ids of all events of some hours, in order.
    pub(crate) fn ids(&self, feed: &Feed, hours: &[Hour]) -> Vec<String> {
        let events = hours.iter().flat_map(|hour| self.events(feed, *hour));
        let mut ids: Vec<String> = events.map(|event| id(feed, &event)).collect();
        ids.sort();
        ids
    }

    /// The ids of all rows that have reached the workspace, in order.
    pub(crate) fn delivered(&self, feed: &Feed) -> Vec<String> {
        let table = table(feed.event_type);
        let tables = [table.name.to_owned(), format!("{}_CL", table.log_type)];
        let rows = tables.iter().flat_map(|table| self.simulation.workspace.rows(table));
        let mut ids: Vec<String> = rows.map(|row| id(feed, row.as_bytes())).collect();
        ids.sort();
        ids
    }

    /// Every event of `hours` has reached the workspace, and none of them twice.
    #[track_caller]
    pub(crate) fn assert_delivered_once(&self, hours: &[Hour]) {
        for feed in feeds() {
            let wanted = self.ids(&feed, hours);
            let among: BTreeSet<&String> = wanted.iter().collect();
            let mut delivered = self.delivered(&feed);
            delivered.retain(|id| among.contains(id));
            assert_eq!(delivered, wanted, "{feed}");
        }
    }

    /// Every event has reached the workspace.
    #[track_caller]
    pub(crate) fn assert_nothing_is_missing(&self) {
        for feed in feeds() {
            let mut delivered = self.delivered(&feed);
            delivered.dedup();
            assert_eq!(delivered, self.ids(&feed, &self.hours), "{feed}");
        }
    }

    /// Waits until the Log API's counts of both feeds are as `wanted`.
    pub(crate) async fn both_feeds(&self, wanted: impl Fn(&FeedCounters) -> bool) {
        let both =
            |feed: &Feed, counters: &FeedCounters| feeds().contains(feed) && wanted(counters);
        soon(self.simulation.pod.wait_for(|all| {
            all.feeds.iter().filter(|(feed, counters)| both(feed, counters)).count() == 2
        }))
        .await;
    }
}

/// An event with spaces and an order of its own, by which it can be told that it was not rewritten.
fn event(feed: &Feed, hour: Hour, number: usize) -> String {
    let id = table(feed.event_type).id;
    format!(
        r#"{{ "ts":"{hour}:30:00.123456+0000", "{id}":"{feed}-{hour}-{number}","pps":{{"cid":"{CLUSTER}","agent":"m0.example"}},"metadata": {{"origin":{{"size":1.50}}}} }}"#
    )
}

/// The id of an event or of its row.
pub(crate) fn id(feed: &Feed, json: &[u8]) -> String {
    let value: Value = serde_json::from_slice(json).expect("it is JSON");
    value[table(feed.event_type).id].as_str().expect("it has an id").to_owned()
}
