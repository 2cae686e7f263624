//! Batches that are refused as a whole, until the rows at fault stand alone.

use proofpoint_sentinel_core::tables::tables;
use rand::RngExt;
use serde_json::json;

use super::*;
use crate::destination::test_util::deliveries::{
    batch, batch_of, deliver, logs_ingestion, refused, scope, unconfirmed,
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
    let outcome = destination.deliver(tables()[0], batch, &scope(), |_| false).await;
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
    assert!(outcome.held.is_empty());
    assert!(outcome.counts.posts <= 16);
}

#[tokio::test]
async fn many_bad_rows_at_one_end_are_not_blamed_on_the_rule() {
    let workspace = refusing(|id| id < 40).await;
    let outcome = deliver(&logs_ingestion(&workspace, &FakeTokens::default()), 100).await;
    // Nothing is taken any more after some of them.
    let mut bad = [refused(&outcome), unconfirmed(&outcome)].concat();
    bad.sort_unstable();
    assert_eq!(bad, (0..40).collect::<Vec<_>>());
    assert!(refused(&outcome).len() > 20 && outcome.held.is_empty());
    assert_eq!(outcome.delivered.len(), 60);
}

#[tokio::test]
async fn when_every_row_is_refused_none_is_given_up() {
    let workspace = refusing(|_| true).await;
    let destination = logs_ingestion(&workspace, &FakeTokens::default());
    for rows in [1, 2, 7, 15, 16, 17, 31, 32, 33, 1000] {
        let outcome = deliver(&destination, rows).await;
        assert_eq!((refused(&outcome), outcome.delivered.len()), (vec![], 0), "{rows} rows");
        let held = outcome.held.len();
        assert_eq!(unconfirmed(&outcome).len() + held, rows);
        assert!(outcome.counts.posts <= 90, "{} posts", outcome.counts.posts);
        assert_eq!(held > 0, rows > 32, "{rows} rows");
    }
}

#[tokio::test]
async fn a_row_is_refused_for_good_only_after_another_was_taken() {
    for rows in [2, 3, 7, 15, 16, 17, 33, 500] {
        // The last row is tried last, so nothing is taken after it. It is the other way round with
        // the first one.
        let last = refusing_one(rows - 1).await;
        let outcome = deliver(&logs_ingestion(&last, &FakeTokens::default()), rows).await;
        assert_eq!((refused(&outcome), unconfirmed(&outcome)), (vec![], vec![rows - 1]));
        let first = refusing_one(0).await;
        let outcome = deliver(&logs_ingestion(&first, &FakeTokens::default()), rows).await;
        assert_eq!((refused(&outcome), unconfirmed(&outcome)), (vec![0], vec![]));
        assert_eq!(outcome.delivered.len(), rows - 1);
    }
}

#[tokio::test]
async fn what_is_known_of_earlier_batches_counts_as_evidence() {
    let workspace = refusing(|_| true).await;
    let destination = logs_ingestion(&workspace, &FakeTokens::default());
    let outcome = destination.deliver(tables()[0], batch(7), &scope(), |id| id % 2 == 0).await;
    assert_eq!(refused(&outcome), [0, 2, 4, 6]);
    assert_eq!(unconfirmed(&outcome), [1, 3, 5]);
}

#[tokio::test]
async fn a_row_that_is_taken_at_its_second_try_is_delivered() {
    // A rule that heals while the batch is sorted.
    let workspace = FakeWorkspace::start(async |nth, _| match nth {
        0 | 1 => error(400, "InvalidPayload", "a bad row"),
        _ => accepted(),
    })
    .await;
    let outcome = deliver(&logs_ingestion(&workspace, &FakeTokens::default()), 2).await;
    assert_eq!((outcome.delivered, outcome.refused.len()), (vec![1, 0], 0));
}

/// A workspace that refuses posts with the row of this id.
async fn refusing_one(bad: usize) -> FakeWorkspace {
    FakeWorkspace::start(move |_, post: ReceivedPost| async move {
        match post.has_row(|id| id == bad as u64) {
            true => error(400, "InvalidPayload", "a bad row"),
            false => accepted(),
        }
    })
    .await
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
    assert_eq!(outcome.held, [2, 3]);
}
