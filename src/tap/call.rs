//! A call of the SIEM API, and why it is made.

use proofpoint_sentinel_core::hour::Hour;

use super::interval::Interval;

/// Why a call is made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Purpose {
    /// For the newest records.
    Current,
    /// For records since the last closed hour that the current window does not reach.
    Gap,
    /// For all records of a closed hour.
    Settle(Hour),
    /// For records of a closed hour that were found to be false positives.
    FalsePositives(Hour),
}

impl Purpose {
    /// For the log.
    pub fn name(self) -> &'static str {
        match self {
            Purpose::Current => "current",
            Purpose::Gap => "gap",
            Purpose::Settle(_) => "closed hour",
            Purpose::FalsePositives(_) => "false positives",
        }
    }
}

/// One call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Call {
    /// What it asks for.
    pub interval: Interval,
    /// Why.
    pub purpose: Purpose,
}
