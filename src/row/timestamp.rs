//! An event's `ts`.

use std::ops::Range;

use jiff::tz::{Offset, TimeZone};
use jiff::{Timestamp, civil};

/// An event can only have happened from 1970 to the end of 2199.
const POSSIBLE: Range<Timestamp> = Timestamp::UNIX_EPOCH..Timestamp::constant(7_258_118_400, 0);

/// Appends a time as its `Display` writes it, which takes several times as long.
pub fn push(at: Timestamp, out: &mut Vec<u8>) {
    let time = Offset::UTC.to_datetime(at);
    let Ok(year @ 0..=9999) = u32::try_from(time.year()) else {
        return out.extend_from_slice(at.to_string().as_bytes());
    };
    let mut text = *b"0000-00-00T00:00:00.000000000Z";
    put(year, &mut text[..4]);
    let parts = [time.month(), time.day(), time.hour(), time.minute(), time.second()];
    for (part, place) in parts.into_iter().zip([5, 8, 11, 14, 17]) {
        put(part.unsigned_abs().into(), &mut text[place..place + 2]);
    }
    let fraction = time.subsec_nanosecond().unsigned_abs();
    let mut length = "2026-11-25T21:00:11".len();
    if fraction > 0 {
        put(fraction, &mut text[length + 1..length + 10]);
        let zeros = text[..length + 10].iter().rev().take_while(|digit| **digit == b'0').count();
        length += 10 - zeros;
    }
    text[length] = b'Z';
    out.extend_from_slice(&text[..length + 1]);
}

/// Puts the last digits of a number where `digits` are.
fn put(mut number: u32, digits: &mut [u8]) {
    for digit in digits.iter_mut().rev() {
        *digit = b'0' + (number % 10) as u8;
        number /= 10;
    }
}

/// Reads the JSON text of an event's `ts`: ISO 8601 with any fraction and any offset. The offset has
/// a colon or none, is `Z`, `UTC` or `GMT`, or is missing, which means UTC. Blanks may stand before
/// it.
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
    let at = exact(text).or_else(|| exact(&respelled(text)?))?;
    POSSIBLE.contains(&at).then_some(at)
}

fn exact(text: &str) -> Option<Timestamp> {
    usual(text).or_else(|| by_jiff(text))
}

/// A time in the spelling of nearly all events: `2026-11-25T21:00:11.500000-0700`.
fn usual(text: &str) -> Option<Timestamp> {
    let (time, rest) = text.as_bytes().split_first_chunk::<19>()?;
    let [y1, y2, y3, y4, b'-', mo1, mo2, b'-', d1, d2, b'T', h1, h2, b':', mi1, mi2, b':', s1, s2] =
        *time
    else {
        return None;
    };
    let (fraction, offset) = rest.split_first_chunk::<7>()?;
    let [b'.', fraction @ ..] = fraction else { return None };
    let [sign @ (b'+' | b'-'), oh1, oh2, om1, om2] = *offset else { return None };
    let (offset_hours, offset_minutes) = (number(&[oh1, oh2])?, number(&[om1, om2])?);
    let second = number(&[s1, s2])?;
    if offset_hours > 23 || offset_minutes > 59 || second > 59 {
        return None;
    }
    let at = civil::DateTime::new(
        i16::try_from(number(&[y1, y2, y3, y4])?).ok()?,
        i8::try_from(number(&[mo1, mo2])?).ok()?,
        i8::try_from(number(&[d1, d2])?).ok()?,
        i8::try_from(number(&[h1, h2])?).ok()?,
        i8::try_from(number(&[mi1, mi2])?).ok()?,
        i8::try_from(second).ok()?,
        number(fraction)? * 1_000,
    );
    let seconds = offset_hours * 3_600 + offset_minutes * 60;
    let offset = Offset::from_seconds(if sign == b'-' { -seconds } else { seconds }).ok()?;
    offset.to_timestamp(at.ok()?).ok()
}

fn number(digits: &[u8]) -> Option<i32> {
    let digits = digits.iter().map(|digit| digit.is_ascii_digit().then(|| i32::from(digit - b'0')));
    digits.into_iter().try_fold(0, |number, digit| Some(number * 10 + digit?))
}

fn by_jiff(text: &str) -> Option<Timestamp> {
    text.parse().ok().or_else(|| {
        // A date-time without an offset; jiff refuses one that names a zone here.
        let local: civil::DateTime = text.parse().ok()?;
        text.contains([':']).then(|| local.to_zoned(TimeZone::UTC).ok())?.map(|at| at.timestamp())
    })
}

/// A time in the spelling that jiff reads, which has nine digits of fraction at most and no blank
/// before the offset. `None` if it is not clear what is meant.
fn respelled(text: &str) -> Option<String> {
    const DATE: usize = "2026-11-25".len();
    if !text.is_ascii() || text.len() <= DATE {
        return None;
    }
    let (date, rest) = text.split_at(DATE);
    let rest = rest.strip_prefix(['T', 't', ' '])?;
    let (time, offset) = split_offset(rest)?;
    let (time, fraction) = time.split_once(['.', ',']).unwrap_or((time, "0"));
    if fraction.is_empty() || !fraction.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let fraction = &fraction[..fraction.len().min(9)];
    (time.len() == "21:00:11".len()).then(|| format!("{date}T{time}.{fraction}{offset}"))
}

/// Splits an ASCII time of day from its offset, which is `Z` if it has none.
fn split_offset(text: &str) -> Option<(&str, &str)> {
    for name in ["UTC", "GMT", "Z"] {
        let (time, end) = text.split_at(text.len().saturating_sub(name.len()));
        if end.eq_ignore_ascii_case(name) {
            return Some((time.trim_end(), "Z"));
        }
    }
    let Some(sign) = text.rfind(['+', '-']) else { return Some((text, "Z")) };
    let (time, offset) = text.split_at(sign);
    let digits = offset.bytes().filter(u8::is_ascii_digit).count();
    let is_whole = match offset.len() {
        3 => digits == 2,
        5 => digits == 4,
        6 => digits == 4 && offset.as_bytes()[3] == b':',
        _ => false,
    };
    is_whole.then_some((time.trim_end(), offset))
}

#[cfg(test)]
mod tests {
    use jiff::tz::Offset;
    use proofpoint_sentinel_core::hour::Hour;
    use proptest::prelude::*;

    use super::{by_jiff, parse, push, usual};

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
    fn spellings_of_a_time_are_read_as_that_time() {
        for text in [
            "2026-11-25T21:00:11.5000001234+0000",
            "2026-11-25T21:00:11.500000000000000000000000000000 +00:00",
            "2026-11-25T21:00:11.500000 UTC",
            "2026-11-25T21:00:11.500000UTC",
            "2026-11-25T21:00:11.500000 gmt",
            "2026-11-25T21:00:11.5 Z",
            "2026-11-25t21:00:11.5z",
            "2026-11-25 21:00:11.5",
            "2026-11-25 21:00:11,5000000000 +0000",
            "2026-11-25T14:00:11,5 -0700",
            "2026-11-25T14:00:11.5  -07:00",
            "2026-11-25T22:30:11.5 +0130",
            "2026-11-25T22:00:11.5 +01",
        ] {
            let at = utc(&format!("\"{text}\"")).expect(text);
            assert_eq!(&at[..21], "2026-11-25T21:00:11.5", "{text}");
        }
        let leap = utc(r#""2016-12-31T23:59:60.0000000000 UTC""#);
        assert_eq!(leap.as_deref(), Some("2016-12-31T23:59:59Z"));
    }

    #[test]
    fn the_usual_spelling_needs_no_other_reader() {
        for text in ["2024-05-22T12:10:03.058340-0700", "2024-02-29T23:59:59.999999+0000"] {
            assert!(usual(text).is_some_and(|at| by_jiff(text) == Some(at)), "{text}");
        }
    }

    #[test]
    fn other_texts_are_not_a_time() {
        for value in [
            r#""2026-11-25T21:00:11 EST""#,
            r#""2026-11-25T21:00:11 UTC+02:00""#,
            r#""2026-11-25T21:00:11 +2""#,
            r#""2026-11-25T21:00:11 +02:0""#,
            r#""2026-11-25T21:00:11.+0000""#,
            r#""2026-11-25T21:00:11.12.34567890123+0000""#,
            r#""2026-11-25 9:00:11 PM""#,
            r#""25/11/2026 21:00:11""#,
            r#""2026-11-25T21:00:11+0000 UTC""#,
            r#""2026-11-25T25:00:11 UTC""#,
            r#""UTC""#,
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
        fn a_time_is_pushed_as_it_is_displayed(
            second in prop_oneof![0i64..7_258_118_400, -377_705_023_201i64..253_402_207_200],
            nano in prop_oneof![Just(0), Just(500_000_000), Just(1_000), 0..1_000_000_000],
        ) {
            let at = jiff::Timestamp::new(second, nano).unwrap();
            let mut text = b"before".to_vec();
            push(at, &mut text);
            prop_assert_eq!(String::from_utf8(text).unwrap(), format!("before{at}"));
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
        fn the_usual_spelling_is_read_as_any_other(
            date in "(19[67]|2[01]2)[0-9]-[01][0-9]-[0-3][0-9]",
            time in "[0-2][0-9]:[0-6][0-9]:[0-6][0-9]",
            fraction in "\\.[0-9]{6}",
            offset in "[+-][0-2][0-9][0-6][0-9]",
        ) {
            let text = format!("{date}T{time}{fraction}{offset}");
            if let Some(at) = usual(&text) {
                prop_assert_eq!(Some(at), by_jiff(&text), "{}", text);
            }
        }

        #[test]
        fn no_text_panics(text in ".{0,40}") {
            let _ = parse(&serde_json::to_string(&text).unwrap());
            let _ = parse(&text);
        }
    }
}
