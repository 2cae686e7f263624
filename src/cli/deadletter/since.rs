//! How far back a command looks.

use std::str::FromStr;

use jiff::{SignedDuration, Timestamp};
use proofpoint_sentinel_core::hour::Hour;

/// A point in time, or how long ago it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Since {
    Time(Timestamp),
    Ago(SignedDuration),
}

/// The text says no time.
#[derive(Debug, thiserror::Error)]
#[error(
    "`{0}` is not a time: write 90m, 24h or 7d, an hour as 2026-11-20T06, or a time as 2026-11-20T06:30:00Z"
)]
pub(super) struct NotATime(String);

impl FromStr for Since {
    type Err = NotATime;

    fn from_str(text: &str) -> Result<Since, NotATime> {
        let ago = || {
            let (number, unit) = text.split_at_checked(text.len().checked_sub(1)?)?;
            let number: i64 = number.parse::<u16>().ok()?.into();
            let hours = match unit {
                "m" => return Some(SignedDuration::from_mins(number)),
                "h" => number,
                "d" => 24 * number,
                _ => return None,
            };
            Some(SignedDuration::from_hours(hours))
        };
        let hour = || text.parse::<Hour>().ok().map(Hour::start);
        let time = || hour().or_else(|| text.parse().ok()).map(Since::Time);
        ago().map(Since::Ago).or_else(time).ok_or_else(|| NotATime(text.to_owned()))
    }
}

impl Since {
    /// The point in time.
    pub(super) fn time(self, now: Timestamp) -> Timestamp {
        match self {
            Since::Time(time) => time,
            Since::Ago(ago) => now.checked_sub(ago).unwrap_or(Timestamp::MIN),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_is_written_in_three_ways() {
        let now: Timestamp = "2026-11-20T12:30:00Z".parse().unwrap();
        let cases = [
            ("90m", "2026-11-20T11:00:00Z"),
            ("24h", "2026-11-19T12:30:00Z"),
            ("7d", "2026-11-13T12:30:00Z"),
            ("2026-11-20T06", "2026-11-20T06:00:00Z"),
            ("2026-11-20T06:30:00+01:00", "2026-11-20T05:30:00Z"),
        ];
        for (text, time) in cases {
            assert_eq!(text.parse::<Since>().unwrap().time(now), time.parse().unwrap(), "{text}");
        }
        for text in ["", "h", "7", "-1h", "1.5h", "yesterday", "ü", "99999h", "2026-11-20"] {
            assert!(text.parse::<Since>().is_err(), "{text}");
        }
    }
}
