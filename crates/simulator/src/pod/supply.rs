//! What a session has to send: the events of a window, or events as they arrive.

use bytes::Bytes;
use proofpoint_sentinel_core::clock::Clock;

use super::SessionFault;
use super::source::{Arrivals, Events, Position};

/// The events of one session.
pub(super) struct Supply {
    origin: Origin,
    /// How many events are turned round at once; one stays where it is.
    reverse: usize,
    /// Those of them that are not sent, the next one last.
    turned: Vec<Taken>,
}

/// Where they come from.
pub(super) enum Origin {
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
    pub(super) fn new(origin: Origin, fault: Option<&SessionFault>) -> Supply {
        let reverse = match fault {
            Some(SessionFault::ReverseEvery(count)) => (*count).max(1),
            _ => 1,
        };
        Supply { origin, reverse, turned: Vec::new() }
    }

    pub(super) fn is_live(&self) -> bool {
        matches!(self.origin, Origin::Live(..))
    }

    pub(super) fn next(&mut self) -> Next {
        if let Some(taken) = self.turned.pop() {
            return Next::Event(taken);
        }
        while self.turned.len() < self.reverse {
            match self.origin.next() {
                Next::Event(taken) => self.turned.push(taken),
                end if self.turned.is_empty() => return end,
                _ => break,
            }
        }
        // The feed is past all of them only when the one that came first is sent last.
        let then = self.turned.last().and_then(|taken| taken.then);
        for taken in &mut self.turned {
            taken.then = None;
        }
        self.turned[0].then = then;
        self.next()
    }
}

impl Origin {
    fn next(&mut self) -> Next {
        let taken = match self {
            Origin::Archive(events) => events.next().map(|event| Taken { event, then: None }),
            Origin::Live(arrivals, clock) => arrivals
                .next(clock.now())
                .map(|arrival| Taken { event: arrival.event, then: Some(arrival.then) }),
        };
        match (taken, self) {
            (Some(taken), _) => Next::Event(taken),
            (None, Origin::Live(..)) => Next::Later,
            (None, Origin::Archive(_)) => Next::End,
        }
    }
}
