//! The ids of the events of an hour, as hashes, in memory.

use std::collections::HashSet;
use std::hash::{BuildHasherDefault, Hasher};

use sha2::{Digest as _, Sha256};

/// 128-bit hash of an event's id: the first 16 bytes of the SHA-256 of its text.
///
/// Among a billion ids, the chance that any two share a hash is one in 10²¹.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct EventId(u128);

impl EventId {
    /// How many bytes [`to_bytes`](EventId::to_bytes) gives.
    pub(super) const BYTES: usize = 16;

    /// The hash of an event's id.
    pub fn of(id: impl AsRef<[u8]>) -> EventId {
        let hash: [u8; 32] = Sha256::digest(id).into();
        let (first, _) = hash.split_first_chunk().expect("32 bytes have a first 16");
        EventId::from_bytes(*first)
    }

    pub(super) fn from_bytes(bytes: [u8; EventId::BYTES]) -> EventId {
        EventId(u128::from_le_bytes(bytes))
    }

    pub(super) fn to_bytes(self) -> [u8; EventId::BYTES] {
        self.0.to_le_bytes()
    }
}

/// A set of [`EventId`]s.
///
/// It takes 17 bytes per slot of a table that is between 44 % and 88 % full: 19 to 39 bytes per
/// id, and half as much again for the moment in which the table is moved to one of twice its size.
#[derive(Clone, Default, Debug)]
pub struct HourIds(HashSet<EventId, BuildHasherDefault<PassThrough>>);

impl HourIds {
    /// Adds an id; false where it was there already.
    pub fn insert(&mut self, id: EventId) -> bool {
        self.0.insert(id)
    }

    /// Whether the id is there.
    pub fn contains(&self, id: EventId) -> bool {
        self.0.contains(&id)
    }

    /// How many ids there are.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl Extend<EventId> for HourIds {
    fn extend<I: IntoIterator<Item = EventId>>(&mut self, ids: I) {
        let ids = ids.into_iter();
        // As if all of them were new, which they are but for a few: so the table grows once.
        self.0.reserve(ids.size_hint().0);
        self.0.extend(ids);
    }
}

/// The hash of what is a hash already: a part of it.
#[derive(Default)]
struct PassThrough(u64);

impl Hasher for PassThrough {
    fn write(&mut self, bytes: &[u8]) {
        self.0 = bytes.first_chunk().map_or(0, |first| u64::from_ne_bytes(*first));
    }

    fn finish(&self) -> u64 {
        self.0
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// The hash was made with `sha256sum`.
    #[test]
    fn an_id_is_the_start_of_its_sha256() {
        let expected = *b"\xba\x78\x16\xbf\x8f\x01\xcf\xea\x41\x41\x40\xde\x5d\xae\x22\x23";
        assert_eq!(EventId::of("abc").to_bytes(), expected);
        assert_eq!(EventId::from_bytes(expected), EventId::of("abc"));
    }

    proptest! {
        #[test]
        fn is_a_set(steps in proptest::collection::vec(0..40u8, 0..60)) {
            let mut ids = HourIds::default();
            let mut model = std::collections::BTreeSet::new();
            for number in steps {
                let id = EventId::of(number.to_string());
                prop_assert_eq!(ids.contains(id), model.contains(&number));
                prop_assert_eq!(ids.insert(id), model.insert(number));
                prop_assert_eq!((ids.len(), ids.is_empty()), (model.len(), model.is_empty()));
            }
        }
    }
}
