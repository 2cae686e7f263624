//! How the events of an hour arrived.

use proofpoint_sentinel_core::hour::Hour;
use serde::{Deserialize, Serialize};

/// What became of an event that is accounted for, and how it had come. Of an event that is recorded in
/// several ways the first of them counts, in this order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Arrival {
    /// The live stream brought it, or a current window of TAP.
    Live,
    /// The archive brought it before its hour was done, or a closed hour of TAP.
    Archive,
    /// It came when its hour was read once more, by `collect`, or from a dead letter.
    Late,
    /// It is kept as a dead letter, and the workspace does not have it.
    DeadLetter,
    /// It counts for no hour: its own time can't be read, or an earlier release recorded it.
    Uncounted,
}

impl Arrival {
    /// All of them, in their order.
    pub const ALL: [Arrival; 5] =
        [Arrival::Live, Arrival::Archive, Arrival::Late, Arrival::DeadLetter, Arrival::Uncounted];

    /// That of an event which came like this, if its own time could be read.
    pub fn if_dated(self, is_dated: bool) -> Arrival {
        if is_dated { self } else { Arrival::Uncounted }
    }

    /// The part of an hour's ledger that has such events.
    pub fn of(self, hour: Hour) -> LedgerPart {
        LedgerPart { hour, arrival: self }
    }
}

/// A part of the ledger: the events of an hour that arrived in one way.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct LedgerPart {
    /// The hour of the events' own time.
    pub hour: Hour,
    /// How they arrived.
    pub arrival: Arrival,
}

/// How many distinct events of an hour arrived in which way.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct HourCounts {
    /// By the live stream.
    pub live: u64,
    /// By the archive.
    pub archive: u64,
    /// When the hour was read once more, or later.
    pub late: u64,
    /// As dead letters that the workspace does not have.
    pub dead_letters: u64,
}

impl HourCounts {
    /// Events that the workspace accepted.
    pub fn delivered(&self) -> u64 {
        self.live + self.archive + self.late
    }

    /// Counts events that arrived in one way.
    pub fn add(&mut self, arrival: Arrival, count: u64) {
        match arrival {
            Arrival::Live => self.live += count,
            Arrival::Archive => self.archive += count,
            Arrival::Late => self.late += count,
            Arrival::DeadLetter => self.dead_letters += count,
            Arrival::Uncounted => {}
        }
    }
}
