//! Sources of events, for the archive and for live sessions.

use bytes::Bytes;
use jiff::Timestamp;
use proofpoint_sentinel_core::feed::Feed;
use proofpoint_sentinel_core::hour::Hour;

/// The events of all feeds: by hour for the archive, by arrival for live sessions.
pub trait EventSource: Send + Sync {
    /// The events of `feed` in `hour` that had arrived by `by`, in the order of the archive.
    fn archived(&self, feed: &Feed, hour: Hour, by: Timestamp) -> Events;

    /// The events of `feed` that arrive from `start` on.
    fn arrivals(&self, feed: &Feed, start: Position) -> Box<dyn Arrivals>;

    /// All events of `hour` that the archive will ever have.
    fn events(&self, feed: &Feed, hour: Hour) -> Events {
        self.archived(feed, hour, Timestamp::MAX)
    }
}

/// Events, generated while they are sent.
pub type Events = Box<dyn Iterator<Item = Bytes> + Send>;

/// Events in the order of their arrival.
pub trait Arrivals: Send {
    /// The next event, if it has arrived by `now`.
    fn next(&mut self, now: Timestamp) -> Option<Arrival>;
}

/// An event that has arrived.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Arrival {
    /// The position after it, where a later session continues.
    pub next_position: Position,
    /// The event.
    pub event: Bytes,
}

/// A position in the order of arrival.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Position {
    /// When the event at this position arrives.
    pub at: Timestamp,
    /// Orders events that arrive at the same time.
    pub number: u64,
}

impl Position {
    /// The position before all events that arrive at `at` or later.
    pub fn start_of(at: Timestamp) -> Position {
        Position { at, number: 0 }
    }

    /// The position after this one.
    pub fn next(self) -> Position {
        Position { number: self.number + 1, ..self }
    }
}
