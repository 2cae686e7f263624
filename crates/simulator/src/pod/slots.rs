//! One session for each token and event type.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

use proofpoint_sentinel_core::feed::EventType;
use proofpoint_sentinel_core::secret::Secret;
use tokio::time::Instant;

/// A token and an event type.
pub(super) type Key = (String, EventType);

/// Who holds which slot.
#[derive(Clone, Debug, Default)]
pub(super) struct Slots(Arc<Mutex<HashMap<Key, Holder>>>);

#[derive(Debug)]
enum Holder {
    Session,
    /// A session that ended without a close frame, and until when the server takes it for alive.
    Ghost(Instant),
}

impl Slots {
    /// Takes the slot, or `None` where a session or its ghost holds it.
    pub(super) fn take(&self, token: &Secret, event_type: EventType) -> Option<Slot> {
        let key = (token.reveal().to_owned(), event_type);
        let mut held = self.lock();
        match held.get(&key) {
            Some(Holder::Session) => return None,
            Some(Holder::Ghost(until)) if Instant::now() < *until => return None,
            _ => held.insert(key.clone(), Holder::Session),
        };
        drop(held);
        Some(Slot { slots: self.clone(), key, haunts: Duration::ZERO })
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<Key, Holder>> {
        self.0.lock().expect("no holder of the slots panics")
    }
}

/// A slot taken. Dropping it gives it back, at once or after its ghost is gone.
#[derive(Debug)]
pub(super) struct Slot {
    slots: Slots,
    key: Key,
    haunts: Duration,
}

impl Slot {
    /// Whose slot it is.
    pub(super) fn key(&self) -> &Key {
        &self.key
    }

    /// The session ended uncleanly: the slot stays taken for `haunts` after it is dropped.
    pub(super) fn leave_ghost(&mut self, haunts: Duration) {
        self.haunts = haunts;
    }
}

impl Drop for Slot {
    fn drop(&mut self) {
        let key = self.key.clone();
        let mut held = self.slots.lock();
        if self.haunts.is_zero() {
            held.remove(&key);
        } else {
            held.insert(key, Holder::Ghost(Instant::now() + self.haunts));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn a_ghost_keeps_the_slot_for_its_time() {
        let (slots, token) = (Slots::default(), Secret::new("t"));
        let mut slot = slots.take(&token, EventType::Audit).unwrap();
        assert!(slots.take(&token, EventType::Audit).is_none(), "taken");
        assert!(slots.take(&token, EventType::Message).is_some(), "another type");
        slot.leave_ghost(Duration::from_secs(30));
        drop(slot);
        tokio::time::advance(Duration::from_secs(29)).await;
        assert!(slots.take(&token, EventType::Audit).is_none(), "haunted");
        tokio::time::advance(Duration::from_secs(1)).await;
        assert!(slots.take(&token, EventType::Audit).is_some(), "free");
    }
}
