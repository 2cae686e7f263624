//! Whole hours of UTC time, the unit in which the archive is read.
//!
//! The Log API rounds `sinceTime` down and `toTime` up to the hour, so a plan, a checkpoint and a
//! retry in anything smaller than an hour would not say what was really read.

use std::fmt;
use std::str::FromStr;

use jiff::{SignedDuration, Timestamp, civil, tz::TimeZone};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

const SECONDS: i64 = 3600;

/// One whole hour of UTC, from its start (inclusive) to the next hour's start (exclusive).
///
/// Written and read as `2026-11-20T06`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Hour(i64);

impl Hour {
    /// The hour that contains `at`.
    pub fn containing(at: Timestamp) -> Hour {
        // Rounded towards the past for times before 1970 as well; `as_second` alone rounds a
        // fraction towards zero.
        let seconds = at.as_nanosecond().div_euclid(1_000_000_000) as i64;
        Hour(seconds.div_euclid(SECONDS))
    }

    /// The first instant of the hour.
    pub fn start(self) -> Timestamp {
        Timestamp::from_second(self.0 * SECONDS).expect("an hour made from a timestamp is in range")
    }

    /// The first instant after the hour.
    pub fn end(self) -> Timestamp {
        self.plus(1).start()
    }

    /// The hour `hours` later, or earlier where `hours` is negative.
    pub fn plus(self, hours: i64) -> Hour {
        Hour(self.0 + hours)
    }

    /// How many hours lie between `earlier` and this one.
    pub fn hours_since(self, earlier: Hour) -> i64 {
        self.0 - earlier.0
    }

    /// The newest hour whose end lies `delay` or more before `now`.
    pub fn newest_due(now: Timestamp, delay: SignedDuration) -> Hour {
        Hour::containing(now - delay).plus(-1)
    }

    /// All hours from this one up to and including `last`; none where `last` is earlier.
    pub fn through(self, last: Hour) -> impl DoubleEndedIterator<Item = Hour> {
        (self.0..=last.0).map(Hour)
    }
}

impl fmt::Display for Hour {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let start = self.start().to_zoned(TimeZone::UTC);
        write!(f, "{}", start.strftime("%Y-%m-%dT%H"))
    }
}

/// The text is not an hour of the form `2026-11-20T06`.
#[derive(Debug, thiserror::Error)]
#[error("`{0}` is not an hour in UTC of the form 2026-11-20T06")]
pub struct NotAnHour(String);

impl FromStr for Hour {
    type Err = NotAnHour;

    fn from_str(text: &str) -> Result<Hour, NotAnHour> {
        let refused = || NotAnHour(text.to_owned());
        if text.len() != "2026-11-20T06".len() {
            return Err(refused());
        }
        let start = civil::DateTime::strptime("%Y-%m-%dT%H:%M", format!("{text}:00"))
            .map_err(|_| refused())?;
        let zoned = start.to_zoned(TimeZone::UTC).map_err(|_| refused())?;
        let hour = Hour::containing(zoned.timestamp());
        // Fewer digits of one part can make up for more of another.
        if hour.to_string() == text { Ok(hour) } else { Err(refused()) }
    }
}

impl Serialize for Hour {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Hour {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Hour, D::Error> {
        let text = std::borrow::Cow::<str>::deserialize(deserializer)?;
        text.parse().map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// From 1970 to 2100, with parts of a second.
    fn times() -> impl Strategy<Value = Timestamp> {
        (86_400i64..4_100_000_000, 0i32..1_000_000_000)
            .prop_map(|(second, nano)| Timestamp::new(second, nano).expect("in range"))
    }

    proptest! {
        #[test]
        fn an_hour_contains_exactly_what_lies_between_its_bounds(at in times()) {
            let hour = Hour::containing(at);
            prop_assert!(hour.start() <= at && at < hour.end());
            prop_assert_eq!(Hour::containing(hour.start()), hour);
            prop_assert_eq!(Hour::containing(hour.end()), hour.plus(1));
        }

        #[test]
        fn text_and_back(at in times()) {
            let hour = Hour::containing(at);
            let text = hour.to_string();
            prop_assert_eq!(text.parse::<Hour>().unwrap(), hour);
            prop_assert!(hour.start().to_string().starts_with(&text));
        }

        #[test]
        fn the_newest_due_hour_is_the_last_that_ended_long_enough_ago(
            now in times(),
            minutes in 0i64..1440,
        ) {
            let delay = SignedDuration::from_mins(minutes);
            let newest = Hour::newest_due(now, delay);
            prop_assert!(newest.end() + delay <= now);
            prop_assert!(newest.plus(1).end() + delay > now);
        }

        #[test]
        fn thirty_days_are_720_hours_each_once(at in times()) {
            let last = Hour::containing(at);
            let first = Hour::containing(at - SignedDuration::from_hours(719));
            let hours: Vec<Hour> = first.through(last).collect();
            prop_assert_eq!(hours.len(), 720);
            prop_assert_eq!(last.hours_since(first), 719);
            prop_assert!(hours.windows(2).all(|pair| pair[0].end() == pair[1].start()));
        }

        #[test]
        fn no_other_text_is_taken_and_none_panics(
            text in prop_oneof![".{0,20}", "[ +-]?[0-9]{1,5}-[0-9]{1,3}-[0-9]{1,3}T[0-9]{1,3}"],
        ) {
            if let Ok(hour) = text.parse::<Hour>() {
                prop_assert_eq!(hour.to_string(), text);
            }
        }
    }

    #[test]
    fn what_is_no_hour() {
        for text in [
            "",
            "2026-11-20",
            "2026-11-20T24",
            "2026-13-01T00",
            "2026-11-20T06Z",
            "2026-11-20 06",
            "2026-011-2T06",
            "-1615-1-01T00",
        ] {
            assert!(text.parse::<Hour>().is_err(), "{text}");
        }
    }
}
