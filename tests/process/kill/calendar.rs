//! The hours of a world.
//!
//! The handler reads the machine's clock, on which no hour passes during a test. So hours pass in
//! its settings: what is due depends on how long ago an hour ended and on how long is waited after
//! its end, and where an hour passes in reality, the wait becomes an hour shorter here.

use jiff::Timestamp;
use proofpoint_sentinel_core::hour::Hour;

/// How long after its end an hour is read for the second time.
const SECOND_READ: i64 = 3;

/// So many hours pass at most. The settings take a wait of 24 hours; the rest is for a test that
/// begins in one hour and ends in the next.
const LONGEST: i64 = 20;

/// Late events belong to one of so many hours before the one that passes.
pub(crate) const LATE: i64 = 2;

pub(crate) struct Calendar {
    /// The hour of the machine's clock when the world began.
    real: Hour,
    /// The hour that passes. Those before it are due.
    passing: Hour,
}

impl Calendar {
    /// A calendar in which [`has_more`](Self::has_more) hours for about `hours`.
    pub(crate) fn new(now: Timestamp, hours: i64) -> Calendar {
        let real = Hour::containing(now);
        Calendar { real, passing: real.plus(-LONGEST.min(hours + SECOND_READ)) }
    }

    /// The hour that passes.
    pub(crate) fn hour(&self) -> Hour {
        self.passing
    }

    /// The last hour that will be over.
    pub(crate) fn last(&self) -> Hour {
        self.real.plus(-1)
    }

    /// The next hour begins.
    pub(crate) fn pass(&mut self) {
        self.passing = self.passing.plus(1);
    }

    /// Whether hours may still pass so that there are enough left for the second reading of every
    /// hour that late events belong to.
    pub(crate) fn has_more(&self) -> bool {
        self.wait() > SECOND_READ
    }

    /// Lets hours pass until all are over.
    pub(crate) fn pass_all(&mut self) {
        self.passing = self.real;
    }

    /// Every hour of which a second reading must have been by the end lies before this one.
    pub(crate) fn read_twice_before(&self) -> Hour {
        self.passing.plus(-SECOND_READ)
    }

    fn wait(&self) -> i64 {
        self.real.hours_since(self.passing)
    }

    /// The settings of a handler that is started at `now`, if it is to begin with `first`.
    pub(crate) fn settings(&self, first: Hour, now: Timestamp) -> [(&'static str, i64); 4] {
        // Minutes of the machine's hour must not count: the hour that passes is not over.
        let minutes = now.duration_since(self.real.start()).as_mins();
        [
            ("ProofpointArchiveDelayMinutes", 60 * self.wait() + minutes),
            ("ProofpointSecondReadHours", self.wait() + SECOND_READ),
            ("ProofpointEmptyHourRetryMinutes", 0),
            ("ProofpointInitialLookbackHours", Hour::containing(now).hours_since(first)),
        ]
    }
}
