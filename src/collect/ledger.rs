//! Which events of a feed have been delivered already, in memory for the hours at hand.

use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;

use jiff::Timestamp;
use proofpoint_sentinel_core::feed::Feed;
use proofpoint_sentinel_core::hour::Hour;

use super::event_key::EventKey;
use super::memory::{Draw, Place};
use crate::state::{
    Arrival, EventId, HourCounts, HourIds, LedgerPart, RecordedHour, State, StateError,
};

/// The ids of at most this many hours stay in memory, or of fewer if they are many.
const MAX_HOURS: usize = 24;

/// So many stay even where memory is short: an hour and its neighbours are asked for in turns.
const LEAST_HOURS: usize = 3;

/// At most this many ids stay in memory, unless those at work are more: the ids of two hours of two
/// million events each. In a [`HourIds`] they take up to 100 MB.
const MAX_IDS: usize = 4_200_000;

/// For how many hours the ids of events are kept after they were written.
pub(super) const KEPT_HOURS: i64 = 72;

/// So many hours whose counts changed are remembered at most.
const MAX_CHANGED: usize = 200;

/// The ledger of a feed.
pub(super) struct Ledger {
    state: State,
    feed: Feed,
    /// The hour that was used last comes last.
    hours: Vec<LoadedHour>,
    /// The hour that is being read, whose ids stay in memory.
    reading: Option<Hour>,
    /// Whether what is recorded in the state counts.
    is_asked: bool,
    /// Hours whose counts changed since they were last [told](Self::note_told).
    changed: BTreeSet<Hour>,
    place: Arc<Place>,
}

/// What is known of the events of an hour.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct HourTally {
    /// How they arrived.
    pub counts: HourCounts,
    /// How many were known before the last reading, and came again in it.
    pub repeated: u64,
}

/// The ids of an hour, those of events in flight included.
struct LoadedHour {
    hour: Hour,
    ids: HourIds,
    /// How those that are recorded arrived.
    counts: HourCounts,
    /// Whether any of them was read from the state, so that release 0.1.0 may have written it.
    has_recorded: bool,
    /// Which event each former id that was met stands for: the first that came. Former ids are no
    /// longer written, so this is empty once those of release 0.1.0 are pruned.
    former: HashMap<EventId, EventId>,
    /// How many of the ids are not in the state yet. While there are any, memory alone knows them.
    in_flight: usize,
    /// The memory of the ids.
    draw: Draw,
}

/// After so many more ids of an hour their memory is counted anew.
const IDS_BETWEEN_COUNTS: usize = 1 << 10;

impl LoadedHour {
    /// Adds an id; false if it is there already.
    fn insert(&mut self, id: EventId) -> bool {
        let is_new = self.ids.insert(id);
        if is_new && self.ids.len().is_multiple_of(IDS_BETWEEN_COUNTS) {
            self.draw.set(self.ids.bytes());
        }
        is_new
    }

    /// Whether release 0.1.0 recorded the event.
    ///
    /// It delivered one of the events that share a former id: most likely the one that comes first.
    /// The others are new.
    fn was_formerly_recorded(&mut self, key: EventKey) -> bool {
        let Some(former) = key.former.filter(|former| self.ids.contains(*former)) else {
            return false;
        };
        // So that the reading does not count it as missing.
        self.ids.insert(former);
        !self.ids.contains(key.id) && *self.former.entry(former).or_insert(key.id) == key.id
    }
}

impl Ledger {
    /// Nothing is read yet.
    pub(super) fn new(state: State, feed: Feed, place: Arc<Place>) -> Ledger {
        let (hours, changed) = (Vec::new(), BTreeSet::new());
        Ledger { state, feed, hours, reading: None, is_asked: true, changed, place }
    }

    /// A ledger that knows only what is delivered from now on.
    pub(super) fn forgetful(state: State, feed: Feed, place: Arc<Place>) -> Ledger {
        Ledger { is_asked: false, ..Ledger::new(state, feed, place) }
    }

    /// Begins a reading of `hour`.
    pub(super) fn begin_reading(&mut self, hour: Hour) {
        self.reading = Some(hour);
        for loaded in self.hours.iter_mut().filter(|loaded| loaded.hour == hour) {
            loaded.ids.begin_reading();
        }
    }

    /// How many events of `hour` were delivered before, and have not come in the reading that
    /// began last.
    pub(super) async fn missing(&mut self, hour: Hour) -> Result<usize, StateError> {
        Ok(self.load(hour).await?.ids.missing())
    }

    /// Whether the ledger may know events of `hour` by what release 0.1.0 recorded for them.
    pub(super) fn may_have_former_ids(&self, hour: Hour) -> bool {
        let loaded = self.hours.iter().rfind(|loaded| loaded.hour == hour);
        loaded.is_none_or(|loaded| loaded.has_recorded)
    }

    /// Makes sure that what arrives `now` can be looked up and recorded by `writer`.
    pub(super) async fn prepare(&mut self, now: Timestamp, writer: &str) -> Result<(), StateError> {
        let hour = Hour::containing(now);
        self.load(hour.plus(-1)).await?;
        self.load(hour).await?;
        self.state.open_ledger(&self.feed, Arrival::Live.of(hour), now, writer).await
    }

    /// Says whether the event is new, and takes it for known from now on. The caller records it in
    /// the state once it is delivered, and then [releases](Self::release) it.
    ///
    /// `hour` is that of the event's own time.
    pub(super) async fn claim(&mut self, hour: Hour, key: EventKey) -> Result<bool, StateError> {
        let loaded = match self.hours.last_mut() {
            Some(last) if last.hour == hour => last,
            _ => self.load(hour).await?,
        };
        if loaded.was_formerly_recorded(key) {
            return Ok(false);
        }
        let is_new = loaded.insert(key.id);
        loaded.in_flight += usize::from(is_new);
        Ok(is_new)
    }

    /// As [`claim`](Self::claim), for an event whose own time can't be read. `hour` is that of its
    /// reading: the hour asked for in the archive, or the current hour in the live stream. The two
    /// are the same or neighbours.
    pub(super) async fn claim_undated(
        &mut self,
        hour: Hour,
        key: EventKey,
    ) -> Result<bool, StateError> {
        for neighbour in [hour.plus(-1), hour.plus(1)] {
            let loaded = self.load(neighbour).await?;
            if loaded.ids.contains(key.id) || loaded.was_formerly_recorded(key) {
                return Ok(false);
            }
        }
        self.claim(hour, key).await
    }

    /// How many events of `hour` the ledger knows.
    pub(super) async fn known(&mut self, hour: Hour) -> Result<usize, StateError> {
        Ok(self.load(hour).await?.ids.len())
    }

    /// Whether any event of `hour` was delivered, as far as is still known.
    pub(super) async fn has_any(&mut self, hour: Hour) -> Result<bool, StateError> {
        Ok(!self.load(hour).await?.ids.is_empty())
    }

    /// Says that so many events were recorded there which were not before.
    pub(super) fn note_recorded(&mut self, of: LedgerPart, count: u64) {
        let LedgerPart { hour, arrival } = of;
        if arrival == Arrival::Uncounted {
            return;
        }
        if let Some(loaded) = self.hours.iter_mut().rfind(|loaded| loaded.hour == hour) {
            loaded.counts.add(arrival, count);
        }
        if self.changed.len() < MAX_CHANGED {
            self.changed.insert(hour);
        }
    }

    /// Hours whose counts changed since they were last told.
    pub(super) fn changed(&self) -> Vec<Hour> {
        self.changed.iter().copied().collect()
    }

    /// Whether the counts of `hour` changed since they were last told.
    pub(super) fn has_changed(&self, hour: Hour) -> bool {
        self.changed.contains(&hour)
    }

    /// Says that the connector's table is told of the counts of `hour`.
    pub(super) fn note_told(&mut self, hour: Hour) {
        self.changed.remove(&hour);
    }

    /// What is known of the events of `hour`. Its ids do not enter the memory for that.
    pub(super) async fn tally(&self, hour: Hour) -> Result<HourTally, StateError> {
        if let Some(loaded) = self.hours.iter().rfind(|loaded| loaded.hour == hour) {
            let repeated = loaded.ids.repeated() as u64;
            return Ok(HourTally { counts: loaded.counts, repeated });
        }
        // On the heap: it would make every future larger in which an hour is recorded.
        let counts = Box::pin(self.state.read_ledger(&self.feed, hour)).await?.counts;
        Ok(HourTally { counts, repeated: 0 })
    }

    /// Says that `count` of the events of `hour` that were claimed are no longer in flight.
    pub(super) fn release(&mut self, hour: Hour, count: usize) {
        if let Some(loaded) = self.hours.iter_mut().rfind(|loaded| loaded.hour == hour) {
            loaded.in_flight = loaded.in_flight.saturating_sub(count);
        }
    }

    /// Keeps in memory only the `count` hours that were used last, and those with events in flight.
    pub(super) fn keep_recent(&mut self, count: usize) {
        let mut surplus = self.hours.len().saturating_sub(count);
        self.hours.retain(|loaded| {
            let stays = surplus == 0 || loaded.in_flight > 0;
            surplus = surplus.saturating_sub(1);
            stays
        });
    }

    /// Deletes what will not be asked for again: ids of hours before `unfinished` that were written
    /// over [`KEPT_HOURS`] hours ago and before `unfinished`. An event of an earlier time that the
    /// archive holds under an unfinished hour was not delivered before that hour.
    pub(super) async fn prune(&self, unfinished: Hour, now: Timestamp) -> Result<(), StateError> {
        let written_before = Hour::containing(now).plus(-KEPT_HOURS).min(unfinished);
        let pruned = self.state.prune_ledger(&self.feed, unfinished, written_before).await?;
        if pruned > 0 {
            tracing::info!(pruned, %unfinished, %written_before, "segments of the ledger deleted");
        }
        Ok(())
    }

    async fn load(&mut self, hour: Hour) -> Result<&mut LoadedHour, StateError> {
        let loaded = match self.hours.iter().position(|loaded| loaded.hour == hour) {
            Some(position) => self.hours.remove(position),
            None => {
                let RecordedHour { ids, counts } = match self.is_asked {
                    true => self.state.read_ledger(&self.feed, hour).await?,
                    false => RecordedHour::default(),
                };
                self.evict_for(ids.len());
                let has_recorded = !ids.is_empty();
                let mut draw = Draw::nothing(&self.place);
                draw.set(ids.bytes());
                let former = HashMap::new();
                LoadedHour { hour, ids, counts, has_recorded, former, in_flight: 0, draw }
            }
        };
        self.hours.push(loaded);
        Ok(self.hours.last_mut().expect("it was pushed just here"))
    }

    /// Evicts the hours that were used least recently, until there is room for as many `ids`. An hour
    /// with events in flight stays: reading it again would not bring their ids back. So does the one
    /// that is being read, of which memory alone knows what has come.
    fn evict_for(&mut self, ids: usize) {
        let place = self.place.clone();
        let too_many = |hours: &[LoadedHour]| {
            let held: usize = hours.iter().map(|loaded| loaded.ids.len()).sum();
            let lacks_memory = hours.len() > LEAST_HOURS && !place.may_draw();
            hours.len() >= MAX_HOURS || held + ids > MAX_IDS || lacks_memory
        };
        while too_many(&self.hours) {
            let is_idle = |it: &LoadedHour| it.in_flight == 0 && self.reading != Some(it.hour);
            let idle = self.hours.iter().position(is_idle);
            let Some(idle) = idle else { return };
            self.hours.remove(idle);
        }
    }
}
