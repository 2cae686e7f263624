//! The rows of hours that wait in a feed's checkpoint, whatever its format.

use jiff::Timestamp;
use proofpoint_sentinel_core::feed::{Feed, FeedType};

use super::run::Run;
use crate::state::{Checkpoint, CheckpointFormat, HourRow, State, StateError};
use crate::tap_checkpoint::TapCheckpoint;

/// A checkpoint in which rows of hours wait.
trait KeepsHourRows: CheckpointFormat {
    fn hour_rows(&mut self) -> &mut Vec<HourRow>;

    /// Makes it one that `writer` writes now.
    fn sign(&mut self, writer: &str, now: Timestamp);
}

impl KeepsHourRows for Checkpoint {
    fn hour_rows(&mut self) -> &mut Vec<HourRow> {
        &mut self.hour_rows
    }

    fn sign(&mut self, writer: &str, now: Timestamp) {
        writer.clone_into(&mut self.writer);
        self.sequence += 1;
        self.updated = now;
    }
}

impl KeepsHourRows for TapCheckpoint {
    fn hour_rows(&mut self) -> &mut Vec<HourRow> {
        &mut self.hour_rows
    }

    fn sign(&mut self, writer: &str, now: Timestamp) {
        writer.clone_into(&mut self.writer);
        self.sequence += 1;
        self.updated = now;
    }
}

/// Does `change` to the rows that wait in the checkpoint of `feed`, whose lease is held. Without a
/// checkpoint nothing is done: no run of the app has the feed.
pub(super) async fn change_waiting_rows(
    state: &State,
    run: &Run,
    feed: &Feed,
    change: impl FnOnce(&mut Vec<HourRow>),
) -> Result<(), StateError> {
    match feed.feed_type {
        FeedType::Log(_) => change_in::<Checkpoint>(state, run, feed, change).await,
        FeedType::Tap => change_in::<TapCheckpoint>(state, run, feed, change).await,
    }
}

async fn change_in<C: KeepsHourRows>(
    state: &State,
    run: &Run,
    feed: &Feed,
    change: impl FnOnce(&mut Vec<HourRow>),
) -> Result<(), StateError> {
    let Some((mut checkpoint, version)) = state.read_checkpoint_as::<C>(feed).await? else {
        return Ok(());
    };
    let before = checkpoint.hour_rows().clone();
    change(checkpoint.hour_rows());
    if *checkpoint.hour_rows() == before {
        return Ok(());
    }
    checkpoint.sign(&run.id, run.clock.now());
    state.write_checkpoint(feed, &checkpoint, Some(&version)).await.map(drop)
}
