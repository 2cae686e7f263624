//! When hours are read.

use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use proofpoint_sentinel_core::hour::Hour;

use crate::settings::SourceSettings;

/// When hours are read.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Timing {
    /// How long after its end an hour is due.
    pub delay: Duration,
    /// When an hour that came back empty is read again.
    pub empty_retry: Duration,
    /// How long after its end an hour that is done is read once more: by then events that came
    /// late are in the archive too.
    pub second_read: Option<Duration>,
}

impl From<&SourceSettings> for Timing {
    fn from(source: &SourceSettings) -> Timing {
        let SourceSettings { archive_delay: delay, empty_hour_retry: empty_retry, .. } = *source;
        Timing { delay, empty_retry, second_read: source.second_read }
    }
}

impl Timing {
    /// When `hour` is to be read once more, if ever.
    pub(super) fn second_read_at(&self, hour: Hour) -> Option<Timestamp> {
        self.second_read.map(|after| later(hour.end(), Some(signed(after))))
    }
}

/// The duration as a difference of times.
pub(super) fn signed(duration: Duration) -> SignedDuration {
    SignedDuration::try_from(duration).unwrap_or(SignedDuration::MAX)
}

/// The time `wait` after `now`, or `now` where there is no such time.
pub(super) fn later(now: Timestamp, wait: Option<SignedDuration>) -> Timestamp {
    wait.and_then(|wait| now.checked_add(wait).ok()).unwrap_or(now)
}

/// Timings and times for tests.
#[cfg(test)]
pub(super) mod examples {
    use super::*;

    /// Nothing is read twice.
    pub(in crate::collect) const ONCE: Timing = Timing {
        delay: Duration::from_secs(45 * 60),
        empty_retry: Duration::from_secs(60 * 60),
        second_read: None,
    };

    /// The default.
    pub(in crate::collect) const TWICE: Timing =
        Timing { second_read: Some(Duration::from_secs(6 * 3600)), ..ONCE };

    /// A time as tests write it.
    pub(in crate::collect) fn at(text: &str) -> Timestamp {
        text.parse().unwrap()
    }

    /// An hour as tests write it.
    pub(in crate::collect) fn hour(text: &str) -> Hour {
        text.parse().unwrap()
    }
}
