//! How far live sessions have come.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard};

use jiff::{SignedDuration, Timestamp};

use super::slots::Key;
use super::source::Position;

/// How long a position is kept after its session, and how far back a session without one begins.
const KEPT: SignedDuration = SignedDuration::from_hours(1);

/// Where the last live session of each slot ended.
#[derive(Debug, Default)]
pub(super) struct Positions(Mutex<HashMap<Key, Left>>);

#[derive(Debug)]
struct Left {
    position: Position,
    at: Timestamp,
}

impl Positions {
    /// Where a session that begins at `now` begins.
    pub(super) fn resume(&self, key: &Key, now: Timestamp) -> Position {
        match self.lock().get(key) {
            Some(left) if now.duration_since(left.at) <= KEPT => left.position,
            _ => Position::start_of(now - KEPT),
        }
    }

    /// A session ended at `now` and had sent everything before `position`.
    pub(super) fn leave(&self, key: &Key, position: Position, now: Timestamp) {
        self.lock().insert(key.clone(), Left { position, at: now });
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<Key, Left>> {
        self.0.lock().expect("no holder of the positions panics")
    }
}

#[cfg(test)]
mod tests {
    use proofpoint_sentinel_core::feed::EventType;

    use super::*;

    #[test]
    fn a_position_is_kept_for_an_hour_after_its_session() {
        let (positions, key) = (Positions::default(), ("t".to_owned(), EventType::Audit));
        let noon: Timestamp = "2026-11-20T12:00:00Z".parse().unwrap();
        let hour = SignedDuration::from_hours(1);
        assert_eq!(positions.resume(&key, noon), Position::start_of(noon - hour));
        let long_ago = Position { at: noon - hour * 5, number: 7 };
        positions.leave(&key, long_ago, noon);
        assert_eq!(positions.resume(&key, noon + hour), long_ago);
        let later = noon + hour + SignedDuration::from_nanos(1);
        assert_eq!(positions.resume(&key, later), Position::start_of(later - hour));
        let other = ("t".to_owned(), EventType::Message);
        assert_eq!(positions.resume(&other, noon), Position::start_of(noon - hour));
    }
}
