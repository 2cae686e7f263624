//! Events that a test has laid down.

use std::borrow::Cow;
use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, Mutex, MutexGuard};

use bytes::Bytes;
use jiff::{SignedDuration, Timestamp};
use proofpoint_sentinel_core::feed::Feed;
use proofpoint_sentinel_core::hour::Hour;
use serde::Deserialize;

use super::source::{Arrival, Arrivals, EventSource, Events, Position};
use super::times;

/// Events that a test has laid down; hours without any are empty. Clones share the same events.
///
/// Events can be added at any time. Those that arrive behind the position of a live session are
/// not sent to it any more.
#[derive(Clone, Debug, Default)]
pub struct GivenEvents(Arc<Mutex<HashMap<Feed, Given>>>);

/// An event, and where it can be had from when.
#[derive(Clone, Debug)]
pub struct GivenEvent {
    /// What is sent.
    pub event: Bytes,
    /// The hour that the archive files it under.
    pub hour: Hour,
    /// When it reaches the service.
    pub arrives: Timestamp,
    /// Whether it is sent to live sessions.
    pub live: bool,
    /// Whether it gets into the archive.
    pub archived: bool,
}

/// The events of one feed.
#[derive(Debug, Default)]
struct Given {
    count: u64,
    archive: HashMap<Hour, Vec<(Timestamp, Bytes)>>,
    live: BTreeMap<Position, Bytes>,
}

impl GivenEvent {
    /// An event that is there for live sessions and for the archive. It arrives at the time in its
    /// `ts`, kept within `hour`, or with the hour's last second where it has none.
    pub fn new(event: impl Into<Bytes>, hour: Hour) -> GivenEvent {
        let event = event.into();
        let last = hour.end() - SignedDuration::from_secs(1);
        let last_instant = hour.end() - SignedDuration::from_nanos(1);
        let arrives = time(&event).map_or(last, |at| at.clamp(hour.start(), last_instant));
        GivenEvent { event, hour, arrives, live: true, archived: true }
    }
}

/// The time in an event's `ts`.
fn time(event: &[u8]) -> Option<Timestamp> {
    #[derive(Deserialize)]
    struct Dated<'a> {
        #[serde(borrow)]
        ts: Cow<'a, str>,
    }
    let dated: Dated<'_> = serde_json::from_slice(event).ok()?;
    times::read(&dated.ts)
}

impl GivenEvents {
    /// Adds `events` to those of `feed` in `hour`, each as [`GivenEvent::new`] makes it.
    pub fn add<E: Into<Bytes>>(
        &self,
        feed: &Feed,
        hour: Hour,
        events: impl IntoIterator<Item = E>,
    ) {
        self.give(feed, events.into_iter().map(|event| GivenEvent::new(event, hour)));
    }

    /// Adds `events` to those of `feed`.
    pub fn give(&self, feed: &Feed, events: impl IntoIterator<Item = GivenEvent>) {
        let mut given = self.lock();
        let given = given.entry(feed.clone()).or_default();
        for GivenEvent { event, hour, arrives, live, archived } in events {
            given.count += 1;
            if live {
                let position = Position { at: arrives, number: given.count };
                given.live.insert(position, event.clone());
            }
            if archived {
                given.archive.entry(hour).or_default().push((arrives, event));
            }
        }
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<Feed, Given>> {
        self.0.lock().expect("no holder of the events panics")
    }
}

impl EventSource for GivenEvents {
    fn archived(&self, feed: &Feed, hour: Hour, by: Timestamp) -> Events {
        let given = self.lock();
        let filed = given.get(feed).and_then(|given| given.archive.get(&hour)).cloned();
        let there =
            filed.unwrap_or_default().into_iter().filter(move |(arrived, _)| *arrived <= by);
        Box::new(there.map(|(_, event)| event))
    }

    fn arrivals(&self, feed: &Feed, start: Position) -> Box<dyn Arrivals> {
        Box::new(GivenArrivals { given: self.clone(), feed: feed.clone(), position: start })
    }
}

/// A view of what is given, so that it knows of additions.
struct GivenArrivals {
    given: GivenEvents,
    feed: Feed,
    position: Position,
}

impl Arrivals for GivenArrivals {
    fn next(&mut self, now: Timestamp) -> Option<Arrival> {
        let given = self.given.lock();
        let (position, event) = given.get(&self.feed)?.live.range(self.position..).next()?;
        if position.at > now {
            return None;
        }
        self.position = position.next();
        Some(Arrival { then: self.position, event: event.clone() })
    }
}

#[cfg(test)]
mod tests {
    use proofpoint_sentinel_core::feed::EventType;

    use super::*;

    fn feed() -> Feed {
        Feed { cluster_id: "acme_hosted".to_owned(), event_type: EventType::Message }
    }

    fn at(text: &str) -> Timestamp {
        format!("2026-11-20T{text}Z").parse().unwrap()
    }

    fn arrived(arrivals: &mut dyn Arrivals, now: &str) -> Vec<Bytes> {
        std::iter::from_fn(|| arrivals.next(at(now))).map(|arrival| arrival.event).collect()
    }

    #[test]
    fn an_event_arrives_at_its_time_within_its_hour() {
        let hour: Hour = "2026-11-20T06".parse().unwrap();
        let arrives = |event: &'static str| GivenEvent::new(event, hour).arrives;
        assert_eq!(arrives(r#"{"ts":"2026-11-19T23:10:00.5-0700"}"#), at("06:10:00.5"));
        assert_eq!(arrives(r#"{"ts":"2026-11-19T06:10:00Z"}"#), at("06:00:00"));
        assert_eq!(Hour::containing(arrives(r#"{"ts":"2026-11-20T07:10:00Z"}"#)), hour);
        for event in ["{oops", "{}", "[]", r#"{"ts":7}"#, r#"{"ts":"yesterday"}"#] {
            assert_eq!(arrives(event), at("06:59:59"), "{event}");
        }
    }

    #[test]
    fn the_archive_has_by_the_hour_what_has_arrived_in_the_order_given() {
        let (given, hour) = (GivenEvents::default(), at("06:00:00"));
        let hour = Hour::containing(hour);
        let event =
            |event, arrives| GivenEvent { arrives: at(arrives), ..GivenEvent::new(event, hour) };
        given.give(&feed(), [event("late", "09:10:00"), event("timely", "06:10:00")]);
        given.give(&feed(), [GivenEvent { archived: false, ..event("never", "06:20:00") }]);
        let archived = |by| given.archived(&feed(), hour, at(by)).collect::<Vec<_>>();
        assert_eq!(archived("09:09:59"), ["timely"]);
        assert_eq!(archived("09:10:00"), ["late", "timely"]);
        assert_eq!(given.events(&feed(), hour.plus(1)).count(), 0);
    }

    #[test]
    fn live_events_come_by_arrival_and_once_for_each_time_given() {
        let (given, hour) = (GivenEvents::default(), "2026-11-20T06".parse().unwrap());
        let event =
            |event, arrives| GivenEvent { arrives: at(arrives), ..GivenEvent::new(event, hour) };
        let mut arrivals = given.arrivals(&feed(), Position::start_of(at("06:05:00")));
        assert!(arrived(&mut *arrivals, "09:00:00").is_empty());
        given.give(&feed(), [event("c", "06:30:00"), event("a", "06:05:00")]);
        given.give(&feed(), [event("a", "06:05:00"), event("before", "06:04:59")]);
        given.give(&feed(), [GivenEvent { live: false, ..event("archive", "06:10:00") }]);
        assert_eq!(arrived(&mut *arrivals, "06:29:59"), ["a", "a"]);
        given.give(&feed(), [event("behind", "06:04:00"), event("b", "06:20:00")]);
        assert_eq!(arrived(&mut *arrivals, "06:30:00"), ["b", "c"]);
    }
}
