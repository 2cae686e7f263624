//! Simulates the SIEM API of Targeted Attack Protection: messages with threats, and clicks on them.
//!
//! It answers what the real API answers, with the same texts: windows that are too short, too far
//! back or still current, wrong credentials, and calls over the budget. A window selects records by
//! the time of their creation: the later of the message or click and the verdict. Records can be
//! indexed late, so that a window that was read has more of them afterwards. Arrays are in another
//! order in each call.

mod body;
mod budget;
mod call_fault;
mod counters;
mod endpoint;
mod fault_queues;
mod generated;
mod huge;
mod in_memory;
mod query;
mod record;
mod record_source;
mod reorder;
mod response;
mod server;
mod settings;
mod syslog;
mod transfer;
mod window;

use std::io;
use std::ops::Range;
use std::sync::Arc;

use axum::Router;
use jiff::Timestamp;
use proofpoint_sentinel_core::hour::Hour;
use url::Url;

use crate::certificates::CertificateAuthority;
use crate::http_server::HttpServer;

pub use call_fault::CallFault;
pub use counters::{TapCall, TapCounters};
pub use endpoint::{CallPool, Endpoint};
pub use generated::GeneratedRecords;
pub use in_memory::InMemoryRecords;
pub use record::{RecordThreat, TapRecord, ThreatStatus, ThreatType};
pub use record_source::RecordSource;
pub use response::TapResponse;
pub use settings::{TapCredential, TapSettings};

use server::TapServer;

/// The simulated SIEM API. Dropping it stops its server.
pub struct Tap {
    http: HttpServer,
    server: Arc<TapServer>,
}

impl Tap {
    /// Starts the server on a free port of the loopback interface.
    ///
    /// # Errors
    /// If no port is free.
    pub async fn start(authority: &CertificateAuthority, settings: TapSettings) -> io::Result<Tap> {
        let server = Arc::new(TapServer::new(settings));
        let router = Router::new().fallback(server::receive).with_state(Arc::clone(&server));
        let http = HttpServer::tls(router, authority.server_config()).await?;
        Ok(Tap { http, server })
    }

    /// `https://localhost:<port>`.
    pub fn uri(&self) -> Url {
        let text = format!("https://localhost:{}", self.http.port());
        text.parse().expect("a host and a port make a URL")
    }

    /// Its settings.
    pub fn settings(&self) -> &TapSettings {
        &self.server.settings
    }

    /// The records of a credential that were created in `window` and that calls at `now` return,
    /// whatever their threats.
    pub fn records(
        &self,
        principal: &str,
        window: &Range<Timestamp>,
        now: Timestamp,
    ) -> Vec<TapRecord> {
        self.settings().source.records(principal, window, now)
    }

    /// Adds faults for the next valid calls of a credential. Each fault affects one call.
    pub fn inject(&self, principal: &str, faults: impl IntoIterator<Item = CallFault>) {
        self.server.fault_queues.extend(principal, faults);
    }

    /// Gives every call of a credential for exactly `hour` this fault, until it is set to `None`.
    /// Faults of the next calls come first.
    pub fn set_hour_fault(&self, principal: &str, hour: Hour, fault: Option<CallFault>) {
        self.server.fault_queues.set_hour(principal, hour, fault);
    }

    /// Takes back the faults that no call has met yet.
    pub fn clear_faults(&self) {
        self.server.fault_queues.clear();
    }

    /// How many calls of a credential count now.
    pub fn calls_used(&self, principal: &str, pool: CallPool) -> usize {
        self.server.budget.used(principal, pool, self.settings().clock.now())
    }

    /// Counts `count` calls of another user of the credential, made at `at`.
    pub fn spend_calls(&self, principal: &str, pool: CallPool, at: Timestamp, count: usize) {
        self.server.budget.spend(principal, pool, at, count);
    }

    /// The requests of known credentials to end points, in their order: the last ten thousand or
    /// more.
    pub fn calls(&self) -> Vec<TapCall> {
        self.server.calls()
    }

    /// The current counters.
    pub fn counters(&self) -> TapCounters {
        self.server.counters.get()
    }

    /// Waits until `condition` is true for the counters.
    pub async fn wait_for(&self, condition: impl FnMut(&TapCounters) -> bool) -> TapCounters {
        self.server.counters.wait_for(condition).await
    }
}

#[cfg(test)]
mod tests;
