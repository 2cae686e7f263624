//! Checkpoints in storage.

use proofpoint_sentinel_core::feed::Feed;

use super::checkpoint::Checkpoint;
use super::checkpoint_format::CheckpointFormat;
use super::error::StateError;
use super::object::{Condition, Version};
use super::store::State;

impl State {
    /// What is done for `feed`, and what to name in the next write; `None` before the first one.
    ///
    /// # Errors
    /// [`StateError::Checkpoint`] if what is stored can't be trusted. It is never passed over:
    /// starting anew would read again what was read, without anybody having said so.
    pub async fn read_checkpoint(
        &self,
        feed: &Feed,
    ) -> Result<Option<(Checkpoint, Version)>, StateError> {
        self.read_checkpoint_as(feed).await
    }

    /// Whether the app that works on `feed`, a cluster's, writes checkpoints of this program's version.
    ///
    /// # Errors
    /// If the storage does not say.
    pub async fn has_current_checkpoint(&self, feed: &Feed) -> Result<bool, StateError> {
        let stored = self.objects.get(&checkpoint_name(feed)).await?;
        Ok(stored.is_some_and(|(bytes, _)| Checkpoint::is_current(&bytes)))
    }

    /// As [`read_checkpoint`](Self::read_checkpoint), for a feed whose checkpoint has another format.
    ///
    /// # Errors
    /// As there.
    pub async fn read_checkpoint_as<C: CheckpointFormat>(
        &self,
        feed: &Feed,
    ) -> Result<Option<(C, Version)>, StateError> {
        let name = checkpoint_name(feed);
        let Some((bytes, version)) = self.objects.get(&name).await? else { return Ok(None) };
        match C::from_json(&bytes, feed) {
            Ok(checkpoint) => Ok(Some((checkpoint, version))),
            Err(reason) => Err(StateError::Checkpoint { name, reason }),
        }
    }

    /// Writes what is done for `feed`, and tells the version for the next write.
    ///
    /// `over` is the version that must still be stored; `None` if none must be.
    ///
    /// # Errors
    /// [`StateError::Conflict`] if someone else wrote in between. The checkpoint counts as written if
    /// the very same bytes are stored already, so a checkpoint names its writer and counts its writes.
    pub async fn write_checkpoint(
        &self,
        feed: &Feed,
        checkpoint: &impl CheckpointFormat,
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
