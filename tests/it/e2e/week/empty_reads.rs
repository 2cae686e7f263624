//! An event source whose archive is sometimes falsely empty.

use std::collections::BTreeMap;
use std::sync::Mutex;

use jiff::Timestamp;
use proofpoint_sentinel_core::feed::Feed;
use proofpoint_sentinel_core::hour::Hour;
use proofpoint_sentinel_simulator::pod::{Arrivals, EventSource, Events, InMemoryEvents, Position};

/// Events, and which of the next reads of each hour return none of them.
pub(super) struct EmptyReads {
    events: InMemoryEvents,
    empty: Mutex<BTreeMap<Hour, Vec<bool>>>,
}

impl EmptyReads {
    pub(super) fn new(events: InMemoryEvents, empty: BTreeMap<Hour, Vec<bool>>) -> EmptyReads {
        EmptyReads { events, empty: Mutex::new(empty) }
    }

    fn next_read_is_empty(&self, hour: Hour) -> bool {
        let mut empty = self.empty.lock().expect("no holder panics");
        match empty.get_mut(&hour) {
            Some(next) if !next.is_empty() => next.remove(0),
            _ => false,
        }
    }
}

impl EventSource for EmptyReads {
    fn archived(&self, feed: &Feed, hour: Hour, by: Timestamp) -> Events {
        if self.next_read_is_empty(hour) {
            return Box::new(std::iter::empty());
        }
        self.events.archived(feed, hour, by)
    }

    fn arrivals(&self, feed: &Feed, start: Position) -> Box<dyn Arrivals> {
        self.events.arrivals(feed, start)
    }
}
