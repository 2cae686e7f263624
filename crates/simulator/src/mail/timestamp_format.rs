//! The timestamp formats of the Log API.

use jiff::{Timestamp, tz};

/// A timestamp format. Most events of the Log API have an offset without a colon.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum TimestampFormat {
    /// `2026-11-20T06:00:00.000000-0700`
    Local,
    /// `2026-11-20T06:00:00.000000-07:00`
    LocalColon,
    /// `2026-11-20T13:00:00.000000+0000`
    Utc,
}

impl TimestampFormat {
    pub(super) const ALL: [TimestampFormat; 3] =
        [TimestampFormat::Local, TimestampFormat::LocalColon, TimestampFormat::Utc];

    /// Chooses a format by `bits`: mostly local time, sometimes UTC, rarely an offset with a colon.
    pub(super) fn from_bits(bits: u64) -> TimestampFormat {
        match bits % 100 {
            0..86 => TimestampFormat::Local,
            86..98 => TimestampFormat::Utc,
            _ => TimestampFormat::LocalColon,
        }
    }

    pub(super) fn write(self, at: Timestamp) -> String {
        let (offset, format) = match self {
            TimestampFormat::Local => (-7, "%Y-%m-%dT%H:%M:%S.%6f%z"),
            TimestampFormat::LocalColon => (-7, "%Y-%m-%dT%H:%M:%S.%6f%:z"),
            TimestampFormat::Utc => (0, "%Y-%m-%dT%H:%M:%S.%6f%z"),
        };
        at.to_zoned(tz::offset(offset).to_time_zone()).strftime(format).to_string()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_format_is_written_as_the_log_api_does() {
        let at: Timestamp = "2026-11-20T13:00:00.0312Z".parse().unwrap();
        assert_eq!(TimestampFormat::Local.write(at), "2026-11-20T06:00:00.031200-0700");
        assert_eq!(TimestampFormat::LocalColon.write(at), "2026-11-20T06:00:00.031200-07:00");
        assert_eq!(TimestampFormat::Utc.write(at), "2026-11-20T13:00:00.031200+0000");
    }
}
