//! What all checkpoints have in common.

use proofpoint_sentinel_core::feed::Feed;

/// What is stored as the checkpoint of a feed.
pub trait CheckpointFormat: Sized {
    /// Reads what was stored for `feed`.
    ///
    /// # Errors
    /// What is wrong with it, as the rest of a sentence.
    fn from_json(bytes: &[u8], feed: &Feed) -> Result<Self, String>;

    /// The bytes to store for `feed`.
    ///
    /// # Errors
    /// Why they would not be read again.
    fn to_json(&self, feed: &Feed) -> Result<Vec<u8>, String>;
}
