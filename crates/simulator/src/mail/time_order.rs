//! Events in the order of their times.

use std::cmp::Reverse;
use std::collections::BinaryHeap;

use jiff::Timestamp;

use super::event::LoggedEvent;

/// Sorts events by time that come message by message. It holds back only events that a later one
/// may precede.
pub struct TimeOrdered<I> {
    events: I,
    held: BinaryHeap<Reverse<LoggedEvent>>,
    /// No event still to come is older than this.
    floor: Timestamp,
}

impl<I: Iterator<Item = LoggedEvent>> TimeOrdered<I> {
    /// Sorts `events`.
    pub fn new(events: I) -> TimeOrdered<I> {
        TimeOrdered { events, held: BinaryHeap::new(), floor: Timestamp::MIN }
    }
}

impl<I: Iterator<Item = LoggedEvent>> Iterator for TimeOrdered<I> {
    type Item = LoggedEvent;

    fn next(&mut self) -> Option<LoggedEvent> {
        while self.held.peek().is_none_or(|Reverse(first)| first.at > self.floor) {
            let Some(event) = self.events.next() else { break };
            self.floor = event.floor;
            self.held.push(Reverse(event));
        }
        self.held.pop().map(|Reverse(event)| event)
    }
}
