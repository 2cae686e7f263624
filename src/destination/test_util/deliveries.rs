//! Destinations for tests, batches for them, and what becomes of the rows.

use std::time::Duration;

use proofpoint_sentinel_core::clock::Clock;
use proofpoint_sentinel_core::secret::Secret;
use proofpoint_sentinel_core::tables::tables;
use serde_json::json;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use super::{FakeTokens, FakeWorkspace};
use crate::destination::data_collector::request::DataCollector;
use crate::destination::logs_ingestion::request::LogsIngestion;
use crate::destination::service::Service;
use crate::destination::{Batch, BatchOutcome, Destination, HeldReason, Limits, Packer};
use crate::lease_scope::LeaseScope;
use crate::net::Net;
use crate::retry::Backoff;

pub(in crate::destination) const QUICK: Backoff =
    Backoff { first: Duration::from_millis(1), longest: Duration::from_millis(2), tries: 3 };
pub(in crate::destination) const KEY: &str = "c2VjcmV0";

pub(in crate::destination) fn logs_ingestion(
    workspace: &FakeWorkspace,
    tokens: &FakeTokens,
) -> Destination {
    let service = LogsIngestion::new(&workspace.url, "dcr-0123", tokens.tokens()).unwrap();
    destination(Service::LogsIngestion(service), Clock::system())
}

pub(in crate::destination) fn data_collector(
    workspace: &FakeWorkspace,
    clock: Clock,
) -> Destination {
    let service = DataCollector::new("0a1b", &Secret::new(KEY), &workspace.url).unwrap();
    destination(Service::DataCollector(service), clock)
}

pub(in crate::destination) fn destination(service: Service, clock: Clock) -> Destination {
    Destination::of(service, &Net::new(None).unwrap(), clock, QUICK)
}

pub(in crate::destination) fn scope() -> LeaseScope {
    until(Instant::now() + Duration::from_secs(60))
}

pub(in crate::destination) fn until(deadline: Instant) -> LeaseScope {
    LeaseScope::new(&CancellationToken::new(), deadline)
}

/// Rows with the ids from 0, each tagged with its id.
pub(in crate::destination) fn batch(rows: usize) -> Batch<usize> {
    batch_of((0..rows).map(|id| json!({"id": id, "subject": "Grüße"}).to_string()))
}

pub(in crate::destination) fn batch_of(rows: impl Iterator<Item = String>) -> Batch<usize> {
    let mut packer = Packer::new(Limits { batch: usize::MAX, single: usize::MAX });
    for (id, row) in rows.enumerate() {
        assert!(packer.push(row.as_bytes(), id).unwrap().is_none());
    }
    packer.finish().unwrap()
}

pub(in crate::destination) async fn deliver(
    destination: &Destination,
    rows: usize,
) -> BatchOutcome<usize> {
    destination.deliver(tables()[0], batch(rows), &scope(), |_| false).await
}

pub(in crate::destination) fn refused(outcome: &BatchOutcome<usize>) -> Vec<usize> {
    outcome.refused.iter().map(|refused| refused.tag).collect()
}

pub(in crate::destination) fn unconfirmed(outcome: &BatchOutcome<usize>) -> Vec<usize> {
    outcome.unconfirmed.iter().map(|refused| refused.tag).collect()
}

pub(in crate::destination) fn held_because(outcome: &BatchOutcome<usize>) -> &HeldReason {
    outcome.hold.as_ref().expect("rows are held")
}

#[track_caller]
pub(in crate::destination) fn assert_all_held(outcome: &BatchOutcome<usize>, rows: usize) {
    assert!(outcome.delivered.is_empty() && outcome.refused.is_empty());
    let mut tags = outcome.held.clone();
    tags.sort_unstable();
    assert_eq!(tags, (0..rows).collect::<Vec<_>>());
}
