//! When a handler is killed.

use std::time::Duration;

use proofpoint_sentinel_simulator::Simulation;
use proofpoint_sentinel_simulator::pod::PodCounters;
use rand::RngExt as _;
use rand::rngs::SmallRng;
use tokio::time::sleep;

/// A little more than a handler's run takes on an idle machine.
const RUN: Duration = Duration::from_millis(2_500);

/// About as long as a batch is in flight or an hour is read.
const SHORT: Duration = Duration::from_millis(60);

/// When a handler is killed, unless its run ends before.
#[derive(Clone, Copy, Debug)]
pub(crate) enum KillPoint {
    /// This long after its start.
    Start(Duration),
    /// This long after its n-th post. Most of what a kill can break is here, and on a slow machine
    /// chance alone would seldom hit it.
    Post(u64, Duration),
    /// This long after it opened its n-th archive session.
    ArchiveSession(u64, Duration),
}

impl KillPoint {
    pub(crate) fn random(rng: &mut SmallRng) -> KillPoint {
        let short = SHORT.mul_f64(rng.random());
        match rng.random_range(0..4) {
            0 => KillPoint::Post(rng.random_range(1..=5), short),
            1 => KillPoint::ArchiveSession(rng.random_range(1..=3), short),
            _ => KillPoint::Start(RUN.mul_f64(rng.random())),
        }
    }

    /// Waits until it is reached. Call this before the handler starts: what counts is what happens
    /// after the call.
    pub(crate) async fn reached(self, simulation: &Simulation) {
        let delay = match self {
            KillPoint::Start(delay) => delay,
            KillPoint::Post(nth, delay) => {
                let last = simulation.workspace.counters().posts + nth;
                simulation.workspace.wait_for(|counters| counters.posts >= last).await;
                delay
            }
            KillPoint::ArchiveSession(nth, delay) => {
                let opened = |counters: &PodCounters| {
                    counters.feeds.values().map(|feed| feed.archive_opened).sum::<u64>()
                };
                let last = opened(&simulation.pod.counters()) + nth;
                simulation.pod.wait_for(|counters| opened(counters) >= last).await;
                delay
            }
        };
        sleep(delay).await;
    }
}
