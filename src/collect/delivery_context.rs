//! What the deliveries of a feed share in one run.

use std::sync::Arc;

use proofpoint_sentinel_core::clock::Clock;
use proofpoint_sentinel_core::feed::Feed;

use super::counters::RunCounters;
use super::evidence::Evidence;
use super::memory::Place;
use super::row_type::RowType;
use crate::destination::Destination;
use crate::lease_scope::LeaseScope;
use crate::settings::Settings;
use crate::state::State;

/// What the deliveries of a feed share in one run.
#[derive(Clone, Copy)]
pub(super) struct DeliveryContext<'a> {
    /// The feed.
    pub feed: &'a Feed,
    /// What its rows are made of.
    pub row_type: RowType,
    /// The run's settings.
    pub settings: &'a Settings,
    /// Where rows go.
    pub destination: &'a Destination,
    /// Where dead letters and the ledger are.
    pub state: &'a State,
    /// The time of receipt.
    pub clock: &'a Clock,
    /// Counts that others can watch.
    pub counters: &'a RunCounters,
    /// Names the run in the ledger.
    pub writer: &'a str,
    /// Whether and until when posts may begin.
    pub scope: &'a LeaseScope,
    /// What is known of refused rows.
    pub evidence: &'a Arc<Evidence>,
    /// What it draws its memory from.
    pub place: &'a Arc<Place>,
}
