//! What of a feed has been delivered already, in memory for the hours at hand.

use jiff::Timestamp;
use proofpoint_sentinel_core::feed::Feed;
use proofpoint_sentinel_core::hour::Hour;

use crate::state::{EventId, HourIds, State, StateError};

/// The ids of so many hours stay in memory, or of fewer where they are many.
const MOST_HOURS: usize = 24;

/// So many ids stay in memory: those of two hours of two million events each, with room for more.
/// In a [`HourIds`] they take up to 160 MB.
const MOST_IDS: usize = 4_200_000;

/// So many hours the ids of events are kept after they were written.
pub(super) const KEPT: i64 = 72;

/// The ledger of a feed.
pub struct Ledger {
    state: State,
    feed: Feed,
    /// The hour that was used last comes last.
    hours: Vec<Loaded>,
}

/// The ids of an hour, those of events under way included.
struct Loaded {
    hour: Hour,
    ids: HourIds,
    /// How many of the ids are not in the state yet. While there are any, memory alone knows them.
    under_way: usize,
}

impl Ledger {
    /// Nothing is read yet.
    pub fn new(state: State, feed: Feed) -> Ledger {
        Ledger { state, feed, hours: Vec::new() }
    }

    /// Says whether the event is new, and takes it for known from now on. Whoever claims it records
    /// it in the state once it is delivered, and then [settles](Self::settle) it.
    ///
    /// `hour` is that of the event's own time.
    pub async fn claim(&mut self, hour: Hour, id: EventId) -> Result<bool, StateError> {
        let loaded = match self.hours.last_mut() {
            Some(last) if last.hour == hour => last,
            _ => self.load(hour).await?,
        };
        let is_new = loaded.ids.insert(id);
        loaded.under_way += usize::from(is_new);
        Ok(is_new)
    }

    /// As [`claim`](Self::claim), for an event whose own time can't be read. `hour` is that of its
    /// reading: the archive's hour for the one mode, the time of day for the other. They are the
    /// same or neighbours.
    pub async fn claim_undated(&mut self, hour: Hour, id: EventId) -> Result<bool, StateError> {
        for neighbour in [hour.plus(-1), hour.plus(1)] {
            if self.load(neighbour).await?.ids.contains(id) {
                return Ok(false);
            }
        }
        self.claim(hour, id).await
    }

    /// Whether any event of `hour` was delivered, as far as is still known.
    pub async fn has_any(&mut self, hour: Hour) -> Result<bool, StateError> {
        Ok(!self.load(hour).await?.ids.is_empty())
    }

    /// Says that `count` of the events of `hour` that were claimed are not under way any more.
    pub fn settle(&mut self, hour: Hour, count: usize) {
        if let Some(loaded) = self.hours.iter_mut().rfind(|loaded| loaded.hour == hour) {
            loaded.under_way = loaded.under_way.saturating_sub(count);
        }
    }

    /// Keeps only the `count` hours that were used last in memory, and those with events under way.
    pub fn forget_all_but(&mut self, count: usize) {
        let mut surplus = self.hours.len().saturating_sub(count);
        self.hours.retain(|loaded| {
            let stays = surplus == 0 || loaded.under_way > 0;
            surplus = surplus.saturating_sub(1);
            stays
        });
    }

    /// Deletes what will not be asked for again: ids of hours before `unfinished` that were written
    /// over [`KEPT`] hours ago.
    pub async fn prune(&self, unfinished: Hour, now: Timestamp) -> Result<(), StateError> {
        let written_before = Hour::containing(now).plus(-KEPT);
        let pruned = self.state.prune_ledger(&self.feed, unfinished, written_before).await?;
        if pruned > 0 {
            tracing::info!(pruned, %unfinished, %written_before, "segments of the ledger deleted");
        }
        Ok(())
    }

    async fn load(&mut self, hour: Hour) -> Result<&mut Loaded, StateError> {
        let loaded = match self.hours.iter().position(|loaded| loaded.hour == hour) {
            Some(position) => self.hours.remove(position),
            None => {
                let ids = self.state.read_ledger(&self.feed, hour).await?;
                self.make_room_for(ids.len());
                Loaded { hour, ids, under_way: 0 }
            }
        };
        self.hours.push(loaded);
        Ok(self.hours.last_mut().expect("it was pushed just here"))
    }

    /// Forgets hours that were not used for long. An hour with events under way stays: reading it
    /// again would not bring their ids back.
    fn make_room_for(&mut self, ids: usize) {
        let too_many = |hours: &[Loaded]| {
            let held: usize = hours.iter().map(|loaded| loaded.ids.len()).sum();
            hours.len() >= MOST_HOURS || held + ids > MOST_IDS
        };
        while too_many(&self.hours) {
            let idle = self.hours.iter().position(|loaded| loaded.under_way == 0);
            let Some(idle) = idle else { return };
            self.hours.remove(idle);
        }
    }
}
