//! Counts that others can watch while a run goes on.

use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

/// Counts of one run, over all its feeds.
#[derive(Debug, Default)]
pub struct RunCounters {
    events: AtomicU64,
    bytes: AtomicU64,
    rows: AtomicU64,
}

impl RunCounters {
    pub(super) fn count_event(&self, bytes: u64) {
        self.events.fetch_add(1, Relaxed);
        self.bytes.fetch_add(bytes, Relaxed);
    }

    pub(super) fn count_rows(&self, rows: u64) {
        self.rows.fetch_add(rows, Relaxed);
    }

    /// Events read.
    pub fn events(&self) -> u64 {
        self.events.load(Relaxed)
    }

    /// Their bytes.
    pub fn bytes(&self) -> u64 {
        self.bytes.load(Relaxed)
    }

    /// Rows that the workspace accepted.
    pub fn rows(&self) -> u64 {
        self.rows.load(Relaxed)
    }
}
