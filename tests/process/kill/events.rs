//! The events of a scenario.
//!
//! They arrive while the scenario runs. All of them get into the archive; most are sent to live
//! sessions as well. If a handler is killed with events of a live session, only the archive still
//! has them.

use std::collections::BTreeSet;

use bytes::Bytes;
use jiff::{SignedDuration, Timestamp};
use proofpoint_sentinel_core::feed::{EventType, Feed};
use proofpoint_sentinel_core::hour::Hour;
use proofpoint_sentinel_simulator::pod::{InMemoryEvents, SourceEvent};
use rand::RngExt as _;
use rand::rngs::SmallRng;

use crate::kill::hours::{LATE, SimulatedHours};

/// The longest event: a hundred of them fill a batch.
const LONGEST: usize = 20_000;

pub(crate) struct ScenarioEvents {
    pub source: InMemoryEvents,
    /// The ids of all events.
    ids: Vec<(Feed, BTreeSet<String>)>,
    /// When the last event arrives.
    all_arrived: Timestamp,
}

impl ScenarioEvents {
    pub(crate) fn new(feeds: &[Feed]) -> ScenarioEvents {
        ScenarioEvents {
            source: InMemoryEvents::default(),
            ids: feeds.iter().map(|feed| (feed.clone(), BTreeSet::new())).collect(),
            all_arrived: Timestamp::MIN,
        }
    }

    /// The ids of the events of each feed.
    pub(crate) fn ids(&self) -> &[(Feed, BTreeSet<String>)] {
        &self.ids
    }

    /// How many events there are.
    pub(crate) fn len(&self) -> usize {
        self.ids.iter().map(|(_, ids)| ids.len()).sum()
    }

    /// Whether all events have arrived.
    pub(crate) fn have_arrived(&self, now: Timestamp) -> bool {
        self.all_arrived <= now
    }

    /// When the last event arrives.
    pub(crate) fn all_arrived(&self) -> Timestamp {
        self.all_arrived
    }

    /// Adds `count` events of `hour` to each feed, which were there before the scenario began.
    pub(crate) fn add_history(&mut self, hour: Hour, count: usize, rng: &mut SmallRng) {
        for feed in 0..self.ids.len() {
            for _ in 0..count {
                self.add(feed, "history", hour, hour.start(), rng);
            }
        }
    }

    /// Adds `count` events to each feed, which arrive from `now` on, within `span`.
    pub(crate) fn add_arriving(
        &mut self,
        count: usize,
        now: Timestamp,
        span: SignedDuration,
        hours: &SimulatedHours,
        rng: &mut SmallRng,
    ) {
        for feed in 0..self.ids.len() {
            for _ in 0..count {
                let (path, late) = match rng.random_range(0..10) {
                    0 => ("late", rng.random_range(1..=LATE)),
                    1..=3 => ("archive", 0),
                    _ => ("live", 0),
                };
                let arrives = now + span.mul_f64(rng.random::<f64>());
                self.add(feed, path, hours.current().plus(-late), arrives, rng);
            }
        }
    }

    fn add(
        &mut self,
        feed: usize,
        path: &'static str,
        hour: Hour,
        arrives: Timestamp,
        rng: &mut SmallRng,
    ) {
        let (feed, ids) = &mut self.ids[feed];
        let id = format!("{path} {hour} {}", ids.len());
        let event = event(feed.event_type().unwrap(), &id, hour, rng);
        let live = matches!(path, "live" | "late");
        self.source.add(
            feed,
            [SourceEvent { arrives_at: arrives, live, ..SourceEvent::new(event, hour) }],
        );
        ids.insert(id);
        self.all_arrived = self.all_arrived.max(arrives);
    }
}

fn event(event_type: EventType, id: &str, hour: Hour, rng: &mut SmallRng) -> Bytes {
    let (minute, second) = (rng.random_range(0..60), rng.random_range(0..60));
    let ts = format!("{hour}:{minute:02}:{second:02}.{:03}+0000", rng.random_range(0..1000));
    let text = "x".repeat(rng.random_range(0..LONGEST));
    let event = match event_type {
        EventType::Message => {
            format!(r#"{{"guid":"{id}","ts":"{ts}","msgParts":[],"filter":{{"qid":"{text}"}}}}"#)
        }
        EventType::Maillog => {
            format!(r#"{{"id":"{id}","ts":"{ts}","data":"{text}","sm":{{"qid":"q"}}}}"#)
        }
        EventType::Audit => {
            format!(r#"{{"guid":"{id}","ts":"{ts}","audit":{{"tags":["{text}"]}}}}"#)
        }
    };
    event.into()
}
