use std::path::Path;

use jiff::Timestamp;
use proofpoint_sentinel_core::feed::{EventType, Feed};
use proofpoint_sentinel_core::hour::Hour;

use super::checkpoints::checkpoint_name;
use super::store::status_name;
use super::*;
use crate::net::Net;
use crate::settings::StateSettings;

async fn open(directory: &Path) -> State {
    let settings = StateSettings::Directory(directory.to_owned());
    State::open(&settings, &Net::new(None).unwrap()).await.unwrap()
}

fn feed() -> Feed {
    Feed::log("a/b c%41+ü_hosted", EventType::Audit)
}

fn checkpoint(sequence: u64) -> Checkpoint {
    let now = "2026-11-20T10:46:00Z".parse().unwrap();
    let first = Checkpoint::starting_at(Hour::containing(now), &feed(), "run-1", now);
    Checkpoint { sequence, ..first }
}

#[tokio::test]
async fn a_checkpoint_outlives_the_run_and_has_one_writer() {
    let directory = tempfile::tempdir().unwrap();
    let state = open(directory.path()).await;
    assert!(state.read_checkpoint(&feed()).await.unwrap().is_none());
    let version = state.write_checkpoint(&feed(), &checkpoint(1), None).await.unwrap();

    let next = open(directory.path()).await;
    let read = next.read_checkpoint(&feed()).await.unwrap();
    assert_eq!(read, Some((checkpoint(1), version.clone())));
    next.write_checkpoint(&feed(), &checkpoint(2), Some(&version)).await.unwrap();
    let late = state.write_checkpoint(&feed(), &checkpoint(3), Some(&version)).await;
    assert!(matches!(late, Err(StateError::Conflict { .. })));
}

#[tokio::test]
async fn an_unreadable_checkpoint_is_not_written() {
    let directory = tempfile::tempdir().unwrap();
    let state = open(directory.path()).await;
    let version = state.write_checkpoint(&feed(), &checkpoint(1), None).await.unwrap();
    let bad = Checkpoint { next_hour: checkpoint(2).next_hour.plus(1), ..checkpoint(2) };
    let refused = state.write_checkpoint(&feed(), &bad, Some(&version)).await;
    assert!(matches!(refused, Err(StateError::CheckpointNotWritten { .. })));
    assert!(state.read_checkpoint(&feed()).await.unwrap() == Some((checkpoint(1), version)));
}

#[tokio::test]
async fn an_emptied_checkpoint_is_damaged_and_not_absent() {
    let directory = tempfile::tempdir().unwrap();
    let state = open(directory.path()).await;
    state.write_checkpoint(&feed(), &checkpoint(1), None).await.unwrap();
    std::fs::write(directory.path().join(checkpoint_name(&feed())), "").unwrap();
    let error = state.read_checkpoint(&feed()).await.unwrap_err();
    assert!(matches!(error, StateError::Checkpoint { .. }), "{error}");
}

#[tokio::test]
async fn a_feed_has_one_owner_until_it_is_released() {
    let directory = tempfile::tempdir().unwrap();
    let (one, two) = (open(directory.path()).await, open(directory.path()).await);
    let lease = one.lease(&feed()).await.unwrap();
    let held = two.lease(&feed()).await;
    assert!(matches!(held, Err(StateError::LeaseHeld { .. })));
    lease.release().await.unwrap();
    drop(two.lease(&feed()).await.unwrap());
    one.lease(&feed()).await.unwrap();
}

#[tokio::test]
async fn a_status_is_replaced_by_the_last_writer() {
    let directory = tempfile::tempdir().unwrap();
    let (one, two) = (open(directory.path()).await, open(directory.path()).await);
    assert_eq!(one.read_status(&feed()).await.unwrap(), None);
    for (state, json) in [(&one, "{}"), (&two, "{\"hours\": 1}"), (&one, "{}\n")] {
        state.write_status(&feed(), json.into()).await.unwrap();
        assert_eq!(two.read_status(&feed()).await.unwrap().unwrap(), json);
    }
    let stored = std::fs::read(directory.path().join(status_name(&feed()))).unwrap();
    assert_eq!(stored, b"{}\n");
}

#[tokio::test]
async fn a_dead_letter_lies_where_its_name_says() {
    let directory = tempfile::tempdir().unwrap();
    let (feed, event) = (feed(), b"\xff\n");
    let reason = DeadLetterReason::Oversize;
    let letter = DeadLetter { reason, feed: &feed, detail: "", event, at: Timestamp::UNIX_EPOCH };
    let name = open(directory.path()).await.put_dead_letter(&letter).await.unwrap();
    let bytes = std::fs::read(directory.path().join(name)).unwrap();
    assert_eq!(DeadLetter::parse(&bytes).unwrap().event, event);
}
