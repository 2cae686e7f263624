//! Limits on posts to the workspace: how many are in flight, and when the next may start.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::{Semaphore, SemaphorePermit};
use tokio::time::{Instant, sleep_until, timeout_at};

/// How many posts are in flight at first.
pub(super) const FIRST_POSTS: u8 = 8;

/// How many posts are in flight at first, at least and at most.
const POSTS: Bounds = Bounds { first: FIRST_POSTS as f64, least: 2.0, most: 32.0 };

/// While answers take this many times as long as the fastest took lately, more posts at once would
/// only wait in the service.
const SLOW: f64 = 3.0;

/// The share of what was fast once that each answer makes forgotten.
const FORGETTING: f64 = 0.001;

/// The share of the latest answer in the latency that is reckoned with.
const WEIGHT: f64 = 0.2;

/// What is said to be posted in time may take this many times as long as it seems.
const CAUTION: f64 = 2.0;

/// Bounds the number of posts in flight, and holds all posts back until the time that the service
/// asked for: `Retry-After` is for the destination, not only for the batch that happened to get it.
///
/// The bound follows the service: it grows by one for each round of answers that come fast, and is
/// halved if the service asks for fewer posts.
#[derive(Debug)]
pub(super) struct Throttle {
    permits: Semaphore,
    pace: Mutex<Pace>,
}

#[derive(Clone, Copy, Debug)]
struct Bounds {
    first: f64,
    least: f64,
    most: f64,
}

#[derive(Debug)]
struct Pace {
    bounds: Bounds,
    /// How many posts may be in flight, with the fraction of the next one.
    limit: f64,
    /// How many permits there are, given out or not.
    permits: usize,
    /// Posts that wait for a permit or have one.
    posts: usize,
    resumes: Instant,
    /// The limit is not lowered again before this.
    lowered_until: Instant,
    latency: Option<Latency>,
}

/// How long answers take.
#[derive(Clone, Copy, Debug)]
struct Latency {
    average: f64,
    fastest: f64,
}

/// The right to have a post in flight.
#[derive(Debug)]
pub(super) struct Permit<'a> {
    throttle: &'a Throttle,
    permit: Option<SemaphorePermit<'a>>,
}

impl Throttle {
    pub(super) fn new() -> Throttle {
        Throttle::of(POSTS)
    }

    fn of(bounds: Bounds) -> Throttle {
        let (now, permits) = (Instant::now(), bounds.first as usize);
        let pace = Pace {
            bounds,
            limit: bounds.first,
            permits,
            posts: 0,
            resumes: now,
            lowered_until: now,
            latency: None,
        };
        Throttle { permits: Semaphore::new(permits), pace: Mutex::new(pace) }
    }

    /// Holds posts back for `wait`, unless they are already held back for longer.
    pub(super) fn pause_for(&self, wait: Duration) {
        let mut pace = self.pace();
        pace.resumes = pace.resumes.max(Instant::now() + wait);
    }

    /// How long posts are still held back.
    pub(super) fn paused_for(&self) -> Duration {
        self.pace().resumes.saturating_duration_since(Instant::now())
    }

    /// Says that the service answered after `latency`.
    pub(super) fn note_answer(&self, latency: Duration) {
        let mut pace = self.pace();
        let seconds = latency.as_secs_f64();
        let latency = match pace.latency {
            None => Latency { average: seconds, fastest: seconds },
            Some(Latency { average, fastest }) => Latency {
                average: average + WEIGHT * (seconds - average),
                // What was fast once does not count for ever.
                fastest: seconds.min(fastest + FORGETTING * (average - fastest).max(0.0)),
            },
        };
        pace.latency = Some(latency);
        let is_needed = pace.posts >= pace.permits;
        if is_needed && latency.average <= SLOW * latency.fastest {
            pace.limit = (pace.limit + 1.0 / pace.limit).min(pace.bounds.most);
        }
        self.follow(pace);
    }

    /// Says that the service asks for fewer posts, or is too busy for them.
    pub(super) fn note_overload(&self) {
        let mut pace = self.pace();
        let now = Instant::now();
        // The posts that were in flight then tell the same.
        if now < pace.lowered_until {
            return;
        }
        pace.limit = (pace.limit / 2.0).max(pace.bounds.least);
        let round = pace.latency.map_or(1.0, |latency| latency.average);
        pace.lowered_until = now + Duration::from_secs_f64(round.clamp(0.1, 60.0));
        self.follow(pace);
    }

    /// Whether what is posted now would probably be answered by `deadline`, behind the posts that
    /// wait or are in flight.
    pub(super) fn would_be_in_time(&self, deadline: Instant) -> bool {
        let pace = self.pace();
        let Some(latency) = pace.latency else { return true };
        let rounds = 1 + pace.posts / pace.permits.max(1);
        let takes = Duration::from_secs_f64(CAUTION * latency.average * rounds as f64);
        pace.resumes.max(Instant::now()) + takes < deadline
    }

    /// Waits for a permit to post, which ends when it is dropped. `None` where it would come at
    /// `deadline` or later.
    pub(super) async fn acquire(&self, deadline: Instant) -> Option<Permit<'_>> {
        self.pace().posts += 1;
        let mut permit = Permit { throttle: self, permit: None };
        loop {
            let resumes = self.resumes();
            if resumes.max(Instant::now()) >= deadline {
                return None;
            }
            sleep_until(resumes).await;
            let acquired = timeout_at(deadline, self.permits.acquire()).await.ok()?;
            // A post that was ahead may have been asked to wait.
            if self.resumes() <= Instant::now() {
                permit.permit = Some(acquired.ok()?);
                return Some(permit);
            }
        }
    }

    /// Makes as many permits as the limit says.
    fn follow(&self, mut pace: MutexGuard<'_, Pace>) {
        let wanted = pace.limit as usize;
        if wanted > pace.permits {
            self.permits.add_permits(wanted - pace.permits);
            pace.permits = wanted;
        } else {
            // Those that are given out are taken back when they come back.
            pace.permits -= self.permits.forget_permits(pace.permits - wanted);
        }
    }

    fn resumes(&self) -> Instant {
        self.pace().resumes
    }

    fn pace(&self) -> MutexGuard<'_, Pace> {
        self.pace.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Permit<'_> {
    fn drop(&mut self) {
        let mut pace = self.throttle.pace();
        pace.posts -= 1;
        if let Some(permit) = self.permit.take()
            && pace.permits > pace.limit as usize
        {
            permit.forget();
            pace.permits -= 1;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    /// Lets `posts` through at once, and two at least.
    fn of(posts: u8) -> Throttle {
        let first = f64::from(posts);
        Throttle::of(Bounds { first, least: 2.0_f64.min(first), most: 32.0 })
    }

    /// How many posts pass at once.
    async fn passing(throttle: &Throttle) -> usize {
        let deadline = Instant::now() + Duration::from_millis(1);
        let mut permits = Vec::new();
        while let Some(permit) = throttle.acquire(deadline).await {
            permits.push(permit);
        }
        permits.len()
    }

    /// Has the service answer `rounds` times as many posts as pass, each after `latency`, while
    /// others wait.
    async fn answer(throttle: &Throttle, rounds: usize, latency: Duration) {
        for _ in 0..rounds {
            let deadline = Instant::now() + Duration::from_millis(1);
            let mut permits = Vec::new();
            while let Some(permit) = throttle.acquire(deadline).await {
                permits.push(permit);
            }
            for _ in &permits {
                throttle.note_answer(latency);
            }
        }
    }

    #[tokio::test(start_paused = true)]
    async fn more_posts_pass_while_answers_come_fast() {
        let throttle = of(8);
        answer(&throttle, 4, SECOND / 5).await;
        let after = passing(&throttle).await;
        assert!((10..=12).contains(&after), "{after}");
        answer(&throttle, 60, SECOND / 5).await;
        assert_eq!(passing(&throttle).await, 32, "and no more than that");
    }

    #[tokio::test(start_paused = true)]
    async fn no_more_posts_pass_than_are_needed_or_of_use() {
        let throttle = of(8);
        for _ in 0..100 {
            let _permit = throttle.acquire(Instant::now() + SECOND).await;
            throttle.note_answer(SECOND / 5);
        }
        assert_eq!(passing(&throttle).await, 8, "one at a time needs no more");
        answer(&throttle, 1, SECOND).await;
        let before = passing(&throttle).await;
        answer(&throttle, 10, 2 * SECOND).await;
        assert_eq!(passing(&throttle).await, before, "answers take ten times as long");
    }

    #[tokio::test(start_paused = true)]
    async fn fewer_posts_pass_once_the_service_asks_for_it() {
        let throttle = of(8);
        throttle.note_answer(SECOND);
        let permits = [throttle.acquire(Instant::now() + SECOND).await.unwrap()];
        throttle.note_overload();
        throttle.note_overload();
        drop(permits);
        assert_eq!(passing(&throttle).await, 4, "once for all that were in flight");
        for _ in 0..4 {
            tokio::time::advance(2 * SECOND).await;
            throttle.note_overload();
        }
        assert_eq!(passing(&throttle).await, 2, "never fewer");
        answer(&throttle, 8, SECOND).await;
        assert!(passing(&throttle).await > 4, "and it recovers");
    }

    #[tokio::test(start_paused = true)]
    async fn permits_in_use_are_taken_back_when_they_come_back() {
        let throttle = of(4);
        let deadline = Instant::now() + SECOND;
        let mut permits = Vec::new();
        for _ in 0..4 {
            permits.push(throttle.acquire(deadline).await.unwrap());
        }
        throttle.note_overload();
        drop(permits);
        assert_eq!(passing(&throttle).await, 2);
    }

    #[tokio::test(start_paused = true)]
    async fn what_is_queued_tells_whether_more_would_be_in_time() {
        let throttle = of(2);
        let deadline = Instant::now() + 10 * SECOND;
        assert!(throttle.would_be_in_time(deadline), "nothing is known yet");
        throttle.note_answer(SECOND);
        assert!(throttle.would_be_in_time(deadline));
        let _first = throttle.acquire(deadline).await;
        let _second = throttle.acquire(deadline).await;
        let mut queued: Vec<_> = (0..10).map(|_| Box::pin(throttle.acquire(deadline))).collect();
        for post in &mut queued {
            let _ = futures_util::poll!(post.as_mut());
        }
        assert!(!throttle.would_be_in_time(deadline), "six rounds of a second, with caution");
        queued.truncate(3);
        assert!(throttle.would_be_in_time(deadline));
        throttle.pause_for(8 * SECOND);
        assert!(!throttle.would_be_in_time(deadline));
        assert_eq!(throttle.paused_for(), 8 * SECOND);
    }

    #[tokio::test(start_paused = true)]
    async fn as_many_posts_pass_as_there_are_permits() {
        let throttle = of(2);
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
        let throttle = of(1);
        let start = Instant::now();
        throttle.pause_for(5 * SECOND);
        throttle.pause_for(SECOND);
        assert!(throttle.acquire(start + 60 * SECOND).await.is_some());
        assert!(start.elapsed() >= 5 * SECOND);
    }

    #[tokio::test(start_paused = true)]
    async fn a_pause_beyond_the_deadline_is_not_waited_for() {
        let throttle = of(1);
        let start = Instant::now();
        throttle.pause_for(5 * SECOND);
        assert!(throttle.acquire(start + 2 * SECOND).await.is_none());
        assert_eq!(start.elapsed(), Duration::ZERO);
    }

    #[tokio::test(start_paused = true)]
    async fn a_pause_also_holds_back_posts_that_already_wait() {
        let throttle = of(1);
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
