//! What the simulated workspace has seen.

use std::collections::BTreeMap;

/// Counts of all posts, to either API.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct WorkspaceCounters {
    /// Posts whose body has arrived.
    pub posts: u64,
    /// Posts that wait for their answer now.
    pub in_flight: u64,
    /// The most posts that ever waited at once.
    pub most_in_flight: u64,
    /// Rows kept.
    pub rows: u64,
    /// Rows kept, by table.
    pub tables: BTreeMap<String, u64>,
    /// Bytes of bodies as sent.
    pub wire_bytes: u64,
    /// Bytes of accepted bodies after decompression.
    pub raw_bytes: u64,
    /// Answers by status.
    pub statuses: BTreeMap<u16, u64>,
    /// Connections reset instead of an answer.
    pub resets: u64,
    /// Values that the real workspace would have cut or dropped without a word.
    pub violations: u64,
}
