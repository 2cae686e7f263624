//! Events in memory, for tests.

use std::borrow::Cow;
use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, Mutex, MutexGuard};

use bytes::Bytes;
use jiff::{SignedDuration, Timestamp};
use proofpoint_sentinel_core::feed::Feed;
use proofpoint_sentinel_core::hour::Hour;
use serde::Deserialize;

use super::event_source::{Arrival, Arrivals, EventSource, Events, Position};
use crate::time_format;

/// Events in memory. Clones share the same events.
///
/// Events can be added at any time. A live session does not get events that arrive before its
/// position.
#[derive(Clone, Debug, Default)]
pub struct InMemoryEvents(Arc<Mutex<HashMap<Feed, FeedEvents>>>);

/// An event of a source, with its hour and time of arrival.
#[derive(Clone, Debug)]
pub struct SourceEvent {
    /// The event as it is sent.
    pub event: Bytes,
    /// The hour under which the archive stores it.
    pub hour: Hour,
    /// When it reaches the service.
    pub arrives_at: Timestamp,
    /// Whether it is sent to live sessions.
    pub live: bool,
    /// Whether it is stored in the archive.
    pub archived: bool,
}

/// The events of one feed.
#[derive(Debug, Default)]
struct FeedEvents {
    count: u64,
    archive: HashMap<Hour, Vec<(Timestamp, Bytes)>>,
    live: BTreeMap<Position, Bytes>,
}

impl SourceEvent {
    /// An event for live sessions and the archive. It arrives at the time in its `ts`, limited to
    /// `hour`, or in the last second of the hour if it has no `ts`.
    pub fn new(event: impl Into<Bytes>, hour: Hour) -> SourceEvent {
        let event = event.into();
        let last = hour.end() - SignedDuration::from_secs(1);
        let last_instant = hour.end() - SignedDuration::from_nanos(1);
        let arrives_at = time(&event).map_or(last, |at| at.clamp(hour.start(), last_instant));
        SourceEvent { event, hour, arrives_at, live: true, archived: true }
    }
}

/// The time in an event's `ts`.
fn time(event: &[u8]) -> Option<Timestamp> {
    #[derive(Deserialize)]
    struct Timestamped<'a> {
        #[serde(borrow)]
        ts: Cow<'a, str>,
    }
    let timestamped: Timestamped<'_> = serde_json::from_slice(event).ok()?;
    time_format::parse(&timestamped.ts)
}

impl InMemoryEvents {
    /// Adds `events` to those of `feed` in `hour`, each as [`SourceEvent::new`] makes it.
    pub fn add_to_hour<E: Into<Bytes>>(
        &self,
        feed: &Feed,
        hour: Hour,
        events: impl IntoIterator<Item = E>,
    ) {
        self.add(feed, events.into_iter().map(|event| SourceEvent::new(event, hour)));
    }

    /// Adds `events` to those of `feed`.
    pub fn add(&self, feed: &Feed, events: impl IntoIterator<Item = SourceEvent>) {
        let mut feeds = self.lock();
        let feed_events = feeds.entry(feed.clone()).or_default();
        for SourceEvent { event, hour, arrives_at, live, archived } in events {
            feed_events.count += 1;
            if live {
                let position = Position { at: arrives_at, number: feed_events.count };
                feed_events.live.insert(position, event.clone());
            }
            if archived {
                feed_events.archive.entry(hour).or_default().push((arrives_at, event));
            }
        }
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<Feed, FeedEvents>> {
        self.0.lock().expect("no holder of the events panics")
    }
}

impl EventSource for InMemoryEvents {
    fn archived(&self, feed: &Feed, hour: Hour, by: Timestamp) -> Events {
        let feeds = self.lock();
        let archived = feeds.get(feed).and_then(|events| events.archive.get(&hour)).cloned();
        let arrived =
            archived.unwrap_or_default().into_iter().filter(move |(arrived, _)| *arrived <= by);
        Box::new(arrived.map(|(_, event)| event))
    }

    fn arrivals(&self, feed: &Feed, start: Position) -> Box<dyn Arrivals> {
        Box::new(InMemoryArrivals { source: self.clone(), feed: feed.clone(), position: start })
    }
}

/// Reads from the shared events, so it also returns events added later.
struct InMemoryArrivals {
    source: InMemoryEvents,
    feed: Feed,
    position: Position,
}

impl Arrivals for InMemoryArrivals {
    fn next(&mut self, now: Timestamp) -> Option<Arrival> {
        let feeds = self.source.lock();
        let (position, event) = feeds.get(&self.feed)?.live.range(self.position..).next()?;
        if position.at > now {
            return None;
        }
        self.position = position.next();
        Some(Arrival { next_position: self.position, event: event.clone() })
    }
}

#[cfg(test)]
mod tests {
    use proofpoint_sentinel_core::feed::EventType;

    use super::*;

    fn feed() -> Feed {
        Feed::log("acme_hosted", EventType::Message)
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
        let arrives = |event: &'static str| SourceEvent::new(event, hour).arrives_at;
        assert_eq!(arrives(r#"{"ts":"2026-11-19T23:10:00.5-0700"}"#), at("06:10:00.5"));
        assert_eq!(arrives(r#"{"ts":"2026-11-19T06:10:00Z"}"#), at("06:00:00"));
        assert_eq!(Hour::containing(arrives(r#"{"ts":"2026-11-20T07:10:00Z"}"#)), hour);
        for event in ["{oops", "{}", "[]", r#"{"ts":7}"#, r#"{"ts":"yesterday"}"#] {
            assert_eq!(arrives(event), at("06:59:59"), "{event}");
        }
    }

    #[test]
    fn the_archive_has_what_has_arrived_in_order_of_addition() {
        let (source, hour) = (InMemoryEvents::default(), at("06:00:00"));
        let hour = Hour::containing(hour);
        let event = |event, arrives| SourceEvent {
            arrives_at: at(arrives),
            ..SourceEvent::new(event, hour)
        };
        source.add(&feed(), [event("late", "09:10:00"), event("timely", "06:10:00")]);
        source.add(&feed(), [SourceEvent { archived: false, ..event("never", "06:20:00") }]);
        let archived = |by| source.archived(&feed(), hour, at(by)).collect::<Vec<_>>();
        assert_eq!(archived("09:09:59"), ["timely"]);
        assert_eq!(archived("09:10:00"), ["late", "timely"]);
        assert_eq!(source.events(&feed(), hour.plus(1)).count(), 0);
    }

    #[test]
    fn live_events_come_in_order_of_arrival() {
        let (source, hour) = (InMemoryEvents::default(), "2026-11-20T06".parse().unwrap());
        let event = |event, arrives| SourceEvent {
            arrives_at: at(arrives),
            ..SourceEvent::new(event, hour)
        };
        let mut arrivals = source.arrivals(&feed(), Position::start_of(at("06:05:00")));
        assert!(arrived(&mut *arrivals, "09:00:00").is_empty());
        source.add(&feed(), [event("c", "06:30:00"), event("a", "06:05:00")]);
        source.add(&feed(), [event("a", "06:05:00"), event("before", "06:04:59")]);
        source.add(&feed(), [SourceEvent { live: false, ..event("archive", "06:10:00") }]);
        assert_eq!(arrived(&mut *arrivals, "06:29:59"), ["a", "a"]);
        source.add(&feed(), [event("behind", "06:04:00"), event("b", "06:20:00")]);
        assert_eq!(arrived(&mut *arrivals, "06:30:00"), ["b", "c"]);
    }
}
