//! Where events come from: what lies in the archive, and what arrives.

use bytes::Bytes;
use jiff::Timestamp;
use proofpoint_sentinel_core::feed::Feed;
use proofpoint_sentinel_core::hour::Hour;

/// Knows the events of every feed: by their hour for the archive, by their arrival for live
/// sessions.
pub trait EventSource: Send + Sync {
    /// The events of `feed` in `hour` that had arrived by `by`, in the order in which the archive
    /// sends them.
    fn archived(&self, feed: &Feed, hour: Hour, by: Timestamp) -> Events;

    /// What arrives for `feed` from `start` on.
    fn arrivals(&self, feed: &Feed, start: Position) -> Box<dyn Arrivals>;

    /// All events that the archive will ever have of `hour`.
    fn events(&self, feed: &Feed, hour: Hour) -> Events {
        self.archived(feed, hour, Timestamp::MAX)
    }
}

/// Events, drawn while they are sent.
pub type Events = Box<dyn Iterator<Item = Bytes> + Send>;

/// Events in the order in which they arrive.
pub trait Arrivals: Send {
    /// The next event that has arrived by `now`; `None` until there is one.
    fn next(&mut self, now: Timestamp) -> Option<Arrival>;
}

/// An event that has arrived.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Arrival {
    /// The place after it, where a later session goes on.
    pub then: Position,
    /// The event.
    pub event: Bytes,
}

/// A place in the order of arrival.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Position {
    /// When the event at this place arrives.
    pub at: Timestamp,
    /// Orders those that arrive at the same time.
    pub number: u64,
}

impl Position {
    /// Before everything that arrives at `at` or later.
    pub fn start_of(at: Timestamp) -> Position {
        Position { at, number: 0 }
    }

    /// The place after this one.
    pub fn next(self) -> Position {
        Position { number: self.number + 1, ..self }
    }
}
