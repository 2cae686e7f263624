//! Counters of the simulated SIEM API, and the calls it has answered.

use std::collections::BTreeMap;
use std::ops::Range;

use jiff::Timestamp;
use proofpoint_sentinel_core::tap_kind::TapKind;

use super::endpoint::Endpoint;

/// Counters of the whole server.
#[derive(Clone, Debug, Default)]
pub struct TapCounters {
    /// Valid calls, by end point. Those with a fault are among them.
    pub calls: BTreeMap<Endpoint, u64>,
    /// Answers by status, including those of malformed requests.
    pub statuses: BTreeMap<u16, u64>,
    /// Connections reset instead of an answer.
    pub resets: u64,
    /// Records whose last byte was handed to the connection, by kind. Members and arrays of a fault
    /// are not among them.
    pub records: BTreeMap<TapKind, u64>,
    /// Bytes of bodies that were handed to the connection.
    pub body_bytes: u64,
    /// Bodies that were handed to the connection to their ends.
    pub complete: u64,
    /// Bodies that are being sent.
    pub open: u64,
    /// The maximum of `open` so far.
    pub most_open: u64,
}

impl TapCounters {
    /// All valid calls.
    pub fn all_calls(&self) -> u64 {
        self.calls.values().sum()
    }

    /// All records that were handed to the connection.
    pub fn all_records(&self) -> u64 {
        self.records.values().sum()
    }
}

/// A request of a known credential to an end point, and the answer's status.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TapCall {
    /// When it came.
    pub at: Timestamp,
    /// The credential.
    pub principal: String,
    /// The end point.
    pub endpoint: Endpoint,
    /// The query as it was sent.
    pub query: String,
    /// Its window, if the query is valid.
    pub window: Option<Range<Timestamp>>,
    /// The status of the answer. `None` if there was none.
    pub status: Option<u16>,
}
