//! What a session has to send: the events of a window, or events as they arrive.

use bytes::Bytes;

use crate::clock::Clock;

use super::source::{Arrivals, Events, Position};

/// Where the events of one session come from.
pub(super) enum Supply {
    Archive(Events),
    Live(Box<dyn Arrivals>, Clock),
}

/// What comes next.
pub(super) enum Next {
    Event(Taken),
    /// Everything that has arrived is taken; more will arrive.
    Later,
    End,
}

/// An event to be sent.
pub(super) struct Taken {
    pub event: Bytes,
    /// Where a live feed is once it is sent.
    pub then: Option<Position>,
}

impl Supply {
    pub(super) fn is_live(&self) -> bool {
        matches!(self, Supply::Live(..))
    }

    pub(super) fn next(&mut self) -> Next {
        match self {
            Supply::Archive(events) => match events.next() {
                Some(event) => Next::Event(Taken { event, then: None }),
                None => Next::End,
            },
            Supply::Live(arrivals, clock) => match arrivals.next(clock.now()) {
                Some(arrival) => {
                    Next::Event(Taken { event: arrival.event, then: Some(arrival.then) })
                }
                None => Next::Later,
            },
        }
    }
}
