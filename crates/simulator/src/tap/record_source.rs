//! Sources of records.

use std::ops::Range;

use jiff::Timestamp;

use super::record::TapRecord;

/// The records of all credentials.
pub trait RecordSource: Send + Sync {
    /// The records of the credential `principal` that were created in `window` and that calls at
    /// `now` return. The order is the same for the same arguments. A source that generates records
    /// takes time for each hour of the window.
    fn records(&self, principal: &str, window: &Range<Timestamp>, now: Timestamp)
    -> Vec<TapRecord>;
}
