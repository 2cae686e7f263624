//! The window of time that one call asks for.

use jiff::{SignedDuration, Timestamp};
use url::form_urlencoded;

/// The service refuses a shorter window.
pub(super) const SHORTEST: SignedDuration = SignedDuration::from_secs(30);

/// The service refuses a longer window.
pub(super) const LONGEST: SignedDuration = SignedDuration::from_hours(1);

/// How long ago a window ends at least. The service refuses one whose end is yet to come by its own
/// clock, which may be behind ours.
pub(super) const MIN_AGE: SignedDuration = SignedDuration::from_secs(60);

/// How far back a window may begin: the seven days that the service keeps, less a margin for clocks
/// that differ and for the time that the call takes.
pub(super) const REACH: SignedDuration = SignedDuration::from_mins(7 * 24 * 60 - 15);

/// A window that the service accepts: half a minute to an hour long, and wholly in the past. Its
/// bounds are whole seconds. The service sends the records that were created from the start up to
/// the end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Interval {
    start: Timestamp,
    end: Timestamp,
}

impl Interval {
    /// The window between two times, without their fractions of a second. `None` if the service
    /// would refuse it at `now`.
    pub fn new(start: Timestamp, end: Timestamp, now: Timestamp) -> Option<Interval> {
        let (start, end) = (whole_second(start), whole_second(end));
        let length = end.duration_since(start);
        let is_accepted =
            (SHORTEST..=LONGEST).contains(&length) && end <= now - MIN_AGE && start >= now - REACH;
        is_accepted.then_some(Interval { start, end })
    }

    /// The first instant.
    pub fn start(self) -> Timestamp {
        self.start
    }

    /// The first instant after it.
    pub fn end(self) -> Timestamp {
        self.end
    }

    /// The parameter of a call, percent-encoded: `interval=<start>%2F<end>`.
    pub fn query(self) -> String {
        let both = format!("{}/{}", self.start, self.end);
        form_urlencoded::Serializer::new(String::new()).append_pair("interval", &both).finish()
    }
}

/// The last whole second that is not after `at`.
pub(super) fn whole_second(at: Timestamp) -> Timestamp {
    let second = at.as_nanosecond().div_euclid(1_000_000_000) as i64;
    Timestamp::from_second(second).unwrap_or(at)
}

/// The first whole second that is not before `at`.
pub(super) fn next_whole_second(at: Timestamp) -> Timestamp {
    let second = whole_second(at);
    if second < at { second + SignedDuration::from_secs(1) } else { second }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> Timestamp {
        text.parse().unwrap()
    }

    #[test]
    fn the_query_has_both_ends_percent_encoded() {
        let (start, end) = (at("2026-11-20T06:00:00.75Z"), at("2026-11-20T06:05:30.999Z"));
        let interval = Interval::new(start, end, at("2026-11-20T06:07:00Z")).unwrap();
        assert_eq!(
            interval.query(),
            "interval=2026-11-20T06%3A00%3A00Z%2F2026-11-20T06%3A05%3A30Z"
        );
    }

    #[test]
    fn windows_that_the_service_would_refuse_do_not_exist() {
        let now = at("2026-11-20T07:01:00Z");
        for (start, end, is_accepted) in [
            ("2026-11-20T06:00:00Z", "2026-11-20T06:00:30Z", true),
            ("2026-11-20T06:00:00Z", "2026-11-20T06:00:29.9Z", false),
            ("2026-11-20T06:00:00Z", "2026-11-20T07:00:00Z", true),
            ("2026-11-20T05:59:59Z", "2026-11-20T07:00:00Z", false),
            ("2026-11-20T06:30:00Z", "2026-11-20T07:00:01Z", false),
            ("2026-11-20T06:30:00Z", "2026-11-20T06:00:00Z", false),
            ("2026-11-13T07:16:00Z", "2026-11-13T07:30:00Z", true),
            ("2026-11-13T07:15:59Z", "2026-11-13T07:30:00Z", false),
        ] {
            let interval = Interval::new(at(start), at(end), now);
            assert_eq!(interval.is_some(), is_accepted, "{start}/{end}");
        }
    }

    #[test]
    fn seconds_are_cut_towards_the_past_before_1970_too() {
        let early = at("1969-12-31T23:59:58.5Z");
        assert_eq!(whole_second(early), at("1969-12-31T23:59:58Z"));
        assert_eq!(next_whole_second(early), at("1969-12-31T23:59:59Z"));
        assert_eq!(next_whole_second(at("2026-11-20T07:01:00Z")), at("2026-11-20T07:01:00Z"));
    }
}
