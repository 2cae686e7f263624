//! What a run is given.

use std::sync::Arc;

use proofpoint_sentinel_core::clock::Clock;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use super::counters::RunCounters;
use super::memory::MemoryPool;
use crate::pod::{ProcessSessions, SessionTimeouts};
use crate::settings::Settings;
use crate::state::LeaseTimes;

/// What a run is given.
#[derive(Clone, Debug)]
pub struct Run {
    /// Names the run in checkpoints: the invocation's id.
    pub id: String,
    /// The settings, as they are now.
    pub settings: Settings,
    /// The wall clock.
    pub clock: Clock,
    /// Time limits of sessions.
    pub timeouts: SessionTimeouts,
    /// When leases on feeds are renewed and given up.
    pub lease_times: LeaseTimes,
    /// What is known of the sessions with each cluster.
    pub sessions: ProcessSessions,
    /// Where events, rows, posts and ledger take their memory.
    pub memory: MemoryPool,
    /// Nothing more is read after this.
    pub reading_ends: Instant,
    /// Nothing is posted after this.
    pub posting_ends: Instant,
    /// Nothing is awaited after this.
    pub all_ends: Instant,
    /// Tells the run to save its progress and end.
    pub stop: CancellationToken,
    /// Counts that others can watch meanwhile.
    pub counters: Arc<RunCounters>,
}
