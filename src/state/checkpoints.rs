//! Checkpoints in storage.

use proofpoint_sentinel_core::feed::Feed;

use super::checkpoint::Checkpoint;
use super::error::StateError;
use super::object::{Condition, Version};
use super::store::State;

impl State {
    /// What is done for `feed`, and what to name in the next write; `None` before the first one.
    ///
    /// # Errors
    /// [`StateError::Checkpoint`] where what is stored can't be trusted. It is never passed over:
    /// starting anew would read hours again without anybody having said so.
    pub async fn read_checkpoint(
        &self,
        feed: &Feed,
    ) -> Result<Option<(Checkpoint, Version)>, StateError> {
        let name = checkpoint_name(feed);
        let Some((bytes, version)) = self.objects.get(&name).await? else { return Ok(None) };
        match Checkpoint::from_json(&bytes, feed) {
            Ok(checkpoint) => Ok(Some((checkpoint, version))),
            Err(reason) => Err(StateError::Checkpoint { name, reason }),
        }
    }

    /// Writes what is done for `feed`, and tells the version for the next write.
    ///
    /// `over` is the version that must still be stored; `None` where none must be.
    ///
    /// # Errors
    /// [`StateError::Conflict`] where someone else wrote in between. The checkpoint counts as
    /// written where the very same bytes are stored already, which `writer` and `sequence` make
    /// the caller's own.
    pub async fn write_checkpoint(
        &self,
        feed: &Feed,
        checkpoint: &Checkpoint,
        over: Option<&Version>,
    ) -> Result<Version, StateError> {
        let name = checkpoint_name(feed);
        let condition = over.map_or(Condition::Absent, Condition::Match);
        match checkpoint.to_json(feed) {
            Ok(json) => self.objects.put(&name, json.into(), condition).await,
            Err(reason) => Err(StateError::CheckpointNotWritten { name, reason }),
        }
    }
}

pub(super) fn checkpoint_name(feed: &Feed) -> String {
    format!("checkpoints/{feed}.json")
}
