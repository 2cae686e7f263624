//! What of a feed has been delivered already, in memory for the hours at hand.

use jiff::Timestamp;

use crate::feed::Feed;
use crate::hour::Hour;
use crate::state::{EventId, HourIds, State, StateError};

/// For so many hours the ids are in memory at once. A session's events belong to one or two.
const MOST_HOURS: usize = 6;

/// So many hours ids are kept for after they were written.
const KEPT: i64 = 72;

/// The ledger of a feed.
pub struct Ledger {
    state: State,
    feed: Feed,
    /// The hour that was used last comes last.
    hours: Vec<(Hour, HourIds)>,
}

impl Ledger {
    /// Nothing is read yet.
    pub fn new(state: State, feed: Feed) -> Ledger {
        Ledger { state, feed, hours: Vec::new() }
    }

    /// Says whether the event is new, and takes it for known from now on. Whoever claims it records
    /// it in the state once it is delivered.
    ///
    /// `hour` is that of the event's own time.
    pub async fn claim(&mut self, hour: Hour, id: EventId) -> Result<bool, StateError> {
        match self.hours.last_mut() {
            Some((last, ids)) if *last == hour => Ok(ids.insert(id)),
            _ => self.load(hour).await.map(|ids| ids.insert(id)),
        }
    }

    /// Keeps only the `count` hours that were used last in memory. What was delivered is in the
    /// state; call it only while nothing is under way.
    pub fn forget_all_but(&mut self, count: usize) {
        let surplus = self.hours.len().saturating_sub(count);
        self.hours.drain(..surplus);
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

    async fn load(&mut self, hour: Hour) -> Result<&mut HourIds, StateError> {
        let loaded = match self.hours.iter().position(|(other, _)| *other == hour) {
            Some(position) => self.hours.remove(position),
            None => {
                let ids = self.state.read_ledger(&self.feed, hour).await?;
                if self.hours.len() == MOST_HOURS {
                    self.hours.remove(0);
                }
                (hour, ids)
            }
        };
        self.hours.push(loaded);
        let last = self.hours.len() - 1;
        Ok(&mut self.hours[last].1)
    }
}
