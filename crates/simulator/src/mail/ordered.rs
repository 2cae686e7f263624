//! Events in the order in which they happened.

use std::cmp::Reverse;
use std::collections::BinaryHeap;

use jiff::Timestamp;

use super::Logged;

/// Puts events that are logged by message into the order of their times. Holds back only what an
/// event still to come may precede.
pub struct Ordered<I> {
    logged: I,
    held: BinaryHeap<Reverse<Logged>>,
    floor: Timestamp,
}

impl<I: Iterator<Item = Logged>> Ordered<I> {
    /// Puts `logged` in order.
    pub fn new(logged: I) -> Ordered<I> {
        Ordered { logged, held: BinaryHeap::new(), floor: Timestamp::MIN }
    }
}

impl<I: Iterator<Item = Logged>> Iterator for Ordered<I> {
    type Item = Logged;

    fn next(&mut self) -> Option<Logged> {
        while self.held.peek().is_none_or(|Reverse(first)| first.at > self.floor) {
            let Some(logged) = self.logged.next() else { break };
            self.floor = logged.floor;
            self.held.push(Reverse(logged));
        }
        self.held.pop().map(|Reverse(logged)| logged)
    }
}
