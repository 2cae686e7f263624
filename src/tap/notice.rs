//! What an operator must know of an account though no call failed.

use std::fmt;

use jiff::Timestamp;

use super::budget::CALLS_A_DAY;
use super::unknown_arrays::UnknownArrays;
use crate::error_code::{self, Coded, ErrorCode};

/// Something that needs attention, for the log and the report.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum TapNotice {
    /// No call is made until room returns.
    BudgetSpent {
        /// How many calls count.
        used: u32,
        /// When room returns.
        returns: Timestamp,
    },
    /// The service has had too many calls, ours or others'.
    Throttled {
        /// Before this no call is made.
        until: Timestamp,
    },
    /// Records that this program does not know, and does not collect.
    UnknownArrays(UnknownArrays),
}

impl fmt::Display for TapNotice {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            TapNotice::BudgetSpent { used, returns } => write!(
                f,
                "{used} of the {CALLS_A_DAY} calls in 24 hours are used: the next are made at {returns}. A longer TapIntervalSeconds needs fewer"
            ),
            TapNotice::Throttled { until } => write!(
                f,
                "the TAP API had too many calls and is left alone until {until}; a credential has {CALLS_A_DAY} calls in 24 hours. Stop other programs that use it, or create a credential for this one alone"
            ),
            TapNotice::UnknownArrays(arrays) => {
                let names: Vec<&str> = arrays.names().map(|(name, _)| name).collect();
                write!(
                    f,
                    "the TAP API sent {} records of kinds that this release does not know ({}): they are not collected. Look for a newer release",
                    arrays.members(),
                    names.join(", ")
                )
            }
        }
    }
}

impl std::error::Error for TapNotice {}

impl Coded for TapNotice {
    fn code(&self) -> ErrorCode {
        match self {
            TapNotice::BudgetSpent { .. } => error_code::TAP_BUDGET_SPENT,
            TapNotice::Throttled { .. } => error_code::TAP_TOO_MANY,
            TapNotice::UnknownArrays(_) => error_code::TAP_UNKNOWN_ARRAYS,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_notice_names_what_it_is_about() {
        let mut arrays = UnknownArrays::default();
        arrays.count("clicksReported");
        arrays.count("clicksReported");
        let text = TapNotice::UnknownArrays(arrays).to_string();
        assert!(text.contains("2 records") && text.contains("(clicksReported)"), "{text}");
    }
}
