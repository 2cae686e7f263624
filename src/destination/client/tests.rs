//! Tries of one post, against a workspace on loopback.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use axum::http::StatusCode;
use axum::response::IntoResponse;
use proofpoint_sentinel_core::secret::Secret;
use proofpoint_sentinel_core::tables::tables;
use tokio::net::TcpListener;
use tokio::sync::{Barrier, Notify};
use tokio::task::JoinSet;
use tokio::time::Instant;

use super::*;
use crate::destination::Destination;
use crate::destination::data_collector::request::DataCollector;
use crate::destination::logs_ingestion::request::LogsIngestion;
use crate::destination::test_util::deliveries::{
    KEY, QUICK, assert_all_held, batch, deliver, destination, held_because, logs_ingestion, scope,
    until,
};
use crate::destination::test_util::{FakeTokens, FakeWorkspace, accepted, collected, error};
use crate::destination::throttle::FIRST_POSTS;
use crate::net::Net;

#[tokio::test]
async fn a_passing_fault_is_retried_until_it_passes() {
    let workspace = FakeWorkspace::start(async |nth, _| match nth {
        0 => error(503, "ServiceUnavailable", "try later"),
        1 => StatusCode::REQUEST_TIMEOUT.into_response(),
        _ => accepted(),
    })
    .await;
    let outcome = deliver(&logs_ingestion(&workspace, &FakeTokens::default()), 2).await;
    assert_eq!(outcome.delivered, [0, 1]);
    assert_eq!((outcome.counts.posts, outcome.counts.retries), (3, 2));
    let ids: Vec<_> = workspace
        .posts()
        .iter()
        .map(|post| post.header("x-ms-client-request-id").to_owned())
        .collect();
    assert!(ids[0] != ids[1] && ids[1] != ids[2]);
}

#[tokio::test]
async fn a_fault_that_does_not_pass_holds_the_rows() {
    let workspace = FakeWorkspace::start(async |_, _| error(503, "Busy", "try later")).await;
    let outcome = deliver(&logs_ingestion(&workspace, &FakeTokens::default()), 2).await;
    assert_all_held(&outcome, 2);
    let last = "HTTP 503 Busy: try later".to_owned();
    assert_eq!(held_because(&outcome), &HeldReason::Unavailable { tries: 3, last });
    assert_eq!(workspace.posts().len(), 3);
}

#[tokio::test]
async fn a_post_is_retried_after_a_broken_connection() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let (send_workspace, workspace) = tokio::sync::oneshot::channel();
    tokio::spawn(async move {
        drop(listener.accept().await.unwrap());
        let workspace = FakeWorkspace::start_on(listener, async |_, _| collected());
        assert!(send_workspace.send(workspace).is_ok());
    });
    let service = DataCollector::new(
        "0a1b",
        &Secret::new(KEY),
        &format!("http://{address}").parse().unwrap(),
    );
    let destination = destination(Service::DataCollector(service.unwrap()), Clock::system());
    let outcome = deliver(&destination, 2).await;
    assert_eq!(outcome.delivered, [0, 1]);
    assert_eq!((outcome.counts.posts, outcome.counts.retries), (2, 1));
    assert_eq!(workspace.await.unwrap().posts().len(), 1);
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
    let first = destination.deliver(tables()[0], batch(1), &until(too_soon), |_| false).await;
    assert_all_held(&first, 1);
    assert!(Instant::now() < too_soon, "there is nothing to wait for");
    let second = deliver(&destination, 2).await;
    assert_eq!(second.delivered, [0, 1]);
    assert_eq!(second.counts.posts, 1);
    let posts = workspace.posts();
    assert!(posts[1].at - posts[0].at >= Duration::from_secs(1));
}

#[tokio::test]
async fn the_deadline_holds_the_rows() {
    let arrived = Arc::new(Notify::new());
    let told = Arc::clone(&arrived);
    let workspace = FakeWorkspace::start(move |_, _| {
        told.notify_one();
        std::future::pending()
    })
    .await;
    let destination = logs_ingestion(&workspace, &FakeTokens::default());
    let deadline = Instant::now() + Duration::from_secs(60);
    let scope = until(deadline);
    let delivery = destination.deliver(tables()[0], batch(2), &scope, |_| false);
    let (outcome, ()) = tokio::join!(delivery, async {
        arrived.notified().await;
        // From here on the clock runs as fast as it can.
        tokio::time::pause();
    });
    assert!(Instant::now() >= deadline);
    assert_all_held(&outcome, 2);
    assert!(matches!(held_because(&outcome), HeldReason::OutOfTime { last: Some(_) }));
    assert_eq!(outcome.counts.posts, 1);
    let outcome = destination.deliver(tables()[0], batch(2), &until(deadline), |_| false).await;
    assert_all_held(&outcome, 2);
    assert_eq!(held_because(&outcome), &HeldReason::OutOfTime { last: None });
    assert_eq!(outcome.counts.posts, 0);
}

#[tokio::test]
async fn the_number_of_posts_in_flight_is_bounded() {
    let in_flight = Arc::new(AtomicUsize::new(0));
    let most = Arc::new(AtomicUsize::new(0));
    let posts = usize::from(FIRST_POSTS);
    let together = Arc::new(Barrier::new(posts));
    let seen = Arc::clone(&most);
    let workspace = FakeWorkspace::start(move |_, _| {
        let (in_flight, seen) = (Arc::clone(&in_flight), Arc::clone(&seen));
        let together = Arc::clone(&together);
        async move {
            seen.fetch_max(in_flight.fetch_add(1, Ordering::SeqCst) + 1, Ordering::SeqCst);
            together.wait().await;
            in_flight.fetch_sub(1, Ordering::SeqCst);
            accepted()
        }
    })
    .await;
    let destination = logs_ingestion(&workspace, &FakeTokens::default());
    let mut outcomes = JoinSet::new();
    for _ in 0..3 * posts {
        let destination = destination.clone();
        outcomes.spawn(async move { deliver(&destination, 1).await });
    }
    assert!(outcomes.join_all().await.iter().all(|outcome| outcome.delivered == [0]));
    // It grows by one a round.
    let most = most.load(Ordering::SeqCst);
    assert!((posts..=posts + 2).contains(&most), "{most}");
}

#[tokio::test]
async fn no_post_begins_after_the_lease_is_lost() {
    let workspace = FakeWorkspace::start(async |_, _| accepted()).await;
    let tokens = FakeTokens::default();
    let scope = scope();
    scope.lose();
    let outcome =
        logs_ingestion(&workspace, &tokens).deliver(tables()[0], batch(2), &scope, |_| false).await;
    assert_all_held(&outcome, 2);
    assert_eq!(*held_because(&outcome), HeldReason::LeaseLost);
    assert_eq!((outcome.counts.posts, workspace.posts().len()), (0, 0));
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
    let outcome = destination.deliver(tables()[0], batch(2), &scope, |_| false).await;
    assert_all_held(&outcome, 2);
    assert_eq!(*held_because(&outcome), HeldReason::LeaseLost);
    assert_eq!(outcome.counts.posts, 1);
}
