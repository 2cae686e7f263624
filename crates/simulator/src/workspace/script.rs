//! What can be made to go wrong with a post.

use std::sync::Arc;

use tokio::sync::watch;

use super::Answer;

/// What happens to the next post that is otherwise in order.
#[derive(Clone, Debug)]
pub enum Script {
    /// It gets this answer, and its rows are not kept.
    Reply(Answer),
    /// The connection is reset, and its rows are not kept.
    ResetConnection,
    /// Its rows are kept, but the connection is reset before the answer.
    AcceptThenReset,
    /// It is accepted once the gate opens.
    Hold(Gate),
}

/// Closed at first; opens once and for all. Clones are the same gate.
#[derive(Clone, Debug)]
pub struct Gate(Arc<watch::Sender<bool>>);

impl Default for Gate {
    fn default() -> Gate {
        Gate(Arc::new(watch::Sender::new(false)))
    }
}

impl Gate {
    /// Lets everybody pass who waits or will wait.
    pub fn open(&self) {
        self.0.send_replace(true);
    }

    /// Waits until the gate is open.
    pub(super) async fn opened(&self) {
        // The sender is borrowed, so the wait can't fail.
        let _ = self.0.subscribe().wait_for(|open| *open).await;
    }
}
