//! Simulated hours.
//!
//! The handler reads the machine's clock, which does not advance by hours during a test. So hours
//! pass in the handler's settings: an hour is due when a certain delay has passed since its end, and
//! to let an hour pass, this test makes the delay an hour shorter.

use jiff::Timestamp;
use proofpoint_sentinel_core::hour::Hour;

/// How long after its end an hour is read for the second time.
const SECOND_READ: i64 = 3;

/// How many hours pass at most. The settings allow a delay of 24 hours; the rest is reserve, for a
/// test that begins in one hour and ends in the next.
const LONGEST: i64 = 20;

/// How many hours late an event can be at most.
pub(crate) const LATE: i64 = 2;

pub(crate) struct SimulatedHours {
    /// The hour of the machine's clock when the scenario began.
    real: Hour,
    /// The current hour. Those before it are due.
    current: Hour,
}

impl SimulatedHours {
    /// Simulated hours of which about `hours` pass while [`has_more`](Self::has_more) says so.
    pub(crate) fn new(now: Timestamp, hours: i64) -> SimulatedHours {
        let real = Hour::containing(now);
        SimulatedHours { real, current: real.plus(-LONGEST.min(hours + SECOND_READ)) }
    }

    /// The current hour.
    pub(crate) fn current(&self) -> Hour {
        self.current
    }

    /// The last hour that will pass.
    pub(crate) fn last(&self) -> Hour {
        self.real.plus(-1)
    }

    /// Begins the next hour.
    pub(crate) fn advance(&mut self) {
        self.current = self.current.plus(1);
    }

    /// Whether another hour may pass and leave `reserve` hours that may. Enough must be left for the
    /// second read of every hour that late events belong to.
    pub(crate) fn has_more(&self, reserve: i64) -> bool {
        self.delay() > SECOND_READ + reserve
    }

    /// Lets all hours pass.
    pub(crate) fn advance_to_end(&mut self) {
        self.current = self.real;
    }

    /// Every hour before this one must have been read twice by the end.
    pub(crate) fn read_twice_before(&self) -> Hour {
        self.current.plus(-SECOND_READ)
    }

    fn delay(&self) -> i64 {
        self.real.hours_since(self.current)
    }

    /// The settings of a handler that is started at `now` and has to begin with hour `first`.
    pub(crate) fn settings(&self, first: Hour, now: Timestamp) -> [(&'static str, i64); 4] {
        // The minutes of the machine's hour must not count: the current hour is not over.
        let minutes = now.duration_since(self.real.start()).as_mins();
        [
            ("ProofpointArchiveDelayMinutes", 60 * self.delay() + minutes),
            ("ProofpointSecondReadHours", self.delay() + SECOND_READ),
            ("ProofpointEmptyHourRetryMinutes", 0),
            ("ProofpointInitialLookbackHours", Hour::containing(now).hours_since(first)),
        ]
    }
}
