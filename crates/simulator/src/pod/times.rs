//! The forms of `sinceTime` and `toTime`.

use jiff::fmt::strtime;
use jiff::{Timestamp, tz::TimeZone};

/// With and without seconds; a fraction may follow the seconds.
const FORMS: [&str; 2] = ["%Y-%m-%dT%H:%M:%S%.f", "%Y-%m-%dT%H:%M"];

/// Reads a time as the Log API does: ISO 8601, the offset with or without a colon or `Z`; UTC
/// where there is none. A `+` that was not percent-encoded has become a space and is refused.
pub(super) fn read(text: &str) -> Option<Timestamp> {
    let zulu = text.strip_suffix('Z').map(|rest| format!("{rest}+0000"));
    let text = zulu.as_deref().unwrap_or(text);
    FORMS.iter().find_map(|form| {
        let with_offset = ["%z", "%:z"].iter().find_map(|offset| {
            strtime::parse(format!("{form}{offset}"), text).ok()?.to_timestamp().ok()
        });
        with_offset.or_else(|| {
            let civil = strtime::parse(form, text).ok()?.to_datetime().ok()?;
            Some(civil.to_zoned(TimeZone::UTC).ok()?.timestamp())
        })
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_every_form_that_collectors_send() {
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
            let at = read(text).unwrap_or_else(|| panic!("{text} is refused"));
            assert_eq!(at.to_string(), "2026-11-20T15:00:00Z", "{text}");
        }
    }

    #[test]
    fn refuses_what_is_no_time() {
        for text in [
            "",
            "yesterday",
            "1732114800",
            "2026-11-20",
            "2026-13-20T15:00:00Z",
            "2026-11-20T15:00:00 0100",
            "2026-11-20T15:00:00Zz",
        ] {
            assert_eq!(read(text), None, "{text}");
        }
    }
}
