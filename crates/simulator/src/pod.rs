//! A stand-in for the Log API of Proofpoint on Demand: TLS, WebSockets, live sessions, the archive,
//! the rules of both and their ways to fail.
//!
//! It refuses what the real one refuses, with the same status codes, and keeps one session for
//! each token and event type. A session without times is live: it goes on where the one before it
//! had sent up to, if that ended less than an hour ago, and else with what arrived in the last
//! hour. Nothing is acknowledged. `sinceTime` without `toTime` is answered with 501.

mod counters;
mod fault;
mod frames;
mod generated;
mod given;
mod positions;
mod refusal;
mod request;
mod scripts;
mod server;
mod session;
mod slots;
mod source;
mod supply;
mod times;
mod wire;

use std::io;
use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;
use std::time::Duration;

use jiff::SignedDuration;
use tokio::net::TcpListener;
use tokio_util::task::AbortOnDropHandle;
use url::Url;

use super::certificates::Authority;

pub use counters::{FeedCounters, PodCounters};
pub use fault::SessionFault;
pub use generated::{GeneratedEvents, Volume};
pub use given::{GivenEvent, GivenEvents};
pub use refusal::RefusedHandshake;
pub use source::{Arrival, Arrivals, EventSource, Events, Position};

use proofpoint_sentinel_core::clock::Clock;
use proofpoint_sentinel_core::feed::Feed;
use proofpoint_sentinel_core::secret::Secret;
use scripts::Kind;
use server::Shared;

/// A cluster that the simulated Log API knows.
#[derive(Clone, Debug)]
pub struct PodCluster {
    /// The cluster id.
    pub id: String,
    /// The token that opens its log.
    pub token: Secret,
}

/// How the simulated Log API behaves.
#[derive(Clone)]
pub struct PodSettings {
    /// Decides which hours are over, how old a window is and what has arrived.
    pub clock: Clock,
    /// Who may ask.
    pub clusters: Vec<PodCluster>,
    /// Where events come from.
    pub source: Arc<dyn EventSource>,
    /// How long after its end an hour's events are in the archive. Before that it is empty.
    pub settle: SignedDuration,
    /// How long the slot of a session that was dropped without a close frame stays taken.
    pub ghost: Duration,
    /// Events in a second that a session sends at most.
    pub pace: Option<u32>,
}

impl PodSettings {
    /// An archive that fills half an hour late, without ghosts and as fast as it goes.
    pub fn new(clock: Clock, clusters: Vec<PodCluster>, source: Arc<dyn EventSource>) -> Self {
        let settle = SignedDuration::from_mins(30);
        PodSettings { clock, clusters, source, settle, ghost: Duration::ZERO, pace: None }
    }
}

/// The simulated Log API. Everything of it ends when this is dropped.
pub struct Pod {
    port: u16,
    shared: Arc<Shared>,
    _task: AbortOnDropHandle<()>,
}

impl Pod {
    /// Starts to listen on a free port of the loopback interface.
    ///
    /// # Errors
    /// Where no port can be had.
    pub async fn start(authority: &Authority, settings: PodSettings) -> io::Result<Pod> {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await?;
        let port = listener.local_addr()?.port();
        let shared = Arc::new(Shared::new(authority, settings));
        let task = tokio::spawn(server::serve(listener, Arc::clone(&shared)));
        Ok(Pod { port, shared, _task: AbortOnDropHandle::new(task) })
    }

    /// `wss://localhost:<port>`.
    pub fn uri(&self) -> Url {
        let text = format!("wss://localhost:{}", self.port);
        text.parse().expect("a host and a port make a URL")
    }

    /// Appends to what the next sessions of `feed` do wrong. Each fault serves one session; after
    /// the last of them sessions are sound again.
    pub fn script(&self, feed: &Feed, faults: impl IntoIterator<Item = SessionFault>) {
        self.shared.scripts.extend(feed, Kind::Any, faults);
    }

    /// As [`script`](Self::script), for the next live sessions. Faults for any session come first.
    pub fn script_live(&self, feed: &Feed, faults: impl IntoIterator<Item = SessionFault>) {
        self.shared.scripts.extend(feed, Kind::Live, faults);
    }

    /// As [`script`](Self::script), for the next sessions with the archive. Faults for any session
    /// come first.
    pub fn script_archive(&self, feed: &Feed, faults: impl IntoIterator<Item = SessionFault>) {
        self.shared.scripts.extend(feed, Kind::Archive, faults);
    }

    /// Resets the next `count` connections before TLS begins, whatever feed they are for: nobody
    /// has said that by then.
    pub fn reset_connections(&self, count: u64) {
        self.shared.resets.fetch_add(count, Relaxed);
    }

    /// What has happened so far.
    pub fn counters(&self) -> PodCounters {
        self.shared.counters.get()
    }

    /// Waits until the counters are as `wanted`.
    pub async fn wait_for(&self, wanted: impl FnMut(&PodCounters) -> bool) -> PodCounters {
        self.shared.counters.wait_for(wanted).await
    }

    /// Waits until a live session of `feed` has sent everything that has arrived by now.
    pub async fn live_caught_up(&self, feed: &Feed) {
        // The next look may have begun before this, the one after it can't have.
        let looks = self.counters().feed(feed).live_caught_up + 2;
        self.wait_for(|all| all.feed(feed).live_caught_up >= looks).await;
    }
}

#[cfg(test)]
mod tests;
