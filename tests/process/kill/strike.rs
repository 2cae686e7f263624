//! When a handler is killed.

use std::time::Duration;

use proofpoint_sentinel_simulator::Simulation;
use proofpoint_sentinel_simulator::pod::PodCounters;
use rand::RngExt as _;
use rand::rngs::SmallRng;
use tokio::time::sleep;

/// A little more than a handler lives for on a machine that has nothing else to do.
const LIFE: Duration = Duration::from_millis(2_500);

/// About as long as a batch is on its way, or an hour is read.
const BRIEFLY: Duration = Duration::from_millis(60);

/// What a handler dies of, unless its run ends before.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Strike {
    /// So long after it was started.
    At(Duration),
    /// So long after the so-many-th post came of it. Most of what a kill can spoil is here, and on
    /// a slow machine chance alone would seldom find it.
    Post(u64, Duration),
    /// So long after it opened the so-many-th session with the archive.
    Archive(u64, Duration),
}

impl Strike {
    pub(crate) fn draw(rng: &mut SmallRng) -> Strike {
        let briefly = BRIEFLY.mul_f64(rng.random());
        match rng.random_range(0..4) {
            0 => Strike::Post(rng.random_range(1..=5), briefly),
            1 => Strike::Archive(rng.random_range(1..=3), briefly),
            _ => Strike::At(LIFE.mul_f64(rng.random())),
        }
    }

    /// Waits for it. No handler but the one to be killed has begun anything since this was called.
    pub(crate) async fn falls(self, simulation: &Simulation) {
        let after = match self {
            Strike::At(after) => after,
            Strike::Post(nth, after) => {
                let last = simulation.workspace.counters().posts + nth;
                simulation.workspace.wait_for(|counters| counters.posts >= last).await;
                after
            }
            Strike::Archive(nth, after) => {
                let opened = |counters: &PodCounters| {
                    counters.feeds.values().map(|feed| feed.archive_opened).sum::<u64>()
                };
                let last = opened(&simulation.pod.counters()) + nth;
                simulation.pod.wait_for(|counters| opened(counters) >= last).await;
                after
            }
        };
        sleep(after).await;
    }
}
