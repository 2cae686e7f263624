//! An archive some of whose readings are falsely empty, hour by hour.

use std::collections::BTreeMap;
use std::sync::Mutex;

use jiff::Timestamp;
use proofpoint_sentinel_core::feed::Feed;
use proofpoint_sentinel_core::hour::Hour;
use proofpoint_sentinel_simulator::pod::{Arrivals, EventSource, Events, InMemoryEvents, Position};

/// Given events, and which of the next readings of an hour give none of them.
pub(super) struct EmptyReads {
    given: InMemoryEvents,
    readings: Mutex<BTreeMap<Hour, Vec<bool>>>,
}

impl EmptyReads {
    pub(super) fn new(given: InMemoryEvents, readings: BTreeMap<Hour, Vec<bool>>) -> EmptyReads {
        EmptyReads { given, readings: Mutex::new(readings) }
    }

    fn is_empty_this_time(&self, hour: Hour) -> bool {
        let mut readings = self.readings.lock().expect("no holder panics");
        match readings.get_mut(&hour) {
            Some(next) if !next.is_empty() => next.remove(0),
            _ => false,
        }
    }
}

impl EventSource for EmptyReads {
    fn archived(&self, feed: &Feed, hour: Hour, by: Timestamp) -> Events {
        if self.is_empty_this_time(hour) {
            return Box::new(std::iter::empty());
        }
        self.given.archived(feed, hour, by)
    }

    fn arrivals(&self, feed: &Feed, start: Position) -> Box<dyn Arrivals> {
        self.given.arrivals(feed, start)
    }
}
