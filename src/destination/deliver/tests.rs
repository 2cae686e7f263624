//! Deliveries to a workspace on loopback.

mod data_collector;
mod halving;

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use axum::http::StatusCode;
use axum::response::IntoResponse;
use azure_core::error::{Error, ErrorKind};
use proofpoint_sentinel_core::secret::Secret;
use proofpoint_sentinel_core::tables::tables;
use serde_json::json;
use tokio::net::TcpListener;
use tokio::sync::Barrier;
use tokio::task::JoinSet;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use super::*;
use crate::destination::Packer;
use crate::destination::fakes::{FakeTokens, FakeWorkspace, Hit, accepted, error};

const QUICK: Backoff =
    Backoff { first: Duration::from_millis(1), longest: Duration::from_millis(2), tries: 3 };
const KEY: &str = "c2VjcmV0";

fn logs_ingestion(workspace: &FakeWorkspace, tokens: &FakeTokens) -> Destination {
    let service = LogsIngestion::new(&workspace.url, "dcr-0123", tokens.tokens()).unwrap();
    destination(Service::LogsIngestion(service), Clock::system())
}

fn data_collector(workspace: &FakeWorkspace, clock: Clock) -> Destination {
    let service = DataCollector::new("0a1b", &Secret::new(KEY), &workspace.url).unwrap();
    destination(Service::DataCollector(service), clock)
}

fn destination(service: Service, clock: Clock) -> Destination {
    Destination::of(service, &Net::new(None).unwrap(), clock, QUICK)
}

fn scope() -> LeaseScope {
    until(Instant::now() + Duration::from_secs(60))
}

fn until(deadline: Instant) -> LeaseScope {
    LeaseScope::new(&CancellationToken::new(), deadline)
}

/// Rows with the ids from 0, each tagged with its id.
fn batch(rows: usize) -> Batch<usize> {
    batch_of((0..rows).map(|id| json!({"id": id, "subject": "Grüße"}).to_string()))
}

fn batch_of(rows: impl Iterator<Item = String>) -> Batch<usize> {
    let mut packer = Packer::new(Limits { batch: usize::MAX, single: usize::MAX });
    for (id, row) in rows.enumerate() {
        assert!(packer.push(row.as_bytes(), id).unwrap().is_none());
    }
    packer.finish().unwrap()
}

async fn deliver(destination: &Destination, rows: usize) -> Delivery<usize> {
    destination.deliver(tables()[0], batch(rows), &scope()).await
}

fn refused(delivery: &Delivery<usize>) -> Vec<usize> {
    delivery.refused.iter().map(|refused| refused.tag).collect()
}

fn held_because(delivery: &Delivery<usize>) -> &HeldReason {
    &delivery.held.as_ref().expect("rows are held").reason
}

#[track_caller]
fn assert_all_held(delivery: &Delivery<usize>, rows: usize) {
    assert!(delivery.delivered.is_empty() && delivery.refused.is_empty());
    let mut tags = delivery.held.as_ref().expect("rows are held").tags.clone();
    tags.sort_unstable();
    assert_eq!(tags, (0..rows).collect::<Vec<_>>());
}

#[tokio::test]
async fn a_batch_arrives_whole() {
    let workspace = FakeWorkspace::start(async |_, _| accepted()).await;
    let delivery = deliver(&logs_ingestion(&workspace, &FakeTokens::default()), 3).await;
    assert_eq!(delivery.delivered, [0, 1, 2]);
    assert!(delivery.refused.is_empty() && delivery.held.is_none());
    let [hit] = &workspace.hits()[..] else { panic!("one post") };
    assert_eq!(
        hit.path,
        "/dataCollectionRules/dcr-0123/streams/Custom-ProofpointPODMessage_CL\
         ?api-version=2023-01-01"
    );
    assert_eq!(hit.header("authorization"), "Bearer token-1");
    assert_eq!(&hit.json(), batch(3).body());
    assert_eq!(delivery.posts, 1);
    assert_eq!(delivery.retries, 0);
    assert_eq!(delivery.sent_bytes, hit.body.len() as u64);
    assert_eq!(delivery.body_bytes, batch(3).body().len() as u64);
}

#[tokio::test]
async fn a_passing_fault_is_waited_out() {
    let workspace = FakeWorkspace::start(async |nth, _| match nth {
        0 => error(503, "ServiceUnavailable", "try later"),
        1 => StatusCode::REQUEST_TIMEOUT.into_response(),
        _ => accepted(),
    })
    .await;
    let delivery = deliver(&logs_ingestion(&workspace, &FakeTokens::default()), 2).await;
    assert_eq!(delivery.delivered, [0, 1]);
    assert_eq!((delivery.posts, delivery.retries), (3, 2));
    let ids: Vec<_> = workspace
        .hits()
        .iter()
        .map(|hit| hit.header("x-ms-client-request-id").to_owned())
        .collect();
    assert!(ids[0] != ids[1] && ids[1] != ids[2]);
}

#[tokio::test]
async fn a_fault_that_does_not_pass_holds_the_rows() {
    let workspace = FakeWorkspace::start(async |_, _| error(503, "Busy", "try later")).await;
    let delivery = deliver(&logs_ingestion(&workspace, &FakeTokens::default()), 2).await;
    assert_all_held(&delivery, 2);
    let last = "HTTP 503 Busy: try later".to_owned();
    assert_eq!(held_because(&delivery), &HeldReason::Unavailable { tries: 3, last });
    assert_eq!(workspace.hits().len(), 3);
}

#[tokio::test]
async fn a_broken_connection_is_tried_again() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let (send_workspace, workspace) = tokio::sync::oneshot::channel();
    tokio::spawn(async move {
        drop(listener.accept().await.unwrap());
        let workspace = FakeWorkspace::start_on(listener, async |_, _| accepted());
        assert!(send_workspace.send(workspace).is_ok());
    });
    let service = DataCollector::new(
        "0a1b",
        &Secret::new(KEY),
        &format!("http://{address}").parse().unwrap(),
    );
    let destination = destination(Service::DataCollector(service.unwrap()), Clock::system());
    let delivery = deliver(&destination, 2).await;
    assert_eq!(delivery.delivered, [0, 1]);
    assert_eq!((delivery.posts, delivery.retries), (2, 1));
    assert_eq!(workspace.await.unwrap().hits().len(), 1);
}

#[tokio::test]
async fn retry_after_holds_all_batches_back() {
    let workspace = FakeWorkspace::start(async |nth, _| match nth {
        0 => (StatusCode::TOO_MANY_REQUESTS, [("retry-after", "1")]).into_response(),
        _ => accepted(),
    })
    .await;
    let destination = logs_ingestion(&workspace, &FakeTokens::default());
    let too_soon = Instant::now() + Duration::from_millis(900);
    let first = destination.deliver(tables()[0], batch(1), &until(too_soon)).await;
    assert_all_held(&first, 1);
    assert!(Instant::now() < too_soon, "there is nothing to wait for");
    let second = deliver(&destination, 2).await;
    assert_eq!(second.delivered, [0, 1]);
    assert_eq!(second.posts, 1);
    let hits = workspace.hits();
    assert!(hits[1].at - hits[0].at >= Duration::from_secs(1));
}

#[tokio::test]
async fn a_stale_token_is_replaced_once_for_all_posts() {
    let together = Arc::new(Barrier::new(POSTS));
    let workspace = FakeWorkspace::start(move |_, hit: Hit| {
        let together = Arc::clone(&together);
        async move {
            if hit.header("authorization") == "Bearer token-1" {
                together.wait().await;
                StatusCode::UNAUTHORIZED.into_response()
            } else {
                accepted()
            }
        }
    })
    .await;
    let tokens = FakeTokens::default();
    let destination = logs_ingestion(&workspace, &tokens);
    let mut deliveries = JoinSet::new();
    for _ in 0..POSTS {
        let destination = destination.clone();
        deliveries.spawn(async move { deliver(&destination, 2).await });
    }
    for delivery in deliveries.join_all().await {
        assert_eq!(delivery.delivered, [0, 1]);
        assert_eq!((delivery.posts, delivery.retries), (2, 1));
    }
    assert_eq!(tokens.asked(), 2);
}

#[tokio::test]
async fn a_token_that_is_never_accepted_holds_the_rows() {
    let workspace =
        FakeWorkspace::start(async |_, _| StatusCode::UNAUTHORIZED.into_response()).await;
    let tokens = FakeTokens::default();
    let delivery = deliver(&logs_ingestion(&workspace, &tokens), 2).await;
    assert_all_held(&delivery, 2);
    assert!(held_because(&delivery).to_string().contains("AZURE_CLOUD"));
    assert_eq!((delivery.posts, tokens.asked()), (2, 2));
}

#[tokio::test]
async fn no_token_holds_the_rows_and_says_what_to_check() {
    let workspace = FakeWorkspace::start(async |_, _| accepted()).await;
    let fault = Error::with_message(ErrorKind::Credential, "identity not found");
    let delivery = deliver(&logs_ingestion(&workspace, &FakeTokens::failing([fault])), 2).await;
    assert_all_held(&delivery, 2);
    let reason = held_because(&delivery);
    assert!(reason.to_string().contains("identity not found"));
    assert!(reason.to_string().contains("11112222-3333-4444-5555-666677778888"));
    assert_eq!(delivery.posts, 0);
}

#[tokio::test]
async fn a_token_service_that_is_away_is_waited_for() {
    let workspace = FakeWorkspace::start(async |_, _| accepted()).await;
    let fault = || Error::with_message(ErrorKind::Connection, "no route to host");
    let tokens = FakeTokens::failing([fault(), fault()]);
    let delivery = deliver(&logs_ingestion(&workspace, &tokens), 2).await;
    assert_eq!(delivery.delivered, [0, 1]);
    assert_eq!((delivery.posts, delivery.retries), (1, 0));
    assert_eq!(tokens.asked(), 3);
}

#[tokio::test]
async fn a_token_service_that_is_mute_is_named_when_time_is_up() {
    let workspace = FakeWorkspace::start(async |_, _| accepted()).await;
    let destination = logs_ingestion(&workspace, &FakeTokens::mute());
    let deadline = Instant::now() + Duration::from_millis(50);
    let delivery = destination.deliver(tables()[0], batch(2), &until(deadline)).await;
    assert_all_held(&delivery, 2);
    let text = held_because(&delivery).to_string();
    assert!(text.contains("the run's time was up") && text.contains("AZURE_CLIENT_ID"), "{text}");
}

#[tokio::test]
async fn refusals_of_the_post_hold_the_rows_and_say_what_to_check() {
    for (status, wanted) in [
        (403, "Monitoring Metrics Publisher"),
        (404, "LogsIngestionEndpoint and DcrImmutableId"),
        (404, "Custom-ProofpointPODMessage_CL"),
        (302, "proxy"),
    ] {
        let workspace =
            FakeWorkspace::start(
                move |_, _| async move { error(status, "OperationFailed", "No.") },
            )
            .await;
        let delivery = deliver(&logs_ingestion(&workspace, &FakeTokens::default()), 2).await;
        assert_all_held(&delivery, 2);
        let text = held_because(&delivery).to_string();
        assert!(text.contains(wanted) && text.contains("OperationFailed: No."), "{text}");
        assert!(!text.contains("token-1"));
        assert_eq!(delivery.posts, 1);
    }
}

#[tokio::test]
async fn the_deadline_holds_the_rows() {
    let workspace = FakeWorkspace::start(async |_, _| std::future::pending().await).await;
    let destination = logs_ingestion(&workspace, &FakeTokens::default());
    let deadline = Instant::now() + Duration::from_millis(500);
    let delivery = destination.deliver(tables()[0], batch(2), &until(deadline)).await;
    assert!(Instant::now() >= deadline);
    assert_all_held(&delivery, 2);
    assert!(matches!(held_because(&delivery), HeldReason::OutOfTime { last: Some(_) }));
    assert_eq!(delivery.posts, 1);
    let delivery = destination.deliver(tables()[0], batch(2), &until(deadline)).await;
    assert_all_held(&delivery, 2);
    assert_eq!(held_because(&delivery), &HeldReason::OutOfTime { last: None });
    assert_eq!(delivery.posts, 0);
}

#[tokio::test]
async fn a_bounded_number_of_posts_is_under_way() {
    let under_way = Arc::new(AtomicUsize::new(0));
    let most = Arc::new(AtomicUsize::new(0));
    let together = Arc::new(Barrier::new(POSTS));
    let seen = Arc::clone(&most);
    let workspace = FakeWorkspace::start(move |_, _| {
        let (under_way, seen) = (Arc::clone(&under_way), Arc::clone(&seen));
        let together = Arc::clone(&together);
        async move {
            seen.fetch_max(under_way.fetch_add(1, Ordering::SeqCst) + 1, Ordering::SeqCst);
            together.wait().await;
            under_way.fetch_sub(1, Ordering::SeqCst);
            accepted()
        }
    })
    .await;
    let destination = logs_ingestion(&workspace, &FakeTokens::default());
    let mut deliveries = JoinSet::new();
    for _ in 0..3 * POSTS {
        let destination = destination.clone();
        deliveries.spawn(async move { deliver(&destination, 1).await });
    }
    assert!(deliveries.join_all().await.iter().all(|delivery| delivery.delivered == [0]));
    assert_eq!(most.load(Ordering::SeqCst), POSTS);
}

#[tokio::test]
async fn no_post_begins_after_the_lease_is_lost() {
    let workspace = FakeWorkspace::start(async |_, _| accepted()).await;
    let tokens = FakeTokens::default();
    let scope = scope();
    scope.lose();
    let delivery = logs_ingestion(&workspace, &tokens).deliver(tables()[0], batch(2), &scope).await;
    assert_all_held(&delivery, 2);
    assert_eq!(*held_because(&delivery), HeldReason::LeaseLost);
    assert_eq!((delivery.posts, workspace.hits().len()), (0, 0));
}

#[tokio::test]
async fn a_lease_lost_between_tries_ends_them_at_once() {
    let scope = until(Instant::now() + Duration::from_secs(86_400));
    let lease = scope.clone();
    let workspace = FakeWorkspace::start(move |_, _| {
        lease.lose();
        std::future::ready(error(503, "Busy", "later"))
    })
    .await;
    let patient = Backoff { first: Duration::from_secs(3600), ..QUICK };
    let service =
        LogsIngestion::new(&workspace.url, "dcr-0123", FakeTokens::default().tokens()).unwrap();
    let service = Service::LogsIngestion(service);
    let destination = Destination::of(service, &Net::new(None).unwrap(), Clock::system(), patient);
    let delivery = destination.deliver(tables()[0], batch(2), &scope).await;
    assert_all_held(&delivery, 2);
    assert_eq!(*held_because(&delivery), HeldReason::LeaseLost);
    assert_eq!(delivery.posts, 1);
}
