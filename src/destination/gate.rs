//! The gate before the workspace: how many posts are under way, and when the next may start.

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use tokio::sync::{Semaphore, SemaphorePermit};
use tokio::time::{Instant, sleep_until, timeout_at};

/// Lets a bounded number of posts through at once, and none before the time that the service
/// asked for: `Retry-After` speaks to the destination, not to the batch that happened to hear it.
#[derive(Debug)]
pub(super) struct Gate {
    posts: Semaphore,
    opens: Mutex<Instant>,
}

impl Gate {
    /// An open gate for `posts` at once.
    pub(super) fn new(posts: usize) -> Gate {
        Gate { posts: Semaphore::new(posts), opens: Mutex::new(Instant::now()) }
    }

    /// Keeps posts back for `wait`, unless they are kept back for longer already.
    pub(super) fn close_for(&self, wait: Duration) {
        let mut opens = self.opens.lock().unwrap_or_else(PoisonError::into_inner);
        *opens = (*opens).max(Instant::now() + wait);
    }

    /// Waits for leave to post, which is given back with the permit. `None` where it would come
    /// at `deadline` or later.
    pub(super) async fn pass(&self, deadline: Instant) -> Option<SemaphorePermit<'_>> {
        loop {
            let opens = self.opens();
            if opens.max(Instant::now()) >= deadline {
                return None;
            }
            sleep_until(opens).await;
            let permit = timeout_at(deadline, self.posts.acquire()).await.ok()?;
            // A post that was ahead may have heard that the gate is to be closed.
            if self.opens() <= Instant::now() {
                return permit.ok();
            }
        }
    }

    fn opens(&self) -> Instant {
        *self.opens.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    #[tokio::test(start_paused = true)]
    async fn an_open_gate_lets_as_many_through_as_it_may() {
        let gate = Gate::new(2);
        let deadline = Instant::now() + SECOND;
        let first = gate.pass(deadline).await;
        let second = gate.pass(deadline).await;
        assert!(first.is_some() && second.is_some());
        assert!(gate.pass(deadline).await.is_none());
        drop(first);
        assert!(gate.pass(Instant::now() + SECOND).await.is_some());
    }

    #[tokio::test(start_paused = true)]
    async fn a_closed_gate_opens_when_the_longest_wait_is_over() {
        let gate = Gate::new(1);
        let start = Instant::now();
        gate.close_for(5 * SECOND);
        gate.close_for(SECOND);
        assert!(gate.pass(start + 60 * SECOND).await.is_some());
        assert!(start.elapsed() >= 5 * SECOND);
    }

    #[tokio::test(start_paused = true)]
    async fn does_not_wait_for_a_gate_that_opens_after_the_deadline() {
        let gate = Gate::new(1);
        let start = Instant::now();
        gate.close_for(5 * SECOND);
        assert!(gate.pass(start + 2 * SECOND).await.is_none());
        assert_eq!(start.elapsed(), Duration::ZERO);
    }

    #[tokio::test(start_paused = true)]
    async fn closing_holds_those_back_who_wait_for_their_turn() {
        let gate = Gate::new(1);
        let start = Instant::now();
        let ahead = gate.pass(start + 60 * SECOND).await;
        let (behind, ()) = tokio::join!(gate.pass(start + 60 * SECOND), async {
            tokio::task::yield_now().await;
            gate.close_for(7 * SECOND);
            drop(ahead);
        });
        assert!(behind.is_some());
        assert!(start.elapsed() >= 7 * SECOND);
    }
}
