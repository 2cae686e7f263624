//! The window of a call: `interval`, `sinceSeconds` or `sinceTime`.

use std::ops::Range;

use jiff::{SignedDuration, Timestamp};

use crate::time_format;

use super::response::TapResponse;

/// The shortest window.
const SHORTEST: SignedDuration = SignedDuration::from_secs(30);

/// The longest window.
const LONGEST: SignedDuration = SignedDuration::from_hours(1);

/// The records of a call are created from its start on and before its end.
pub(super) type Window = Range<Timestamp>;

/// The window of the parameter `interval`: `start/end`, `period/end` or `start/period`.
pub(super) fn interval(
    text: &str,
    now: Timestamp,
    lookback: SignedDuration,
) -> Result<Window, TapResponse> {
    let window = parse_interval(text).ok_or_else(malformed)?;
    if window.end < window.start {
        // The real API describes this fault with an empty text.
        return Err(TapResponse::new(400, ""));
    }
    check_length(window.end.duration_since(window.start))?;
    if window.end >= now {
        return Err(TapResponse::still_current());
    }
    if window.start < now - lookback {
        return Err(TapResponse::too_far());
    }
    Ok(window)
}

/// The window of the parameter `sinceSeconds`: so many seconds up to now.
pub(super) fn since_seconds(text: &str, now: Timestamp) -> Result<Window, TapResponse> {
    let seconds = digits(text).ok_or_else(malformed)?;
    let length = SignedDuration::from_secs(seconds);
    check_length(length)?;
    Ok(until_now(now - length, now))
}

/// The window of the parameter `sinceTime`: from that time up to now, and at most an hour.
pub(super) fn since_time(text: &str, now: Timestamp) -> Result<Window, TapResponse> {
    let start = time_format::parse(text).ok_or_else(malformed)?;
    let length = now.duration_since(start);
    if length > LONGEST {
        return Err(TapResponse::since_time_too_far());
    }
    if length.is_negative() {
        return Err(TapResponse::new(400, ""));
    }
    check_length(length)?;
    Ok(until_now(start, now))
}

/// The end is the server's time, rounded to the nearest minute.
fn until_now(start: Timestamp, now: Timestamp) -> Window {
    let minutes = (now.as_second() + 30).div_euclid(60);
    let end = Timestamp::from_second(minutes * 60).expect("a minute from now is a time");
    start..end.max(start)
}

fn check_length(length: SignedDuration) -> Result<(), TapResponse> {
    if length < SHORTEST {
        return Err(TapResponse::too_short());
    }
    if length > LONGEST {
        // The limit is documented. The text of the real API is not known.
        return Err(TapResponse::new(400, "The requested interval is too long"));
    }
    Ok(())
}

fn malformed() -> TapResponse {
    TapResponse::new(400, "A parameter contains data which is incorrectly formatted")
}

fn parse_interval(text: &str) -> Option<Window> {
    let (first, second) = text.split_once('/')?;
    let (start, end) = match (period(first), period(second)) {
        (None, None) => (time_format::parse(first)?, time_format::parse(second)?),
        (Some(length), None) => {
            let end = time_format::parse(second)?;
            (end.checked_sub(length).ok()?, end)
        }
        (None, Some(length)) => {
            let start = time_format::parse(first)?;
            (start, start.checked_add(length).ok()?)
        }
        (Some(_), Some(_)) => return None,
    };
    Some(start..end)
}

/// A period of ISO 8601, such as `PT30M`.
fn period(text: &str) -> Option<SignedDuration> {
    // The parser also reads other forms, such as `30 minutes`.
    text.starts_with('P').then(|| text.parse().ok())?
}

fn digits(text: &str) -> Option<i64> {
    let is_number = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    // Longer numbers are far beyond every limit.
    (is_number && text.len() <= 9).then(|| text.parse().ok())?
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const NOW: &str = "2026-11-20T12:00:29.5Z";

    fn now() -> Timestamp {
        NOW.parse().unwrap()
    }

    fn text(window: Result<Window, TapResponse>) -> Result<String, String> {
        window.map(|window| format!("{}/{}", window.start, window.end)).map_err(|response| {
            assert_eq!(response.status, 400);
            response.body
        })
    }

    fn of_interval(interval: &str) -> Result<String, String> {
        text(super::interval(interval, now(), SignedDuration::from_hours(7 * 24)))
    }

    #[test]
    fn intervals_have_three_forms_and_all_offsets() {
        for interval in [
            "2026-11-20T10:00:00Z/2026-11-20T10:30:00Z",
            "2026-11-20T10:00:00+00:00/2026-11-20T10:30:00.000000+00:00",
            "PT30M/2026-11-20T10:30:00Z",
            "2026-11-20T10:00:00Z/PT30M",
            "2026-11-20T03:00:00-0700/PT1800S",
            "2026-11-20T10:00:00-0000/2026-11-20T10:30:00.000Z",
        ] {
            let expected = "2026-11-20T10:00:00Z/2026-11-20T10:30:00Z";
            assert_eq!(of_interval(interval), Ok(expected.to_owned()), "{interval}");
        }
        for interval in [
            "",
            "/",
            "PT30M",
            "PT30M/PT30M",
            "30 minutes/2026-11-20T10:30:00Z",
            "2026-11-20T10:00:00Z",
            "2026-11-20T10:00:00 00:00/2026-11-20T10:30:00 00:00",
            "2026-11-20T10:00:00Z/2026-11-20T10:30:00Z/PT30M",
        ] {
            assert!(of_interval(interval).unwrap_err().contains("incorrectly"), "{interval}");
        }
    }

    #[test]
    fn an_interval_is_30_seconds_to_an_hour_long() {
        let too_short = "The requested interval is too short. \
                         Requests must be for at least 30.00s of data";
        assert_eq!(of_interval("2026-11-20T10:00:00Z/PT29.999S"), Err(too_short.to_owned()));
        assert_eq!(of_interval("2026-11-20T10:00:00Z/PT0S"), Err(too_short.to_owned()));
        assert!(of_interval("2026-11-20T10:00:00Z/PT30S").is_ok());
        assert!(of_interval("2026-11-20T10:00:00Z/PT1H").is_ok());
        assert!(of_interval("2026-11-20T10:00:00Z/PT3600.001S").unwrap_err().contains("too long"));
    }

    #[test]
    fn an_end_before_the_start_gets_an_empty_text() {
        let reversed = of_interval("2026-11-20T10:00:00Z/2026-11-20T09:00:00Z");
        assert_eq!(reversed, Err(String::new()));
        assert_eq!(text(since_time("2026-11-20T12:00:30Z", now())), Err(String::new()));
    }

    #[test]
    fn an_interval_that_ends_now_is_still_current() {
        let current = Err("The requested interval is still current.".to_owned());
        assert_eq!(of_interval(&format!("PT30M/{NOW}")), current);
        assert_eq!(of_interval("PT30M/2026-11-20T12:10:00Z"), current);
        assert!(of_interval("PT30M/2026-11-20T12:00:29.499Z").is_ok());
    }

    #[test]
    fn an_interval_begins_at_most_seven_days_ago() {
        let too_far = "The requested start time is too far into the past. \
                       Requests for information up to 7.00d are accepted";
        assert_eq!(of_interval("2026-11-13T12:00:29Z/PT1H"), Err(too_far.to_owned()));
        assert!(of_interval("2026-11-13T12:00:29.5Z/PT1H").is_ok());
    }

    #[test]
    fn since_parameters_end_at_the_nearest_minute() {
        let expect = |text: &str| Ok(text.to_owned());
        let seconds = |seconds, now: &str| text(since_seconds(seconds, now.parse().unwrap()));
        assert_eq!(seconds("300", NOW), expect("2026-11-20T11:55:29.5Z/2026-11-20T12:00:00Z"));
        assert_eq!(
            seconds("300", "2026-11-20T12:00:30Z"),
            expect("2026-11-20T11:55:30Z/2026-11-20T12:01:00Z")
        );
        assert_eq!(
            text(since_time("2026-11-20T11:00:29.5Z", now())),
            expect("2026-11-20T11:00:29.5Z/2026-11-20T12:00:00Z")
        );
    }

    #[test]
    fn since_parameters_reach_back_an_hour() {
        let far = "The sinceTime parameter gives a time too far into the past";
        assert_eq!(text(since_time("2026-11-20T11:00:29Z", now())), Err(far.to_owned()));
        assert!(since_seconds("3600", now()).is_ok());
        assert!(since_seconds("30", now()).is_ok());
        assert!(text(since_seconds("3601", now())).unwrap_err().contains("too long"));
        assert!(text(since_seconds("29", now())).unwrap_err().contains("too short"));
        assert!(text(since_time("2026-11-20T12:00:00Z", now())).unwrap_err().contains("short"));
        for wrong in ["", "-300", "+300", "5m", "3.5", "99999999999999999999"] {
            let refused = text(since_seconds(wrong, now())).unwrap_err();
            assert!(refused.contains("incorrectly"), "{wrong}");
        }
        assert!(text(since_time("yesterday", now())).unwrap_err().contains("incorrectly"));
    }

    proptest! {
        #[test]
        fn accepted_windows_keep_the_rules(
            text in prop_oneof![
                any::<String>(),
                "(-?[0-9]{4}-[01][0-9]-[0-3][0-9]T[0-2][0-9]:[0-5][0-9]:[0-5][0-9]Z|PT?[0-9]{1,19}[HMSD])/\
                 (2026-11-20T[01][0-9]:[0-5][0-9]:[0-5][0-9]Z|PT?[0-9]{1,4}[HMSD])",
            ],
        ) {
            let lookback = SignedDuration::from_hours(7 * 24);
            if let Ok(window) = interval(&text, now(), lookback) {
                let length = window.end.duration_since(window.start);
                prop_assert!((SHORTEST..=LONGEST).contains(&length));
                prop_assert!(window.end < now() && window.start >= now() - lookback);
            }
            for window in [since_seconds(&text, now()), since_time(&text, now())].into_iter().flatten() {
                prop_assert!(window.start <= window.end && window.start >= now() - LONGEST);
            }
        }
    }
}
