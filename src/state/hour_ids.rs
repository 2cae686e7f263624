//! The ids of the events of an hour, in memory.

use super::event_id::EventId;

/// A set of [`EventId`]s that also says which of them a reading has met.
///
/// It consists of [`SHARDS`] open tables of 16 bytes a slot, which are between two thirds and 85 %
/// full: 19 to 24 bytes an id. A table that grows is there twice for a moment, which is why there are
/// many. The last bit of a slot is the mark of a reading, so ids are told apart by 127 bits.
#[derive(Clone, Default, Debug)]
pub struct HourIds {
    /// Empty as long as the set is.
    shards: Vec<Shard>,
    len: usize,
    met: usize,
    /// How many of those that the reading has met were there before it.
    repeated: usize,
}

/// How many tables share the ids, by their first bits.
const SHARDS: usize = 64;

/// One of the tables.
#[derive(Clone, Default, Debug)]
struct Shard {
    /// An id with its mark, or 0 if the slot is free.
    slots: Vec<u128>,
    len: usize,
}

/// The bit of a slot that says that the reading has met its id.
const MET: u128 = 1;

impl HourIds {
    /// Adds an id, as one that the reading has met; false if it was there already.
    pub fn insert(&mut self, id: EventId) -> bool {
        let slot = self.shard(id).slot_for(id);
        let (is_new, was_met) = (*slot == 0, *slot & MET != 0);
        *slot = stored(id) | MET;
        self.met += usize::from(!was_met);
        self.repeated += usize::from(!was_met && !is_new);
        self.count(id, is_new);
        is_new
    }

    /// Whether the id is there.
    pub fn contains(&self, id: EventId) -> bool {
        let shard = self.shards.get(shard_of(id));
        shard.is_some_and(|shard| shard.len > 0 && shard.slots[shard.position(id)] != 0)
    }

    /// How many ids there are.
    pub fn len(&self) -> usize {
        self.len
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// How many ids the reading has not met yet.
    pub fn missing(&self) -> usize {
        self.len - self.met
    }

    /// How many ids were there before the reading, and were met in it.
    pub fn repeated(&self) -> usize {
        self.repeated
    }

    /// How many bytes of memory the ids take.
    pub fn bytes(&self) -> usize {
        self.shards.iter().map(|shard| shard.slots.len() * size_of::<u128>()).sum()
    }

    /// Begins another reading, which has met no id.
    pub fn begin_reading(&mut self) {
        let slots = self.shards.iter_mut().flat_map(|shard| &mut shard.slots);
        slots.for_each(|slot| *slot &= !MET);
        (self.met, self.repeated) = (0, 0);
    }

    fn shard(&mut self, id: EventId) -> &mut Shard {
        if self.shards.is_empty() {
            self.shards.resize_with(SHARDS, Shard::default);
        }
        &mut self.shards[shard_of(id)]
    }

    fn count(&mut self, id: EventId, is_new: bool) {
        self.len += usize::from(is_new);
        self.shards[shard_of(id)].len += usize::from(is_new);
    }
}

impl Shard {
    /// The slot that has the id, or else a free one for it.
    fn slot_for(&mut self, id: EventId) -> &mut u128 {
        self.make_room_for(1);
        let position = self.position(id);
        &mut self.slots[position]
    }

    /// The position of the slot that has the id, or in which it would be. There must be a free one.
    fn position(&self, id: EventId) -> usize {
        let (wanted, count) = (stored(id), self.slots.len());
        // The first bits are the same for all ids of a table.
        let spread = (wanted << SHARDS.ilog2()) >> 64;
        let mut position = ((spread * count as u128) >> 64) as usize;
        while self.slots[position] != 0 && self.slots[position] & !MET != wanted {
            position = if position + 1 == count { 0 } else { position + 1 };
        }
        position
    }

    /// Grows the table if with so many more ids it would be over 85 % full.
    fn make_room_for(&mut self, more: usize) {
        let needed = (self.len + more) * 20 / 17 + 1;
        if needed <= self.slots.len() {
            return;
        }
        let count = needed.max(self.slots.len() / 4 * 5).max(4);
        let old = std::mem::replace(&mut self.slots, vec![0; count]);
        for id in old.into_iter().filter(|slot| *slot != 0) {
            let position = self.position(EventId(id));
            self.slots[position] = id;
        }
    }
}

/// The id without its last bit, which is never 0.
fn stored(id: EventId) -> u128 {
    (id.0 & !MET).max(2)
}

/// Which table has the id.
fn shard_of(id: EventId) -> usize {
    (stored(id) >> (u128::BITS - SHARDS.ilog2())) as usize
}

impl Extend<EventId> for HourIds {
    /// Adds ids that no reading has met.
    fn extend<I: IntoIterator<Item = EventId>>(&mut self, ids: I) {
        let ids = ids.into_iter();
        if let more @ 1.. = ids.size_hint().0 / SHARDS {
            self.shards.resize_with(SHARDS, Shard::default);
            // As if all of them were new, which they are but for a few: so a table grows once.
            self.shards.iter_mut().for_each(|shard| shard.make_room_for(more));
        }
        for id in ids {
            let slot = self.shard(id).slot_for(id);
            let is_new = *slot == 0;
            if is_new {
                *slot = stored(id);
            }
            self.count(id, is_new);
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn is_a_set_that_knows_what_a_reading_has_met(
            steps in proptest::collection::vec((0..6u8, 0..40u8), 0..300),
        ) {
            let mut ids = HourIds::default();
            let mut model = std::collections::BTreeMap::new();
            let mut repeated = 0;
            for (kind, number) in steps {
                let id = EventId::of(number.to_string());
                prop_assert_eq!(ids.contains(id), model.contains_key(&number));
                match kind {
                    0 => {
                        ids.begin_reading();
                        model.values_mut().for_each(|met| *met = false);
                        repeated = 0;
                    }
                    1 => {
                        ids.extend([id]);
                        model.entry(number).or_insert(false);
                    }
                    _ => {
                        repeated += usize::from(model.get(&number) == Some(&false));
                        prop_assert_eq!(ids.insert(id), model.insert(number, true).is_none());
                    }
                }
                prop_assert_eq!(ids.repeated(), repeated);
                let missing = model.values().filter(|met| !**met).count();
                prop_assert_eq!((ids.len(), ids.missing()), (model.len(), missing));
            }
        }
    }

    #[test]
    fn an_id_takes_at_most_24_bytes() {
        let mut ids = HourIds::default();
        for number in 1..=200_000u64 {
            assert!(ids.insert(EventId::of(number.to_le_bytes())));
            if number > 10_000 {
                assert!(ids.bytes() <= ids.len() * 24, "{number}: {}", ids.bytes());
            }
        }
        let mut loaded = HourIds::default();
        loaded.extend((1..=200_000u64).map(|number| EventId::of(number.to_le_bytes())));
        assert_eq!((loaded.len(), loaded.missing()), (200_000, 200_000));
        assert!(loaded.bytes() <= loaded.len() * 22, "{}", loaded.bytes());
    }

    #[test]
    fn ids_that_look_like_a_free_slot_are_kept() {
        let mut ids = HourIds::default();
        assert!(ids.insert(EventId(0)) && ids.contains(EventId(0)));
        assert_eq!(ids.len(), 1);
    }
}
