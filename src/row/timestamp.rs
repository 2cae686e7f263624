//! An event's `ts`.

use std::ops::Range;

use jiff::tz::TimeZone;
use jiff::{Timestamp, civil};

/// An event can only have happened from 1970 to the end of 2199.
const POSSIBLE: Range<Timestamp> = Timestamp::UNIX_EPOCH..Timestamp::constant(7_258_118_400, 0);

/// Reads the JSON text of an event's `ts`: ISO 8601 with any fraction and any offset. The offset has
/// a colon or none, is `Z`, or is missing, which means UTC.
///
/// `None` for any other text, and for a time at which no event can have happened.
pub fn parse(value: &str) -> Option<Timestamp> {
    let text: String;
    let text = match value.strip_prefix('"')?.strip_suffix('"')? {
        plain if !plain.contains('\\') => plain,
        _ => {
            text = serde_json::from_str(value).ok()?;
            &text
        }
    };
    let text = text.trim();
    let at = text.parse::<Timestamp>().ok().or_else(|| {
        // A date-time without an offset; jiff refuses one that names a zone here.
        let local: civil::DateTime = text.parse().ok()?;
        text.contains([':']).then(|| local.to_zoned(TimeZone::UTC).ok())?.map(|at| at.timestamp())
    })?;
    POSSIBLE.contains(&at).then_some(at)
}

#[cfg(test)]
mod tests {
    use jiff::tz::Offset;
    use proofpoint_sentinel_core::hour::Hour;
    use proptest::prelude::*;

    use super::parse;

    fn utc(value: &str) -> Option<String> {
        parse(value).map(|at| at.to_string())
    }

    #[test]
    fn any_offset_becomes_utc() {
        let cases = [
            (r#""2024-05-22T12:10:03.058340-0700""#, "2024-05-22T19:10:03.05834Z"),
            (r#""2024-05-22T12:10:03.058340-07:00""#, "2024-05-22T19:10:03.05834Z"),
            (r#""2024-05-22T12:10:03+0530""#, "2024-05-22T06:40:03Z"),
            (r#""2024-05-22T12:10:03.058340+0000""#, "2024-05-22T12:10:03.05834Z"),
            (r#""2024-05-22T12:10:03Z""#, "2024-05-22T12:10:03Z"),
            (r#""2024-05-22T12:10:03.5""#, "2024-05-22T12:10:03.5Z"),
            (r#""2024-12-31T23:59:60Z""#, "2024-12-31T23:59:59Z"),
            (r#""2024-05-22T12:10:03\u002e5Z""#, "2024-05-22T12:10:03.5Z"),
        ];
        for (value, expected) in cases {
            assert_eq!(utc(value).as_deref(), Some(expected), "{value}");
        }
    }

    #[test]
    fn other_texts_are_not_a_time() {
        for value in [
            "null",
            "1716379803",
            r#""""#,
            r#""yesterday""#,
            r#""2024-05-22""#,
            r#""2024-13-01T00:00:00Z""#,
            r#""1969-12-31T23:59:59Z""#,
            r#""-009999-01-02T01:59:59Z""#,
            r#""2200-01-01T00:00:00Z""#,
        ] {
            assert_eq!(utc(value), None, "{value}");
        }
    }

    proptest! {
        #[test]
        fn a_printed_time_is_read_back(second in 0i64..7_258_118_400, nano in 0i32..1_000_000_000) {
            let at = jiff::Timestamp::new(second, nano).unwrap();
            prop_assert_eq!(parse(&format!("\"{at}\"")), Some(at));
        }

        #[test]
        fn any_offset_of_a_time_gives_its_hour(
            second in 86_400i64..4_100_000_000,
            nano in 0i32..1_000_000_000,
            quarters in -56i32..=56,
        ) {
            let at = jiff::Timestamp::new(second, nano).unwrap();
            let offset = Offset::from_seconds(quarters * 900).expect("within 14 hours");
            let text = format!("\"{}{offset}\"", offset.to_datetime(at));
            let read = parse(&text).expect("a time with an offset");
            prop_assert_eq!(Hour::containing(read), Hour::containing(at));
        }

        #[test]
        fn no_text_panics(text in ".{0,40}") {
            let _ = parse(&serde_json::to_string(&text).unwrap());
            let _ = parse(&text);
        }
    }
}
