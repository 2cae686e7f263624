//! The time formats in requests to Proofpoint's APIs.

use jiff::fmt::strtime;
use jiff::{Timestamp, tz::TimeZone};

/// With and without seconds. A fraction may follow the seconds.
const FORMATS: [&str; 2] = ["%Y-%m-%dT%H:%M:%S%.f", "%Y-%m-%dT%H:%M"];

/// Parses a time as the APIs do: ISO 8601 with an offset (with or without a colon) or `Z`; UTC
/// if there is none. A `+` that was not percent-encoded has become a space and is refused.
pub(super) fn parse(text: &str) -> Option<Timestamp> {
    let zulu = text.strip_suffix('Z').map(|rest| format!("{rest}+0000"));
    let text = zulu.as_deref().unwrap_or(text);
    FORMATS.iter().find_map(|format| {
        let with_offset = ["%z", "%:z"].iter().find_map(|offset| {
            strtime::parse(format!("{format}{offset}"), text).ok()?.to_timestamp().ok()
        });
        with_offset.or_else(|| {
            let civil = strtime::parse(format, text).ok()?.to_datetime().ok()?;
            Some(civil.to_zoned(TimeZone::UTC).ok()?.timestamp())
        })
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_formats_of_collectors_are_parsed() {
        for text in [
            "2026-11-20T11:00:00-0400",
            "2026-11-20T15:00:00-0000",
            "2026-11-20T10:00:00.000-0500",
            "2026-11-20T16:00:00.000000+0100",
            "2026-11-20T15:00:00.000000Z",
            "2026-11-20T15:00:00.000000",
            "2026-11-20T15:00:00",
            "2026-11-20T15:00-0000",
            "2026-11-20T15:00:00+00:00",
        ] {
            let at = parse(text).unwrap_or_else(|| panic!("{text} is refused"));
            assert_eq!(at.to_string(), "2026-11-20T15:00:00Z", "{text}");
        }
    }

    #[test]
    fn other_texts_are_refused() {
        for text in [
            "",
            "yesterday",
            "1732114800",
            "2026-11-20",
            "2026-13-20T15:00:00Z",
            "2026-11-20T15:00:00 0100",
            "2026-11-20T15:00:00Zz",
        ] {
            assert_eq!(parse(text), None, "{text}");
        }
    }
}
