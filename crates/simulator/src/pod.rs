//! Simulates the Log API of Proofpoint on Demand: TLS, WebSockets, live and archive sessions, and
//! their faults.
//!
//! It refuses what the real API refuses, with the same status codes, and allows one session for each
//! token and event type. A session without times is live: it continues where the previous one
//! stopped, if that ended within the last hour; otherwise it starts with the events of the last
//! hour. Clients acknowledge nothing. `sinceTime` without `toTime` gets 501.

mod connection;
mod counters;
mod event_source;
mod fault_queues;
mod frames;
mod generated;
mod in_memory;
mod live_positions;
mod refused_handshake;
mod request;
mod server;
mod session;
mod session_events;
mod session_fault;
mod session_slots;
mod settings;

use std::io;
use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;

use proofpoint_sentinel_core::feed::Feed;
use proofpoint_sentinel_core::hour::Hour;
use tokio::net::TcpListener;
use tokio_util::task::AbortOnDropHandle;
use url::Url;

use crate::certificates::CertificateAuthority;

pub use counters::{FeedCounters, PodCounters};
pub use event_source::{Arrival, Arrivals, EventSource, Events, Position};
pub use generated::{GeneratedEvents, MailVolume};
pub use in_memory::{InMemoryEvents, SourceEvent};
pub use refused_handshake::RefusedHandshake;
pub use session_fault::SessionFault;
pub use settings::{PodCluster, PodSettings};

use fault_queues::SessionKind;
use server::PodServer;

/// The simulated Log API. Dropping it stops the server and its sessions.
pub struct Pod {
    port: u16,
    server: Arc<PodServer>,
    _task: AbortOnDropHandle<()>,
}

impl Pod {
    /// Starts the server on a free port of the loopback interface.
    ///
    /// # Errors
    /// If no port is free.
    pub async fn start(authority: &CertificateAuthority, settings: PodSettings) -> io::Result<Pod> {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await?;
        let port = listener.local_addr()?.port();
        let server = Arc::new(PodServer::new(authority, settings));
        let task = tokio::spawn(server::serve(listener, Arc::clone(&server)));
        Ok(Pod { port, server, _task: AbortOnDropHandle::new(task) })
    }

    /// `wss://localhost:<port>`.
    pub fn uri(&self) -> Url {
        let text = format!("wss://localhost:{}", self.port);
        text.parse().expect("a host and a port make a URL")
    }

    /// Adds faults for the next sessions of `feed`. Each fault affects one session.
    pub fn inject(&self, feed: &Feed, faults: impl IntoIterator<Item = SessionFault>) {
        self.server.fault_queues.extend(feed, SessionKind::Any, faults);
    }

    /// As [`inject`](Self::inject), for the next live sessions. Faults for any session come first.
    pub fn inject_live(&self, feed: &Feed, faults: impl IntoIterator<Item = SessionFault>) {
        self.server.fault_queues.extend(feed, SessionKind::Live, faults);
    }

    /// As [`inject`](Self::inject), for the next archive sessions. Faults for any session come first.
    pub fn inject_archive(&self, feed: &Feed, faults: impl IntoIterator<Item = SessionFault>) {
        self.server.fault_queues.extend(feed, SessionKind::Archive, faults);
    }

    /// Gives every archive session of `feed` that begins with `hour` this fault, until it is set to
    /// `None`. Faults of the next sessions come first.
    pub fn set_hour_fault(&self, feed: &Feed, hour: Hour, fault: Option<SessionFault>) {
        self.server.fault_queues.set_hour(feed, hour, fault);
    }

    /// Resets the next `count` connections before TLS begins. Their feeds are not known by then.
    pub fn reset_connections(&self, count: u64) {
        self.server.resets.fetch_add(count, Relaxed);
    }

    /// The current counters.
    pub fn counters(&self) -> PodCounters {
        self.server.counters.get()
    }

    /// Waits until `condition` is true for the counters.
    pub async fn wait_for(&self, condition: impl FnMut(&PodCounters) -> bool) -> PodCounters {
        self.server.counters.wait_for(condition).await
    }

    /// Waits until a live session of `feed` has sent all events that have arrived by now.
    pub async fn live_caught_up(&self, feed: &Feed) {
        // The current check may have begun before this call; the next one begins after it.
        let checks = self.counters().feed(feed).live_caught_up + 2;
        self.wait_for(|all| all.feed(feed).live_caught_up >= checks).await;
    }
}

#[cfg(test)]
mod tests;
