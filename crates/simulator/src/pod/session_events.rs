//! The events of a session: those of an archive window, or those that arrive.

use bytes::Bytes;
use proofpoint_sentinel_core::clock::Clock;

use super::event_source::{Arrivals, Events, Position};
use super::session_fault::SessionFault;

/// The events of one session.
pub(super) struct SessionEvents {
    origin: EventOrigin,
    /// How many events are reversed at a time. With one, the order stays.
    reverse: usize,
    /// Reversed events that are still to be sent, the next one last.
    reversed: Vec<OutgoingEvent>,
}

/// The origin of the events of a session.
pub(super) enum EventOrigin {
    Archive(Events),
    Live(Box<dyn Arrivals>, Clock),
}

/// What comes next.
pub(super) enum NextEvent {
    Event(OutgoingEvent),
    /// All events that have arrived are event. More will arrive.
    NotYet,
    End,
}

/// An event to send.
pub(super) struct OutgoingEvent {
    pub event: Bytes,
    /// The position of a live session after it is sent.
    pub next_position: Option<Position>,
}

impl SessionEvents {
    pub(super) fn new(origin: EventOrigin, fault: Option<&SessionFault>) -> SessionEvents {
        let reverse = match fault {
            Some(SessionFault::ReverseEvery(count)) => (*count).max(1),
            _ => 1,
        };
        SessionEvents { origin, reverse, reversed: Vec::new() }
    }

    pub(super) fn is_live(&self) -> bool {
        matches!(self.origin, EventOrigin::Live(..))
    }

    pub(super) fn next(&mut self) -> NextEvent {
        if let Some(event) = self.reversed.pop() {
            return NextEvent::Event(event);
        }
        while self.reversed.len() < self.reverse {
            match self.origin.next() {
                NextEvent::Event(event) => self.reversed.push(event),
                end if self.reversed.is_empty() => return end,
                _ => break,
            }
        }
        // The first one is sent last, and only then the session is past all of them.
        let next_position = self.reversed.last().and_then(|event| event.next_position);
        for event in &mut self.reversed {
            event.next_position = None;
        }
        self.reversed[0].next_position = next_position;
        self.next()
    }
}

impl EventOrigin {
    fn next(&mut self) -> NextEvent {
        let event = match self {
            EventOrigin::Archive(events) => {
                events.next().map(|event| OutgoingEvent { event, next_position: None })
            }
            EventOrigin::Live(arrivals, clock) => arrivals.next(clock.now()).map(|arrival| {
                OutgoingEvent { event: arrival.event, next_position: Some(arrival.next_position) }
            }),
        };
        match (event, self) {
            (Some(event), _) => NextEvent::Event(event),
            (None, EventOrigin::Live(..)) => NextEvent::NotYet,
            (None, EventOrigin::Archive(_)) => NextEvent::End,
        }
    }
}
