//! The workspace as a destination: rows are packed into batches, batches are posted to Log
//! Analytics, and each row comes back delivered, refused or held.
//!
//! Two services take rows. New deployments use the Logs Ingestion API; the HTTP Data Collector API
//! is retired, but still takes rows from those who have nothing else. Each has a folder with its
//! limits and address (`config`), the making of a post (`request`) and the meaning of answers
//! (`classify`). They share the rest, which lies beside them.

mod answer;
mod batch;
mod bisect;
mod client;
mod data_collector;
mod error;
mod gzip;
mod logs_ingestion;
mod outcome;
mod service;
mod text;
mod throttle;
mod verdict;

#[cfg(test)]
mod test_util;

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use proofpoint_sentinel_core::clock::Clock;
use proofpoint_sentinel_core::tables::Table;
use tokio::time::Instant;

use crate::lease_scope::LeaseScope;
use crate::net::Net;
use crate::retry::Backoff;
use crate::settings::DestinationSettings;
pub use answer::{Answer, AnswerBody};
pub use batch::{Batch, Limits, Packer, RowTooLong};
use bisect::Bisection;
use client::Client;
use data_collector::request::DataCollector;
pub use data_collector::signature::Signer;
pub use error::{DestinationError, TokenError};
pub use gzip::gzip;
use logs_ingestion::request::LogsIngestion;
use logs_ingestion::token::Tokens;
use outcome::PostOutcome;
pub use outcome::{BatchOutcome, PostCounts, RefusedRow};
use service::Service;
use throttle::Throttle;
pub use verdict::{HeldReason, RowRefusal};

/// Passing faults are waited out for about two minutes in all, if the run's deadline allows.
const BACKOFF: Backoff =
    Backoff { first: Duration::from_secs(1), longest: Duration::from_secs(60), tries: 8 };

/// Where rows go. The feeds of a run share one; a clone is the same destination.
#[derive(Clone)]
pub struct Destination {
    client: Arc<Client>,
    backoff: Backoff,
}

impl Destination {
    /// The destination that the settings name. Nothing is sent yet; a token is requested with the
    /// first post.
    ///
    /// # Errors
    /// If the settings can't lead anywhere. The error names the setting.
    pub fn new(
        settings: &DestinationSettings,
        net: &Net,
        clock: Clock,
    ) -> Result<Destination, DestinationError> {
        let service = match settings {
            DestinationSettings::LogsIngestion { endpoint, dcr_immutable_id, identity } => {
                let tokens = Tokens::of(identity, net)?;
                Service::LogsIngestion(LogsIngestion::new(endpoint, dcr_immutable_id, tokens)?)
            }
            DestinationSettings::DataCollector { workspace_id, workspace_key, uri } => {
                Service::DataCollector(DataCollector::new(workspace_id, workspace_key, uri)?)
            }
        };
        Ok(Destination::of(service, net, clock, BACKOFF))
    }

    fn of(service: Service, net: &Net, clock: Clock, backoff: Backoff) -> Destination {
        let (http, throttle) = (net.http.clone(), Throttle::new());
        Destination { client: Arc::new(Client { service, http, clock, throttle }), backoff }
    }

    /// The same destination, where a passing fault is waited out but once: for rows that may wait.
    pub fn with_few_tries(&self) -> Destination {
        let backoff = Backoff { tries: 2, ..self.backoff };
        Destination { backoff, ..self.clone() }
    }

    /// How long its batches may be.
    pub fn limits(&self) -> Limits {
        self.client.service.limits()
    }

    /// Whether rows that are posted now would probably be answered by `deadline`, by how long answers
    /// take and how many posts wait.
    pub fn would_be_in_time(&self, deadline: Instant) -> bool {
        self.client.throttle.would_be_in_time(deadline)
    }

    /// For how long the service wants no posts.
    pub fn paused_for(&self) -> Duration {
        self.client.throttle.paused_for()
    }

    /// Posts nothing for `wait`, because the service asked for it in an earlier run.
    pub fn pause_for(&self, wait: Duration) {
        self.client.throttle.pause_for(wait);
    }

    /// Makes sure that rows could be posted now, as far as that can be known without a post.
    ///
    /// # Errors
    /// If there is no token to post with, nor one by `deadline`.
    pub async fn prepare(&self, deadline: Instant) -> Result<(), HeldReason> {
        self.client.prepare(self.backoff, deadline).await
    }

    /// Posts no rows to `table`, to see whether the service takes posts: it answers for itself, and
    /// accepts the identity.
    ///
    /// # Errors
    /// Why it takes none.
    pub async fn probe(&self, table: &'static Table, scope: &LeaseScope) -> Result<(), HeldReason> {
        let nothing = Bytes::from_static(b"[]");
        match self.post(table, &nothing, scope, &mut PostCounts::default()).await {
            PostOutcome::Delivered | PostOutcome::Split(_) => Ok(()),
            PostOutcome::Held(reason) => Err(reason),
        }
    }

    /// Delivers `batch` to `table` within `scope`, and says what became of each row.
    ///
    /// The services accept or refuse a post as a whole, so a refused batch is halved until the
    /// rows at fault stand alone. A row is refused for good only if the table took another one after
    /// its refusal, and it was refused once more after that. `is_bracketed` says of which rows the
    /// former is known. Rows whose answer was lost are held, or posted again: then the workspace may
    /// have them twice.
    pub async fn deliver<T>(
        &self,
        table: &'static Table,
        batch: Batch<T>,
        scope: &LeaseScope,
        is_bracketed: impl Fn(&T) -> bool,
    ) -> BatchOutcome<T> {
        let mut bisection = Bisection::new(batch);
        while let Some(part) = bisection.next_part() {
            match self.post(table, part.body(), scope, bisection.counts()).await {
                PostOutcome::Delivered => bisection.deliver(part),
                PostOutcome::Split(refusal) => bisection.split(part, refusal),
                PostOutcome::Held(reason) => bisection.hold(part, reason),
            }
        }
        while let Some(part) = bisection.next_suspect(&is_bracketed) {
            match self.post(table, part.body(), scope, bisection.counts()).await {
                PostOutcome::Delivered => bisection.deliver(part),
                PostOutcome::Split(refusal) => bisection.refuse(part, &refusal),
                PostOutcome::Held(reason) => bisection.hold(part, reason),
            }
        }
        bisection.finish()
    }

    async fn post(
        &self,
        table: &'static Table,
        json: &Bytes,
        scope: &LeaseScope,
        counts: &mut PostCounts,
    ) -> PostOutcome {
        self.client.post(table, json, (scope, self.backoff), counts).await
    }
}
