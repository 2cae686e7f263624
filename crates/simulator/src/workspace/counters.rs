//! Counters of the simulated workspace.

use std::collections::BTreeMap;

/// Counters of all posts to both APIs.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct WorkspaceCounters {
    /// Posts whose body was received.
    pub posts: u64,
    /// Posts that are waiting for their answer.
    pub in_flight: u64,
    /// The maximum of `in_flight` so far.
    pub most_in_flight: u64,
    /// Rows accepted.
    pub rows: u64,
    /// Rows accepted, by table.
    pub tables: BTreeMap<String, u64>,
    /// Bytes of bodies as sent.
    pub wire_bytes: u64,
    /// Bytes of accepted bodies after decompression.
    pub raw_bytes: u64,
    /// Responses by status.
    pub statuses: BTreeMap<u16, u64>,
    /// Connections reset instead of a response.
    pub resets: u64,
    /// Values that the real workspace would have truncated or dropped silently.
    pub violations: u64,
}
