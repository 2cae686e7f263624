//! Exponential backoff with jitter: the one way in which this program waits before it tries again.

use std::time::Duration;

use rand::RngExt;
use tokio::time::Instant;

/// No peer's wish to be left alone is kept for longer than this.
const LONGEST_ASKED: Duration = Duration::from_secs(24 * 3600);

/// How long to wait between tries, and how many tries there are.
#[derive(Clone, Copy, Debug)]
pub struct Backoff {
    /// The wait after the first try, before jitter.
    pub first: Duration,
    /// No wait computed here is longer than this, before jitter.
    pub longest: Duration,
    /// How often the thing is tried in all.
    pub tries: u32,
}

impl Backoff {
    /// How long to wait after the `attempt`-th try (from 1), or `None` where it was the last one.
    ///
    /// `retry_after` is what the peer asked for; the wait is never shorter than that. `jitter`
    /// is a number from 0 up to 1 and spreads the wait by up to a quarter upwards, so that feeds
    /// that failed together do not come back together.
    pub fn wait(
        &self,
        attempt: u32,
        retry_after: Option<Duration>,
        jitter: f64,
    ) -> Option<Duration> {
        if attempt >= self.tries {
            return None;
        }
        let doubled = self
            .first
            .saturating_mul(1u32.checked_shl(attempt.saturating_sub(1)).unwrap_or(u32::MAX));
        let own = doubled.min(self.longest);
        let asked = retry_after.unwrap_or_default().min(LONGEST_ASKED);
        Some(own.max(asked).mul_f64(1.0 + 0.25 * jitter))
    }

    /// As [`wait`](Self::wait) with random jitter, and `None` as well where the wait would go
    /// past `deadline`.
    pub fn wait_until(
        &self,
        attempt: u32,
        retry_after: Option<Duration>,
        deadline: Instant,
    ) -> Option<Duration> {
        let wait = self.wait(attempt, retry_after, rand::rng().random())?;
        (Instant::now() + wait < deadline).then_some(wait)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const BACKOFF: Backoff =
        Backoff { first: Duration::from_secs(2), longest: Duration::from_secs(60), tries: 8 };

    #[test]
    fn waits_double_up_to_the_longest_and_then_end() {
        let waits: Vec<_> = (1..=8)
            .map(|attempt| BACKOFF.wait(attempt, None, 0.0).map(|wait| wait.as_secs()))
            .collect();
        let expected = [2, 4, 8, 16, 32, 60, 60].map(Some);
        assert_eq!(waits[..7], expected);
        assert_eq!(waits[7], None);
    }

    #[test]
    fn retry_after_is_the_least_wait() {
        let wait = BACKOFF.wait(1, Some(Duration::from_secs(90)), 0.0);
        assert_eq!(wait, Some(Duration::from_secs(90)));
    }

    #[test]
    fn retry_after_is_cut_to_a_day() {
        let wait = BACKOFF.wait(1, Some(Duration::MAX), 0.9).unwrap();
        assert!(wait < 2 * LONGEST_ASKED);
    }

    #[test]
    fn jitter_adds_at_most_a_quarter() {
        let wait = BACKOFF.wait(1, None, 0.999_999).unwrap();
        assert!(wait > Duration::from_secs(2) && wait <= Duration::from_millis(2500));
    }

    #[tokio::test(start_paused = true)]
    async fn no_wait_goes_past_the_deadline() {
        let deadline = Instant::now() + Duration::from_secs(1);
        assert_eq!(BACKOFF.wait_until(1, None, deadline), None);
    }
}
