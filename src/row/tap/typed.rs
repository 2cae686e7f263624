//! Values of columns that are neither text nor JSON.

use std::borrow::Cow;

use jiff::Timestamp;
use proofpoint_sentinel_core::tables::ColumnType;

use crate::row::text::string_value;
use crate::row::timestamp;

/// What a column of some type holds of a value.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Held<'a> {
    /// JSON for the column; `None` if it can hold nothing of the value.
    pub(super) json: Option<Cow<'a, str>>,
    /// Whether nothing is lost by that.
    pub(super) is_exact: bool,
}

/// What a column of this type holds of the JSON value. Texts and JSON are held as they are.
pub(super) fn held(column_type: ColumnType, value: &str) -> Held<'_> {
    if value == "null" {
        return as_it_is(value);
    }
    match column_type {
        ColumnType::Int => int(value),
        ColumnType::Boolean => boolean(value),
        ColumnType::DateTime => date_time(value),
        // No column of TAP records is one of numbers of other kinds.
        ColumnType::String | ColumnType::Dynamic | ColumnType::Long | ColumnType::Real => {
            as_it_is(value)
        }
    }
}

fn as_it_is(value: &str) -> Held<'_> {
    Held { json: Some(Cow::Borrowed(value)), is_exact: true }
}

const NOTHING: Held<'static> = Held { json: None, is_exact: false };

/// A whole number of 32 bits, without a fraction that the value may have.
fn int(value: &str) -> Held<'_> {
    if value.parse::<i32>().is_ok() {
        return as_it_is(value);
    }
    let text = string_value(value).unwrap_or(Cow::Borrowed(value));
    let Ok(number) = text.trim().parse::<f64>() else { return NOTHING };
    let whole = number.trunc();
    if !(f64::from(i32::MIN)..=f64::from(i32::MAX)).contains(&whole) {
        return NOTHING;
    }
    Held { json: Some(Cow::Owned((whole as i32).to_string())), is_exact: whole == number }
}

fn boolean(value: &str) -> Held<'_> {
    let text = string_value(value).unwrap_or(Cow::Borrowed(value));
    for word in ["true", "false"] {
        if text.trim().eq_ignore_ascii_case(word) {
            return Held { json: Some(Cow::Borrowed(word)), is_exact: true };
        }
    }
    NOTHING
}

/// A time as it came if it is RFC 3339, which Azure reads, and otherwise in UTC.
fn date_time(value: &str) -> Held<'_> {
    let Some(at) = timestamp::parse(value) else { return NOTHING };
    let text = value.trim_matches('"');
    let has = |at: usize, byte: u8| text.as_bytes().get(at) == Some(&byte);
    let is_rfc_3339 = has(10, b'T') && has(16, b':') && text.parse::<Timestamp>().is_ok();
    if is_rfc_3339 {
        return as_it_is(value);
    }
    Held { json: Some(Cow::Owned(format!("\"{at}\""))), is_exact: false }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(column_type: ColumnType, cases: &[(&str, Option<&str>, bool)]) {
        for (value, json, is_exact) in cases {
            let held = held(column_type, value);
            assert_eq!((held.json.as_deref(), held.is_exact), (*json, *is_exact), "{value}");
        }
    }

    #[test]
    fn scores_lose_their_fractions() {
        check(
            ColumnType::Int,
            &[
                ("null", Some("null"), true),
                ("100", Some("100"), true),
                ("0.0", Some("0"), true),
                ("99.7", Some("99"), false),
                ("-1.5", Some("-1"), false),
                ("1e2", Some("100"), true),
                ("\"12\"", Some("12"), true),
                ("2147483648", None, false),
                ("1e400", None, false),
                ("\"NaN\"", None, false),
                ("\"na\"", None, false),
                ("true", None, false),
                ("[1]", None, false),
            ],
        );
    }

    #[test]
    fn a_text_can_be_true_or_false() {
        check(
            ColumnType::Boolean,
            &[
                ("true", Some("true"), true),
                ("\"False\"", Some("false"), true),
                ("null", Some("null"), true),
                ("\"na\"", None, false),
                ("1", None, false),
            ],
        );
    }

    #[test]
    fn a_time_that_azure_reads_stays_as_it_is() {
        check(
            ColumnType::DateTime,
            &[
                ("\"2021-11-25T13:02:58.640Z\"", Some("\"2021-11-25T13:02:58.640Z\""), true),
                ("\"2021-11-25T13:02:58+02:00\"", Some("\"2021-11-25T13:02:58+02:00\""), true),
                ("\"2021-11-25 13:02:58\"", Some("\"2021-11-25T13:02:58Z\""), false),
                ("\"2021-11-25T13:02:58 UTC\"", Some("\"2021-11-25T13:02:58Z\""), false),
                ("\"yesterday\"", None, false),
                ("\"\"", None, false),
                ("1637845378", None, false),
            ],
        );
    }
}
