//! Limits on posts to the workspace: how many are in flight, and when the next may start.

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use tokio::sync::{Semaphore, SemaphorePermit};
use tokio::time::{Instant, sleep_until, timeout_at};

/// Bounds the number of posts in flight, and holds all posts back until the time that the service
/// asked for: `Retry-After` is for the destination, not only for the batch that happened to get it.
#[derive(Debug)]
pub(super) struct Throttle {
    permits: Semaphore,
    resumes: Mutex<Instant>,
}

impl Throttle {
    /// Lets `posts` through at once.
    pub(super) fn new(posts: usize) -> Throttle {
        Throttle { permits: Semaphore::new(posts), resumes: Mutex::new(Instant::now()) }
    }

    /// Holds posts back for `wait`, unless they are already held back for longer.
    pub(super) fn pause_for(&self, wait: Duration) {
        let mut resumes = self.resumes.lock().unwrap_or_else(PoisonError::into_inner);
        *resumes = (*resumes).max(Instant::now() + wait);
    }

    /// Waits for a permit to post, which ends when it is dropped. `None` where it would come at
    /// `deadline` or later.
    pub(super) async fn acquire(&self, deadline: Instant) -> Option<SemaphorePermit<'_>> {
        loop {
            let resumes = self.resumes();
            if resumes.max(Instant::now()) >= deadline {
                return None;
            }
            sleep_until(resumes).await;
            let permit = timeout_at(deadline, self.permits.acquire()).await.ok()?;
            // A post that was ahead may have been asked to wait.
            if self.resumes() <= Instant::now() {
                return permit.ok();
            }
        }
    }

    fn resumes(&self) -> Instant {
        *self.resumes.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    #[tokio::test(start_paused = true)]
    async fn as_many_posts_pass_as_there_are_permits() {
        let throttle = Throttle::new(2);
        let deadline = Instant::now() + SECOND;
        let first = throttle.acquire(deadline).await;
        let second = throttle.acquire(deadline).await;
        assert!(first.is_some() && second.is_some());
        assert!(throttle.acquire(deadline).await.is_none());
        drop(first);
        assert!(throttle.acquire(Instant::now() + SECOND).await.is_some());
    }

    #[tokio::test(start_paused = true)]
    async fn a_pause_ends_with_the_longest_wait() {
        let throttle = Throttle::new(1);
        let start = Instant::now();
        throttle.pause_for(5 * SECOND);
        throttle.pause_for(SECOND);
        assert!(throttle.acquire(start + 60 * SECOND).await.is_some());
        assert!(start.elapsed() >= 5 * SECOND);
    }

    #[tokio::test(start_paused = true)]
    async fn a_pause_beyond_the_deadline_is_not_waited_for() {
        let throttle = Throttle::new(1);
        let start = Instant::now();
        throttle.pause_for(5 * SECOND);
        assert!(throttle.acquire(start + 2 * SECOND).await.is_none());
        assert_eq!(start.elapsed(), Duration::ZERO);
    }

    #[tokio::test(start_paused = true)]
    async fn a_pause_also_holds_back_posts_that_already_wait() {
        let throttle = Throttle::new(1);
        let start = Instant::now();
        let ahead = throttle.acquire(start + 60 * SECOND).await;
        let (behind, ()) = tokio::join!(throttle.acquire(start + 60 * SECOND), async {
            tokio::task::yield_now().await;
            throttle.pause_for(7 * SECOND);
            drop(ahead);
        });
        assert!(behind.is_some());
        assert!(start.elapsed() >= 7 * SECOND);
    }
}
