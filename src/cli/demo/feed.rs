//! A feed of the demo.

use proofpoint_sentinel_core::feed::{EventType, Feed};
use proofpoint_sentinel_core::hour::Hour;
use proofpoint_sentinel_core::tables::table;
use proofpoint_sentinel_simulator::Simulation;

/// A feed and what the demo expects of it.
pub(super) struct DemoFeed {
    pub(super) feed: Feed,
    pub(super) event_type: EventType,
    /// The first hour that this demo reads.
    pub(super) first: Hour,
    /// How many events there are from then on, and for the live stream.
    pub(super) expected: u64,
}

impl DemoFeed {
    /// The tables of its rows, by either API.
    pub(super) fn tables(&self) -> [String; 2] {
        let table = table(self.event_type);
        [table.name.to_owned(), format!("{}_CL", table.log_type)]
    }

    /// How many rows the workspace has.
    pub(super) fn rows(&self, simulation: &Simulation) -> u64 {
        let counters = simulation.workspace.counters();
        self.tables().iter().filter_map(|name| counters.tables.get(name)).sum()
    }
}
