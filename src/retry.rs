//! Exponential backoff with jitter: how this program waits before every retry.

use std::time::Duration;

use jiff::Timestamp;
use jiff::fmt::rfc2822::DateTimeParser;
use rand::RngExt;
use tokio::time::Instant;

/// No `Retry-After` is respected for longer than this: no service means it.
const MAX_RETRY_AFTER: Duration = Duration::from_secs(24 * 3600);

/// Whether the HTTP status tells of a fault that passes: a request that came too late, too many
/// requests, or a fault of the server.
pub(crate) fn is_passing_status(status: u16) -> bool {
    matches!(status, 408 | 429 | 500..)
}

/// The wait that a `Retry-After` header asks for, if it is a number of seconds, or a date and `now` is
/// known (RFC 9110, section 10.2.3).
pub(crate) fn retry_after(value: &str, now: Option<Timestamp>) -> Option<Duration> {
    let wait = match value.trim().parse::<u64>() {
        Ok(seconds) => Duration::from_secs(seconds),
        Err(_) => {
            let until = DateTimeParser::new().parse_timestamp(value.trim()).ok()?;
            Duration::try_from(until.duration_since(now?)).unwrap_or_default()
        }
    };
    Some(wait.min(MAX_RETRY_AFTER))
}

/// How long to wait between tries, and how many tries there are.
#[derive(Clone, Copy, Debug)]
pub struct Backoff {
    /// The wait after the first try, before jitter.
    pub first: Duration,
    /// No wait computed here is longer than this, before jitter.
    pub longest: Duration,
    /// How many tries there are in all.
    pub tries: u32,
}

impl Backoff {
    /// How long to wait after the `attempt`-th try (from 1), or `None` where it was the last one.
    ///
    /// The wait is never shorter than `retry_after`, which the peer asked for. `jitter` is a number
    /// from 0 up to 1 and lengthens the wait by up to a quarter, so that feeds that failed together
    /// do not retry together.
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
        Some(own.max(retry_after.unwrap_or_default()).mul_f64(1.0 + 0.25 * jitter))
    }

    /// As [`wait`](Self::wait) with random jitter, but also `None` where the wait would go past
    /// `deadline`.
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
    fn retry_after_is_seconds_or_a_date_and_has_bounds() {
        let now = "2026-11-21T10:00:00Z".parse().unwrap();
        let wait = |value| retry_after(value, Some(now));
        assert_eq!(wait("17"), Some(Duration::from_secs(17)));
        assert_eq!(wait("Sat, 21 Nov 2026 10:00:30 GMT"), Some(Duration::from_secs(30)));
        assert_eq!(wait("Sat, 21 Nov 2026 09:00:00 GMT"), Some(Duration::ZERO));
        assert_eq!(wait("18446744073709551615"), Some(MAX_RETRY_AFTER));
        assert_eq!(wait("soon"), None);
        assert_eq!(retry_after("Sat, 21 Nov 2026 10:00:30 GMT", None), None);
    }

    #[test]
    fn faults_of_servers_and_limits_pass() {
        let passing: Vec<u16> = (400..505).filter(|status| is_passing_status(*status)).collect();
        assert_eq!(passing, [408, 429, 500, 501, 502, 503, 504]);
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
