//! Four clusters with two feeds each, and a queue.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use proofpoint_sentinel::host::FEED_FUNCTION;
use proofpoint_sentinel_core::clock::Clock;
use proofpoint_sentinel_core::feed::{EventType, Feed};
use proofpoint_sentinel_core::hour::Hour;
use proofpoint_sentinel_core::tables::table;
use proofpoint_sentinel_simulator::host::{
    FunctionsHost, QueueService, StorageQueue, WorkedMessage,
};
use proofpoint_sentinel_simulator::pod::{EventSource, InMemoryEvents};
use proofpoint_sentinel_simulator::{DestinationApi, Simulation, SimulationSettings};
use serde_json::json;
use tempfile::TempDir;
use url::Url;

use crate::app::App;
use crate::cli::services::{event, id};
use crate::soon;
use crate::support::azurite::Azurite;

const CLUSTERS: [&str; 4] = ["cluster_1", "cluster_2", "cluster_3", "cluster_4"];
const TYPES: [EventType; 2] = [EventType::Message, EventType::Maillog];

/// Events of each feed in each of the two hours that are due.
const EVENTS: usize = 15;

/// The services around instances of an app in queue mode.
pub(crate) struct QueueScene {
    pub simulation: Simulation,
    queues: QueueService,
    /// Its queue, which no other test uses.
    name: &'static str,
    hours: Vec<Hour>,
    source: Arc<InMemoryEvents>,
    directory: TempDir,
}

impl QueueScene {
    pub(crate) async fn start(name: &'static str, events_per_second: Option<u32>) -> QueueScene {
        let directory = tempfile::tempdir().unwrap();
        let newest = Hour::newest_due(Timestamp::now(), SignedDuration::from_mins(45));
        let hours: Vec<Hour> = newest.plus(-1).through(newest).collect();
        let source = Arc::new(InMemoryEvents::default());
        for feed in feeds() {
            for hour in &hours {
                let events = (0..EVENTS).map(|number| event(&feed, *hour, number));
                source.add_to_hour(&feed, *hour, events);
            }
        }
        let given = source.clone();
        let mut settings =
            SimulationSettings::new(directory.path(), Clock::system(), &CLUSTERS, given);
        settings.pod.events_per_second = events_per_second;
        let simulation = soon(Simulation::start(settings)).await.unwrap();
        let queues = QueueService::new(Azurite::queues().queue_account()).unwrap();
        QueueScene { simulation, queues, name, hours, source, directory }
    }

    /// The app in queue mode. A message that failed can be seen again at once.
    pub(crate) fn app(&self) -> App {
        App::with_queue(self.name).with_host_json(|host_json| {
            host_json["extensions"]["queues"]["visibilityTimeout"] = json!("00:00:00");
        })
    }

    pub(crate) fn settings(&self) -> Vec<(String, String)> {
        let lookback = Hour::containing(Timestamp::now()).hours_since(self.hours[0]) + 1;
        let state = Url::from_directory_path(self.directory.path().join("state")).unwrap();
        let own = [
            ("ProofpointScale", "queue".to_owned()),
            ("ProofpointMode", "archive".to_owned()),
            ("ProofpointInitialLookbackHours", lookback.to_string()),
            ("StateStorage", state.to_string()),
        ];
        let own = own.into_iter().map(|(name, value)| (name.to_owned(), value));
        self.simulation.app_settings(DestinationApi::LogsIngestion).into_iter().chain(own).collect()
    }

    /// An instance of the app.
    pub(crate) async fn host(&self, app: &App) -> FunctionsHost {
        self.host_with(app, self.settings()).await
    }

    pub(crate) async fn host_with(
        &self,
        app: &App,
        settings: Vec<(String, String)>,
    ) -> FunctionsHost {
        app.host(settings).await.with_queues(self.queues.clone())
    }

    pub(crate) fn queue(&self) -> StorageQueue {
        self.queues.queue(self.name)
    }

    /// How many messages were given up.
    pub(crate) async fn poison_length(&self) -> u32 {
        let poison = self.queues.queue(&format!("{}-poison", self.name));
        poison.create().await.unwrap();
        poison.length().await.unwrap()
    }

    /// Takes all messages out of the queue, and puts each of them in `copies` times, the last first.
    /// Returns their texts.
    pub(crate) async fn send_again_in_another_order(&self, copies: usize) -> Vec<String> {
        let queue = self.queue();
        let mut texts = Vec::new();
        loop {
            let taken = queue.take(32, Duration::from_secs(600)).await.unwrap();
            if taken.is_empty() {
                break;
            }
            for message in taken {
                queue.delete(&message).await.unwrap();
                texts.push(message.text);
            }
        }
        for _ in 0..copies {
            for text in texts.iter().rev() {
                queue.send(text).await.unwrap();
            }
        }
        texts
    }

    /// The number of rows in the workspace.
    pub(crate) fn rows(&self) -> usize {
        let tables = TYPES.map(|event_type| table(event_type).name);
        tables.iter().map(|table| self.simulation.workspace.rows(table).len()).sum()
    }

    #[track_caller]
    pub(crate) fn assert_delivered_once(&self) {
        self.assert_nothing_is_missing();
        assert_eq!(self.rows(), feeds().count() * self.hours.len() * EVENTS);
    }

    #[track_caller]
    pub(crate) fn assert_nothing_is_missing(&self) {
        for event_type in TYPES {
            let any = Feed::log("", event_type);
            let rows = self.simulation.workspace.rows(table(event_type).name);
            let there: BTreeSet<String> = rows.iter().map(|row| id(&any, row.as_bytes())).collect();
            for feed in feeds().filter(|feed| feed.event_type() == Some(event_type)) {
                let events = self.hours.iter().flat_map(|hour| self.source.events(&feed, *hour));
                for event in events {
                    let id = id(&any, &event);
                    assert!(there.contains(&id), "{id} is missing");
                }
            }
        }
    }

    /// Asserts that no token had two sessions of a type at a time, and none was refused for that.
    #[track_caller]
    pub(crate) fn assert_one_session_at_a_time(&self) {
        let counters = self.simulation.pod.counters();
        for feed in feeds() {
            let counters = counters.feed(&feed);
            assert_eq!((counters.most_open, counters.refused), (1, 0), "{feed}: {counters:?}");
        }
    }
}

fn feeds() -> impl Iterator<Item = Feed> {
    CLUSTERS.iter().flat_map(|cluster| TYPES.map(|event_type| Feed::log(*cluster, event_type)))
}

/// Works on messages until the queue shows none.
pub(crate) async fn drain(host: &FunctionsHost) -> Vec<WorkedMessage> {
    let mut all = Vec::new();
    loop {
        let worked = soon(host.work_on_batch(FEED_FUNCTION)).await.unwrap();
        if worked.is_empty() {
            return all;
        }
        all.extend(worked);
    }
}
