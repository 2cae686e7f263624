//! The positions of live sessions.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard};

use jiff::{SignedDuration, Timestamp};

use super::event_source::Position;
use super::session_slots::SlotKey;

/// How long a position is kept after its session, and how far back a session without one begins.
const RETENTION: SignedDuration = SignedDuration::from_hours(1);

/// The position of the last live session of each slot.
#[derive(Debug, Default)]
pub(super) struct LivePositions(Mutex<HashMap<SlotKey, SavedPosition>>);

#[derive(Debug)]
struct SavedPosition {
    position: Position,
    at: Timestamp,
}

impl LivePositions {
    /// The start position of a session that begins at `now`.
    pub(super) fn resume(&self, key: &SlotKey, now: Timestamp) -> Position {
        match self.lock().get(key) {
            Some(saved) if now.duration_since(saved.at) <= RETENTION => saved.position,
            _ => Position::start_of(now - RETENTION),
        }
    }

    /// Saves the position of a session that ended at `now`. It had sent all events before `position`.
    pub(super) fn save(&self, key: &SlotKey, position: Position, now: Timestamp) {
        self.lock().insert(key.clone(), SavedPosition { position, at: now });
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<SlotKey, SavedPosition>> {
        self.0.lock().expect("no holder of the positions panics")
    }
}

#[cfg(test)]
mod tests {
    use proofpoint_sentinel_core::feed::EventType;

    use super::*;

    #[test]
    fn a_position_is_kept_for_an_hour_after_its_session() {
        let (live_positions, key) = (LivePositions::default(), ("t".to_owned(), EventType::Audit));
        let noon: Timestamp = "2026-11-20T12:00:00Z".parse().unwrap();
        let hour = SignedDuration::from_hours(1);
        assert_eq!(live_positions.resume(&key, noon), Position::start_of(noon - hour));
        let long_ago = Position { at: noon - hour * 5, number: 7 };
        live_positions.save(&key, long_ago, noon);
        assert_eq!(live_positions.resume(&key, noon + hour), long_ago);
        let later = noon + hour + SignedDuration::from_nanos(1);
        assert_eq!(live_positions.resume(&key, later), Position::start_of(later - hour));
        let other = ("t".to_owned(), EventType::Message);
        assert_eq!(live_positions.resume(&other, noon), Position::start_of(noon - hour));
    }
}
