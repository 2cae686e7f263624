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

/// The bytes with which a part of the ledger begins, before the first post. Ids come after them.
const SEGMENT_HEAD: usize = 8;

/// A step of a run at which the handler is stopped before it is killed, so that the kill hits this
/// step on every machine.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Step {
    /// The process starts; it has not answered its host.
    Start,
    /// It asks for the feed's lease.
    Lease,
    /// It asks for the checkpoint.
    CheckpointRead,
    /// A live session is open.
    LiveSession,
    /// An archive session is open and has sent some of its events.
    ArchiveSession,
    /// The workspace accepted a batch; its ids are not recorded in the ledger.
    LedgerAppend,
    /// Events of a session are delivered; the checkpoint is not written.
    CheckpointWrite,
}

impl Step {
    pub(crate) const ALL: [Step; 7] = [
        Step::Start,
        Step::Lease,
        Step::CheckpointRead,
        Step::LiveSession,
        Step::ArchiveSession,
        Step::LedgerAppend,
        Step::CheckpointWrite,
    ];

    /// Whether a request to the blob service, about `container` and the feed, is this step.
    pub(crate) fn is_request(self, request: &str, container: &str, feed: &str) -> bool {
        let line = request.lines().next().unwrap_or_default().replace("%2F", "/");
        let is = |method: &str, path: String| {
            line.starts_with(method) && line.contains(&format!("/{container}/{path}"))
        };
        // A checkpoint that is written over another one has `If-Match`; the first one has not.
        let replaces = || request.to_ascii_lowercase().contains("\r\nif-match:");
        match self {
            Step::Lease => is("PUT", format!("leases/{feed}?")) && line.contains("comp=lease"),
            Step::CheckpointRead => is("GET", format!("checkpoints/{feed}.json")),
            Step::LedgerAppend => {
                is("PUT", format!("ledger/{feed}/"))
                    && line.contains("comp=appendblock")
                    && content_length(request) > SEGMENT_HEAD
            }
            Step::CheckpointWrite => is("PUT", format!("checkpoints/{feed}.json")) && replaces(),
            Step::Start | Step::LiveSession | Step::ArchiveSession => false,
        }
    }
}

fn content_length(request: &str) -> usize {
    let headers = request.lines().filter_map(|line| line.split_once(':'));
    let length = headers.filter(|(name, _)| name.eq_ignore_ascii_case("content-length")).last();
    length.and_then(|(_, value)| value.trim().parse().ok()).unwrap_or_default()
}

/// A moment at random. Which step of a run it hits depends on the machine.
#[derive(Clone, Copy, Debug)]
pub(crate) enum RandomMoment {
    /// This long after the handler's start.
    Start(Duration),
    /// This long after its n-th post. Most of what a kill can break is here.
    Post(u64, Duration),
    /// This long after it opened its n-th archive session.
    ArchiveSession(u64, Duration),
}

impl RandomMoment {
    pub(crate) fn choose(rng: &mut SmallRng) -> RandomMoment {
        let short = SHORT.mul_f64(rng.random());
        match rng.random_range(0..4) {
            0 => RandomMoment::Post(rng.random_range(1..=5), short),
            1 => RandomMoment::ArchiveSession(rng.random_range(1..=3), short),
            _ => RandomMoment::Start(RUN.mul_f64(rng.random())),
        }
    }

    /// Waits until it is reached. Call this before the handler starts: what counts is what happens
    /// after the call.
    pub(crate) async fn reached(self, simulation: &Simulation) {
        let delay = match self {
            RandomMoment::Start(delay) => delay,
            RandomMoment::Post(nth, delay) => {
                let last = simulation.workspace.counters().posts + nth;
                simulation.workspace.wait_for(|counters| counters.posts >= last).await;
                delay
            }
            RandomMoment::ArchiveSession(nth, delay) => {
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
