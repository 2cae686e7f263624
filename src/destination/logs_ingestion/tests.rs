//! Deliveries to the Logs Ingestion API of a workspace on loopback.

use std::sync::Arc;
use std::time::Duration;

use axum::http::StatusCode;
use axum::response::IntoResponse;
use azure_core::error::{Error, ErrorKind};
use proofpoint_sentinel_core::tables::tables;
use tokio::sync::Barrier;
use tokio::task::JoinSet;
use tokio::time::Instant;

use crate::destination::test_util::deliveries::{
    assert_all_held, batch, deliver, held_because, logs_ingestion, until,
};
use crate::destination::test_util::{FakeTokens, FakeWorkspace, ReceivedPost, accepted, error};
use crate::destination::throttle::FIRST_POSTS;

#[tokio::test]
async fn a_batch_arrives_whole() {
    let workspace = FakeWorkspace::start(async |_, _| accepted()).await;
    let outcome = deliver(&logs_ingestion(&workspace, &FakeTokens::default()), 3).await;
    assert_eq!(outcome.delivered, [0, 1, 2]);
    assert!(outcome.refused.is_empty() && outcome.held.is_empty());
    let [post] = &workspace.posts()[..] else { panic!("one post") };
    assert_eq!(
        post.path,
        "/dataCollectionRules/dcr-0123/streams/Custom-ProofpointPODMessage_CL\
         ?api-version=2023-01-01"
    );
    assert_eq!(post.header("authorization"), "Bearer token-1");
    assert_eq!(&post.json(), batch(3).body());
    assert_eq!(outcome.counts.posts, 1);
    assert_eq!(outcome.counts.retries, 0);
    assert_eq!(outcome.counts.sent_bytes, post.body.len() as u64);
    assert_eq!(outcome.counts.body_bytes, batch(3).body().len() as u64);
}

#[tokio::test]
async fn a_stale_token_is_replaced_once_for_all_posts() {
    let posts = usize::from(FIRST_POSTS);
    let together = Arc::new(Barrier::new(posts));
    let workspace = FakeWorkspace::start(move |_, post: ReceivedPost| {
        let together = Arc::clone(&together);
        async move {
            if post.header("authorization") == "Bearer token-1" {
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
    let mut outcomes = JoinSet::new();
    for _ in 0..posts {
        let destination = destination.clone();
        outcomes.spawn(async move { deliver(&destination, 2).await });
    }
    for outcome in outcomes.join_all().await {
        assert_eq!(outcome.delivered, [0, 1]);
        assert_eq!((outcome.counts.posts, outcome.counts.retries), (2, 1));
    }
    assert_eq!(tokens.asked(), 2);
}

#[tokio::test]
async fn a_token_that_is_never_accepted_holds_the_rows() {
    let workspace =
        FakeWorkspace::start(async |_, _| StatusCode::UNAUTHORIZED.into_response()).await;
    let tokens = FakeTokens::default();
    let outcome = deliver(&logs_ingestion(&workspace, &tokens), 2).await;
    assert_all_held(&outcome, 2);
    assert!(held_because(&outcome).to_string().contains("AZURE_CLOUD"));
    assert_eq!((outcome.counts.posts, tokens.asked()), (2, 2));
}

#[tokio::test]
async fn no_token_holds_the_rows_and_says_what_to_check() {
    let workspace = FakeWorkspace::start(async |_, _| accepted()).await;
    let fault = Error::with_message(ErrorKind::Credential, "identity not found");
    let outcome = deliver(&logs_ingestion(&workspace, &FakeTokens::failing([fault])), 2).await;
    assert_all_held(&outcome, 2);
    let reason = held_because(&outcome);
    assert!(reason.to_string().contains("identity not found"));
    assert!(reason.to_string().contains("11112222-3333-4444-5555-666677778888"));
    assert_eq!(outcome.counts.posts, 0);
}

#[tokio::test]
async fn the_token_request_is_retried_while_the_service_is_down() {
    let workspace = FakeWorkspace::start(async |_, _| accepted()).await;
    let fault = || Error::with_message(ErrorKind::Connection, "no route to host");
    let tokens = FakeTokens::failing([fault(), fault()]);
    let outcome = deliver(&logs_ingestion(&workspace, &tokens), 2).await;
    assert_eq!(outcome.delivered, [0, 1]);
    assert_eq!((outcome.counts.posts, outcome.counts.retries), (1, 0));
    assert_eq!(tokens.asked(), 3);
}

#[tokio::test]
async fn a_silent_token_service_is_named_when_time_is_up() {
    let workspace = FakeWorkspace::start(async |_, _| accepted()).await;
    let destination = logs_ingestion(&workspace, &FakeTokens::silent());
    // The clock stands still while anything but the token is waited for.
    tokio::time::pause();
    let deadline = Instant::now() + Duration::from_millis(50);
    let outcome = destination.deliver(tables()[0], batch(2), &until(deadline), |_| false).await;
    assert_all_held(&outcome, 2);
    let text = held_because(&outcome).to_string();
    assert!(text.contains("the run's time was up") && text.contains("AZURE_CLIENT_ID"), "{text}");
}

#[tokio::test]
async fn a_refused_post_holds_the_rows_and_says_what_to_check() {
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
        let outcome = deliver(&logs_ingestion(&workspace, &FakeTokens::default()), 2).await;
        assert_all_held(&outcome, 2);
        let text = held_because(&outcome).to_string();
        assert!(text.contains(wanted) && text.contains("OperationFailed: No."), "{text}");
        assert!(!text.contains("token-1"));
        assert_eq!(outcome.counts.posts, 1);
    }
}
