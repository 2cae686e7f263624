//! How long posts may begin.

use std::future::Future;

use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

/// The time in which posts may begin: it ends at a deadline, or when it is revoked.
#[derive(Clone, Debug)]
pub struct Term {
    /// No post begins at this time or later, and none is waited for after it.
    pub deadline: Instant,
    /// Once this is cancelled no post begins. Those under way are still waited for.
    pub revoked: CancellationToken,
}

impl From<Instant> for Term {
    /// A term that nobody revokes.
    fn from(deadline: Instant) -> Term {
        Term { deadline, revoked: CancellationToken::new() }
    }
}

impl Term {
    /// What `wait` gives, or `None` where the term is revoked before or meanwhile.
    pub(super) async fn unless_revoked<T>(&self, wait: impl Future<Output = T>) -> Option<T> {
        self.revoked.run_until_cancelled(wait).await.filter(|_| !self.revoked.is_cancelled())
    }
}
