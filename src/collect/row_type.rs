//! What rows are made of, which decides their table.

use proofpoint_sentinel_core::feed::EventType;
use proofpoint_sentinel_core::tables::{Table, table};

/// What rows are made of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum RowType {
    /// Events of one type of the Log API.
    Log(EventType),
}

impl RowType {
    /// Where such rows go.
    pub(super) fn table(self) -> &'static Table {
        match self {
            RowType::Log(event_type) => table(event_type),
        }
    }
}
