//! The events of a world.
//!
//! All of them get into the archive, most are sent to live sessions as well, and they arrive while
//! the world goes on. Of those that a live session sent to a handler that died with them, the
//! archive alone knows.

use std::collections::BTreeSet;

use bytes::Bytes;
use jiff::{SignedDuration, Timestamp};
use proofpoint_sentinel_core::feed::{EventType, Feed};
use proofpoint_sentinel_core::hour::Hour;
use proofpoint_sentinel_simulator::pod::{GivenEvent, GivenEvents};
use rand::RngExt as _;
use rand::rngs::SmallRng;

use crate::kill::calendar::{Calendar, LATE};

/// The longest event: a hundred make a batch.
const LONGEST: usize = 20_000;

pub(crate) struct Traffic {
    pub source: GivenEvents,
    /// The ids of all events.
    given: Vec<(Feed, BTreeSet<String>)>,
    /// When the last of them arrives.
    all_arrived: Timestamp,
}

impl Traffic {
    pub(crate) fn new(feeds: &[Feed]) -> Traffic {
        Traffic {
            source: GivenEvents::default(),
            given: feeds.iter().map(|feed| (feed.clone(), BTreeSet::new())).collect(),
            all_arrived: Timestamp::MIN,
        }
    }

    /// The ids of the events of each feed.
    pub(crate) fn ids(&self) -> &[(Feed, BTreeSet<String>)] {
        &self.given
    }

    /// How many events there are.
    pub(crate) fn len(&self) -> usize {
        self.given.iter().map(|(_, ids)| ids.len()).sum()
    }

    /// Whether nothing is on its way.
    pub(crate) fn has_arrived(&self, now: Timestamp) -> bool {
        self.all_arrived <= now
    }

    /// When nothing is on its way any more.
    pub(crate) fn all_arrived(&self) -> Timestamp {
        self.all_arrived
    }

    /// Lays down `count` events of `hour` for each feed that were there before the world began.
    pub(crate) fn history(&mut self, hour: Hour, count: usize, rng: &mut SmallRng) {
        for feed in 0..self.given.len() {
            for _ in 0..count {
                self.give(feed, "history", hour, hour.start(), rng);
            }
        }
    }

    /// Lets `count` events of each feed arrive from `now` on, all of them within `span`.
    pub(crate) fn arrive(
        &mut self,
        count: usize,
        now: Timestamp,
        span: SignedDuration,
        calendar: &Calendar,
        rng: &mut SmallRng,
    ) {
        for feed in 0..self.given.len() {
            for _ in 0..count {
                let (path, late) = match rng.random_range(0..10) {
                    0 => ("late", rng.random_range(1..=LATE)),
                    1..=3 => ("archive", 0),
                    _ => ("live", 0),
                };
                let arrives = now + span.mul_f64(rng.random::<f64>());
                self.give(feed, path, calendar.hour().plus(-late), arrives, rng);
            }
        }
    }

    fn give(
        &mut self,
        feed: usize,
        path: &'static str,
        hour: Hour,
        arrives: Timestamp,
        rng: &mut SmallRng,
    ) {
        let (feed, ids) = &mut self.given[feed];
        let id = format!("{path} {hour} {}", ids.len());
        let event = event(feed.event_type, &id, hour, rng);
        let live = matches!(path, "live" | "late");
        self.source.give(feed, [GivenEvent { arrives, live, ..GivenEvent::new(event, hour) }]);
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
