//! Batches that are refused as a whole, until the rows at fault stand alone.

use proofpoint_sentinel_core::tables::tables;
use rand::RngExt;
use serde_json::json;

use super::*;
use crate::destination::test_util::deliveries::{
    assert_all_held, batch_of, deliver, held_because, logs_ingestion, refused, scope,
};
use crate::destination::test_util::{FakeTokens, FakeWorkspace, ReceivedPost, accepted, error};

/// A workspace that refuses posts with such a row in them.
async fn refusing(bad: fn(u64) -> bool) -> FakeWorkspace {
    FakeWorkspace::start(move |_, post: ReceivedPost| async move {
        if post.has_row(bad) { error(400, "InvalidPayload", "a bad row") } else { accepted() }
    })
    .await
}

#[tokio::test]
async fn a_batch_that_is_too_long_is_halved() {
    let workspace = FakeWorkspace::start(async |_, post: ReceivedPost| {
        if post.rows().len() > 10 {
            error(413, "ContentLengthLimitExceeded", "too long")
        } else {
            accepted()
        }
    })
    .await;
    let outcome = deliver(&logs_ingestion(&workspace, &FakeTokens::default()), 40).await;
    assert_eq!(outcome.delivered, (0..40).collect::<Vec<_>>());
    assert_eq!((outcome.counts.posts, outcome.counts.retries), (7, 0));
}

#[tokio::test]
async fn a_batch_too_long_once_compressed_is_halved_without_a_post() {
    let workspace = FakeWorkspace::start(async |_, _| accepted()).await;
    let destination = logs_ingestion(&workspace, &FakeTokens::default());
    let noise = |length: usize| -> String {
        (0..length).map(|_| rand::rng().random_range('0'..='z')).filter(|&c| c != '\\').collect()
    };
    let rows = [noise(750_000), noise(750_000), noise(1_400_000)];
    let batch = batch_of(rows.iter().map(|noise| json!({"noise": noise}).to_string()));
    let outcome = destination.deliver(tables()[0], batch, &scope()).await;
    assert_eq!(outcome.delivered, [0, 1]);
    assert_eq!(refused(&outcome), [2]);
    assert!(matches!(outcome.refused[0].reason, RowRefusal::TooLongCompressed { .. }));
    assert_eq!(workspace.posts().len(), 2);
}

#[tokio::test]
async fn one_bad_row_is_found_among_a_hundred() {
    let workspace = refusing(|id| id == 37).await;
    let outcome = deliver(&logs_ingestion(&workspace, &FakeTokens::default()), 100).await;
    assert_eq!(refused(&outcome), [37]);
    assert_eq!(
        outcome.refused[0].reason.to_string(),
        "the workspace refuses the row: HTTP 400 InvalidPayload: a bad row"
    );
    let others: Vec<usize> = (0..100).filter(|&id| id != 37).collect();
    assert_eq!(outcome.delivered, others);
    assert!(outcome.held.is_none());
    assert!(outcome.counts.posts <= 15);
}

#[tokio::test]
async fn many_bad_rows_at_one_end_are_not_blamed_on_the_rule() {
    let workspace = refusing(|id| id < 40).await;
    let outcome = deliver(&logs_ingestion(&workspace, &FakeTokens::default()), 100).await;
    let mut bad = refused(&outcome);
    bad.sort_unstable();
    assert_eq!(bad, (0..40).collect::<Vec<_>>());
    assert_eq!(outcome.delivered.len(), 60);
}

#[tokio::test]
async fn when_every_row_is_refused_the_rows_are_held() {
    let workspace = refusing(|_| true).await;
    let destination = logs_ingestion(&workspace, &FakeTokens::default());
    for rows in [16, 17, 1000] {
        let outcome = deliver(&destination, rows).await;
        assert_all_held(&outcome, rows);
        assert!(matches!(held_because(&outcome), HeldReason::EveryRowRefused { .. }));
        assert!(outcome.counts.posts <= 90, "{} posts", outcome.counts.posts);
    }
    let few = deliver(&destination, 15).await;
    assert_eq!(refused(&few), (0..15).collect::<Vec<_>>());
    assert!(few.held.is_none());
}

#[tokio::test]
async fn rows_accepted_before_a_hold_stay_accepted() {
    let workspace = FakeWorkspace::start(async |nth, _| match nth {
        0 => error(413, "ContentLengthLimitExceeded", "too long"),
        1 => accepted(),
        _ => error(403, "OperationFailed", "role gone"),
    })
    .await;
    let outcome = deliver(&logs_ingestion(&workspace, &FakeTokens::default()), 4).await;
    assert_eq!(outcome.delivered, [0, 1]);
    assert_eq!(outcome.held.unwrap().tags, [2, 3]);
}
