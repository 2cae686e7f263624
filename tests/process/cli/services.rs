//! The services around the program: Proofpoint with events of some hours, a workspace, and storage.

use std::collections::{BTreeMap, BTreeSet};
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
use proofpoint_sentinel_simulator::tap::{InMemoryRecords, Tap};
use proofpoint_sentinel_simulator::{DestinationApi, Simulation, SimulationSettings};
use serde_json::Value;
use tempfile::TempDir;
use url::Url;

use crate::soon;

/// The one cluster.
pub(crate) const CLUSTER: &str = "acme_hosted";

/// The feeds that are read by default.
pub(crate) fn feeds() -> [Feed; 2] {
    [EventType::Message, EventType::Maillog].map(feed)
}

/// A feed of the one cluster.
pub(crate) fn feed(event_type: EventType) -> Feed {
    Feed::log(CLUSTER, event_type)
}

pub(crate) struct TestServices {
    pub simulation: Simulation,
    /// The hours with events. All of them are due.
    pub hours: Vec<Hour>,
    /// The records of the TAP account, if there is one.
    pub records: InMemoryRecords,
    source: Arc<InMemoryEvents>,
    directory: TempDir,
}

impl TestServices {
    /// Each feed has these numbers of events in its latest hours. Sessions send at most
    /// `events_per_second`, if that is given.
    pub(crate) async fn new(per_hour: &[usize], events_per_second: Option<u32>) -> TestServices {
        TestServices::start(per_hour, events_per_second, false).await
    }

    /// A cluster with an hour of one event for each feed, and a TAP account without records.
    pub(crate) async fn with_tap() -> TestServices {
        TestServices::start(&[1], None, true).await
    }

    async fn start(
        per_hour: &[usize],
        events_per_second: Option<u32>,
        has_tap: bool,
    ) -> TestServices {
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
        settings.pod.events_per_second = events_per_second;
        let records = InMemoryRecords::default();
        if has_tap {
            settings = settings.with_tap(Arc::new(records.clone()));
        }
        let simulation = soon(Simulation::start(settings)).await.unwrap();
        TestServices { simulation, hours, records, source, directory }
    }

    /// The settings of an app, or of a terminal's environment, that uses these services and reads only
    /// the archive.
    pub(crate) fn settings(&self, destination: DestinationApi) -> Vec<(String, String)> {
        // One hour more, without events, for tests that begin in one clock hour and end in the next.
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

    /// The SIEM API of TAP. There must be one.
    pub(crate) fn tap(&self) -> &Tap {
        self.simulation.tap.as_ref().unwrap()
    }

    /// The directory of the state.
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

    /// A path for a file of the test.
    pub(crate) fn file(&self, name: &str) -> PathBuf {
        self.directory.path().join(name)
    }

    /// Adds an event to an hour.
    pub(crate) fn add(&self, feed: &Feed, hour: Hour, event: &str) {
        self.source.add_to_hour(feed, hour, [event.to_owned()]);
    }

    /// The events of an hour, as they are sent.
    pub(crate) fn events(&self, feed: &Feed, hour: Hour) -> Vec<Bytes> {
        self.source.events(feed, hour).collect()
    }

    /// The sorted ids of all events of these hours.
    pub(crate) fn ids(&self, feed: &Feed, hours: &[Hour]) -> Vec<String> {
        let events = hours.iter().flat_map(|hour| self.events(feed, *hour));
        let mut ids: Vec<String> = events.map(|event| id(feed, &event)).collect();
        ids.sort();
        ids
    }

    /// The sorted ids of all rows in the workspace.
    pub(crate) fn delivered(&self, feed: &Feed) -> Vec<String> {
        let table = table(feed.event_type().unwrap());
        let tables = [table.name.to_owned(), format!("{}_CL", table.log_type)];
        let rows = tables.iter().flat_map(|table| self.simulation.workspace.rows(table));
        let mut ids: Vec<String> = rows.map(|row| id(feed, row.as_bytes())).collect();
        ids.sort();
        ids
    }

    /// How the rows in the workspace say that they were collected, and how many say so.
    pub(crate) fn collected_by(&self, feed: &Feed) -> BTreeMap<String, usize> {
        let table = table(feed.event_type().unwrap());
        let tables = [table.name.to_owned(), format!("{}_CL", table.log_type)];
        let rows = tables.iter().flat_map(|table| self.simulation.workspace.rows(table));
        let mut counts = BTreeMap::new();
        for row in rows {
            let row: serde_json::Value = serde_json::from_str(&row).expect("a row is JSON");
            let by = row["CollectedBy"].as_str().expect("a row says it");
            *counts.entry(by.to_owned()).or_default() += 1;
        }
        counts
    }

    /// Asserts that every event of `hours` was delivered exactly once.
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

    /// Asserts that every event was delivered.
    #[track_caller]
    pub(crate) fn assert_nothing_is_missing(&self) {
        for feed in feeds() {
            let mut delivered = self.delivered(&feed);
            delivered.dedup();
            assert_eq!(delivered, self.ids(&feed, &self.hours), "{feed}");
        }
    }

    /// Waits until `condition` is true for the Log API's counters of both feeds.
    pub(crate) async fn both_feeds(&self, condition: impl Fn(&FeedCounters) -> bool) {
        let both =
            |feed: &Feed, counters: &FeedCounters| feeds().contains(feed) && condition(counters);
        soon(self.simulation.pod.wait_for(|all| {
            all.feeds.iter().filter(|(feed, counters)| both(feed, counters)).count() == 2
        }))
        .await;
    }
}

/// An event with unusual spaces and order, which shows whether it was rewritten.
pub(crate) fn event(feed: &Feed, hour: Hour, number: usize) -> String {
    let (id, cluster) = (table(feed.event_type().unwrap()).id, &feed.account);
    format!(
        r#"{{ "ts":"{hour}:30:00.123456+0000", "{id}":"{feed}-{hour}-{number}","pps":{{"cid":"{cluster}","agent":"m0.example"}},"metadata": {{"origin":{{"size":1.50}}}} }}"#
    )
}

/// The id of an event or of its row.
pub(crate) fn id(feed: &Feed, json: &[u8]) -> String {
    let value: Value = serde_json::from_slice(json).expect("it is JSON");
    value[table(feed.event_type().unwrap()).id].as_str().expect("there is an id").to_owned()
}
