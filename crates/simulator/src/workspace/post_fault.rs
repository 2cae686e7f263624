//! Faults of a post.

use std::sync::Arc;

use tokio::sync::watch;

use super::api_response::ApiResponse;

/// A fault of the next valid post.
#[derive(Clone, Debug)]
pub enum PostFault {
    /// The API answers with this response and does not store the rows.
    Reply(ApiResponse),
    /// The connection is reset, and the rows are not stored.
    ResetConnection,
    /// The rows are stored, but the connection is reset before the answer.
    AcceptThenReset,
    /// The post is held until the gate opens, and then accepted.
    Hold(ResponseGate),
}

/// Holds posts until it is opened. It stays open then. Clones share its state.
#[derive(Clone, Debug)]
pub struct ResponseGate(Arc<watch::Sender<bool>>);

impl Default for ResponseGate {
    fn default() -> ResponseGate {
        ResponseGate(Arc::new(watch::Sender::new(false)))
    }
}

impl ResponseGate {
    /// Releases all posts that wait now or later.
    pub fn open(&self) {
        self.0.send_replace(true);
    }

    /// Waits until the gate is open.
    pub(super) async fn wait_until_open(&self) {
        // The sender is borrowed, so the wait can't fail.
        let _ = self.0.subscribe().wait_for(|open| *open).await;
    }
}
