//! Slots: one session for each token and event type.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

use proofpoint_sentinel_core::feed::EventType;
use proofpoint_sentinel_core::secret::Secret;
use tokio::time::Instant;

/// A token and an event type.
pub(super) type SlotKey = (String, EventType);

/// The taken slots.
#[derive(Clone, Debug, Default)]
pub(super) struct SessionSlots(Arc<Mutex<HashMap<SlotKey, Holder>>>);

#[derive(Debug)]
enum Holder {
    Session,
    /// A session that ended without a close frame. The slot stays taken until this time.
    EndedSession(Instant),
}

impl Holder {
    fn is_there(&self) -> bool {
        match self {
            Holder::Session => true,
            Holder::EndedSession(until) => Instant::now() < *until,
        }
    }
}

impl SessionSlots {
    /// Takes the slot, or returns `None` if it is taken, or, if a token has one session in all, if
    /// another one of the token is.
    pub(super) fn take(
        &self,
        token: &Secret,
        event_type: EventType,
        one_in_all: bool,
    ) -> Option<SessionSlot> {
        let key = (token.reveal().to_owned(), event_type);
        let mut held = self.lock();
        let is_taken = held.iter().any(|(other, holder)| {
            (*other == key || (one_in_all && other.0 == key.0)) && holder.is_there()
        });
        if is_taken {
            return None;
        }
        held.insert(key.clone(), Holder::Session);
        drop(held);
        Some(SessionSlot { slots: self.clone(), key, release_delay: Duration::ZERO })
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<SlotKey, Holder>> {
        self.0.lock().expect("no holder of the slots panics")
    }
}

/// A taken slot. Dropping it releases it, at once or after a delay.
#[derive(Debug)]
pub(super) struct SessionSlot {
    slots: SessionSlots,
    key: SlotKey,
    release_delay: Duration,
}

impl SessionSlot {
    /// The token and event type of the slot.
    pub(super) fn key(&self) -> &SlotKey {
        &self.key
    }

    /// Keeps the slot taken for `release_delay` after it is dropped.
    pub(super) fn release_after(&mut self, release_delay: Duration) {
        self.release_delay = release_delay;
    }
}

impl Drop for SessionSlot {
    fn drop(&mut self) {
        let key = self.key.clone();
        let mut held = self.slots.lock();
        if self.release_delay.is_zero() {
            held.remove(&key);
        } else {
            held.insert(key, Holder::EndedSession(Instant::now() + self.release_delay));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn a_slot_can_stay_taken_after_its_session() {
        let (slots, token) = (SessionSlots::default(), Secret::new("t"));
        let mut slot = slots.take(&token, EventType::Audit, false).unwrap();
        assert!(slots.take(&token, EventType::Audit, false).is_none(), "taken");
        assert!(slots.take(&token, EventType::Message, false).is_some(), "another type");
        slot.release_after(Duration::from_secs(30));
        drop(slot);
        tokio::time::advance(Duration::from_secs(29)).await;
        assert!(slots.take(&token, EventType::Audit, false).is_none(), "not released yet");
        tokio::time::advance(Duration::from_secs(1)).await;
        assert!(slots.take(&token, EventType::Audit, false).is_some(), "free");
    }
}
