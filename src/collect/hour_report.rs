//! What came of one chosen hour.

use proofpoint_sentinel_core::hour::Hour;

use super::read_end::ReadEnd;
use crate::pod::SessionEnd;
use crate::report::FeedCounts;

/// What came of one chosen hour.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HourReport {
    /// The hour.
    pub hour: Hour,
    /// How its reading ended.
    pub end: ReadEnd,
    /// What became of its events.
    pub counts: FeedCounts,
}

impl HourReport {
    /// Whether Proofpoint said that this was all.
    pub fn is_complete(&self) -> bool {
        self.end == ReadEnd::Session(SessionEnd::Closed(Some(1000)))
    }

    /// Whether the reading was ended from outside, so that no further hour is read.
    pub fn was_interrupted(&self) -> bool {
        !matches!(self.end, ReadEnd::Session(_))
    }
}
