//! A feed of the demo.

use proofpoint_sentinel_core::feed::{Feed, FeedType};
use proofpoint_sentinel_core::hour::Hour;
use proofpoint_sentinel_core::tables::{Table, table, tap_table};
use proofpoint_sentinel_core::tap_kind::TapKind;
use proofpoint_sentinel_simulator::Simulation;
use proofpoint_sentinel_simulator::tap::Tap;

/// A feed and what the demo expects of it.
pub(super) struct DemoFeed {
    pub(super) feed: Feed,
    /// The first hour that this demo reads.
    pub(super) first: Hour,
    /// How many events or records there are from then on.
    pub(super) expected: u64,
}

impl DemoFeed {
    /// The tables of its rows, by either API.
    pub(super) fn tables(&self) -> Vec<String> {
        let tables: Vec<&Table> = match self.feed.feed_type {
            FeedType::Log(event_type) => vec![table(event_type)],
            FeedType::Tap => TapKind::ALL.into_iter().map(tap_table).collect(),
        };
        let both = |table: &Table| [table.name.to_owned(), format!("{}_CL", table.log_type)];
        tables.into_iter().flat_map(both).collect()
    }

    /// How many events or records Proofpoint sent.
    pub(super) fn sent(&self, simulation: &Simulation) -> u64 {
        match self.feed.feed_type {
            FeedType::Log(_) => simulation.pod.counters().feed(&self.feed).events_sent,
            FeedType::Tap => {
                simulation.tap.as_ref().map_or(0, |tap| Tap::counters(tap).all_records())
            }
        }
    }

    /// How many rows the workspace has.
    pub(super) fn rows(&self, simulation: &Simulation) -> u64 {
        let counters = simulation.workspace.counters();
        self.tables().iter().filter_map(|name| counters.tables.get(name)).sum()
    }
}
