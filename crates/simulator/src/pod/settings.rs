//! The settings of the simulated Log API.

use std::sync::Arc;
use std::time::Duration;

use jiff::SignedDuration;
use proofpoint_sentinel_core::clock::Clock;
use proofpoint_sentinel_core::secret::Secret;

use super::event_source::EventSource;

/// A cluster that the simulated Log API knows.
#[derive(Clone, Debug)]
pub struct PodCluster {
    /// The cluster id.
    pub id: String,
    /// The token for its log.
    pub token: Secret,
}

/// How the simulated Log API behaves.
#[derive(Clone)]
pub struct PodSettings {
    /// Determines which hours are over, how old a window is and which events have arrived.
    pub clock: Clock,
    /// The clusters with a log.
    pub clusters: Vec<PodCluster>,
    /// The source of the events.
    pub source: Arc<dyn EventSource>,
    /// How long after its end an hour is in the archive. Before that it is empty.
    pub archive_delay: SignedDuration,
    /// How far back the archive reaches. Older hours are refused with 400.
    pub retention: SignedDuration,
    /// How long the slot of a session that ended without a close frame stays taken.
    pub slot_release_delay: Duration,
    /// Whether a token has one session in all, instead of one for each event type.
    pub one_session_per_token: bool,
    /// How many events a session sends per second at most.
    pub events_per_second: Option<u32>,
    /// Changes the head of the answer that opens a session, as servers and proxies do.
    pub change_head: fn(String) -> String,
}

impl PodSettings {
    /// An archive delay of half an hour, 30 days of archive, slots that are released at once, and unlimited speed.
    pub fn new(clock: Clock, clusters: Vec<PodCluster>, source: Arc<dyn EventSource>) -> Self {
        PodSettings {
            clock,
            clusters,
            source,
            archive_delay: SignedDuration::from_mins(30),
            retention: SignedDuration::from_hours(30 * 24),
            slot_release_delay: Duration::ZERO,
            one_session_per_token: false,
            events_per_second: None,
            change_head: |head| head,
        }
    }
}
