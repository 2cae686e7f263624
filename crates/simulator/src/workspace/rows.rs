//! Reads the rows of a body, and finds values that Azure would truncate or drop silently.

use std::collections::HashSet;
use std::fmt;

use jiff::Timestamp;
use proofpoint_sentinel_core::tables::{Column, ColumnType, Table};
use serde::de::IgnoredAny;
use serde_json::value::RawValue;

use crate::json_members::JsonMembers;

/// A value that the real workspace would have truncated or dropped silently.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Violation {
    /// The table.
    pub table: String,
    /// The name of the column in the row.
    pub column: String,
    /// What is wrong.
    pub fault: ValueFault,
}

/// What is wrong with a value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ValueFault {
    /// The table has no such column: the value is dropped.
    UnknownColumn,
    /// The row has the column twice.
    Repeated,
    /// The row lacks the column.
    Missing,
    /// The value is over the limit and is truncated. Its length in bytes.
    TooLong(usize),
    /// Not a time in RFC 3339.
    NotATime,
    /// Not a string, in a string column.
    NotAText,
    /// Not a whole number of 32 bits, in a column of those.
    NotAnInt,
    /// Not a whole number of 64 bits, in a column of those.
    NotALong,
    /// Not a number, in a column of those.
    NotAReal,
    /// Neither true nor false, in a column of those.
    NotABoolean,
}

impl fmt::Display for Violation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}: {:?}", self.table, self.column, self.fault)
    }
}

/// Splits an array of objects into its elements.
pub(super) fn split(body: &[u8]) -> Result<Vec<(&RawValue, JsonMembers<'_>)>, serde_json::Error> {
    let rows: Vec<&RawValue> = serde_json::from_slice(body)?;
    rows.into_iter().map(|row| Ok((row, serde_json::from_str(row.get())?))).collect()
}

/// Counts the elements of an array without parsing them.
pub(super) fn count(body: &[u8]) -> Result<usize, serde_json::Error> {
    serde_json::from_slice::<Vec<IgnoredAny>>(body).map(|rows| rows.len())
}

/// Checks a row for `table` of the Logs Ingestion API.
pub(super) fn check(table: &Table, row: &JsonMembers<'_>) -> Vec<Violation> {
    let mut seen = HashSet::new();
    let mut violations = Vec::new();
    let mut violation = |column: &str, fault| {
        violations.push(Violation {
            table: table.name.to_owned(),
            column: column.to_owned(),
            fault,
        });
    };
    for (name, value) in &row.0 {
        if !seen.insert(name.as_str()) {
            violation(name, ValueFault::Repeated);
        }
        match table.columns.iter().find(|column| column.name == name) {
            None => violation(name, ValueFault::UnknownColumn),
            Some(column) => {
                if let Some(fault) = value_fault(column, value) {
                    violation(name, fault);
                }
            }
        }
    }
    if !seen.contains("TimeGenerated") {
        violation("TimeGenerated", ValueFault::Missing);
    }
    violations
}

/// The longest value of a column of the Logs Ingestion API, in bytes.
const MAX_VALUE: usize = 65_536;

fn value_fault(column: &Column, value: &RawValue) -> Option<ValueFault> {
    if value.get() == "null" {
        return (column.name == "TimeGenerated").then_some(ValueFault::NotATime);
    }
    let text = serde_json::from_str::<String>(value.get());
    let length = match (column.column_type, text) {
        (ColumnType::DateTime, Ok(text)) if is_rfc3339(&text) => return None,
        (ColumnType::DateTime, _) => return Some(ValueFault::NotATime),
        (ColumnType::String, Ok(text)) => text.len(),
        (ColumnType::String, Err(_)) => return Some(ValueFault::NotAText),
        (ColumnType::Dynamic, _) => value.get().len(),
        (ColumnType::Int, _) => {
            let is_int = value.get().parse::<i32>().is_ok();
            return (!is_int).then_some(ValueFault::NotAnInt);
        }
        (ColumnType::Long, _) => {
            let is_long = value.get().parse::<i64>().is_ok();
            return (!is_long).then_some(ValueFault::NotALong);
        }
        (ColumnType::Real, _) => {
            let is_real = serde_json::from_str::<f64>(value.get()).is_ok();
            return (!is_real).then_some(ValueFault::NotAReal);
        }
        (ColumnType::Boolean, _) => {
            let is_boolean = ["true", "false"].contains(&value.get());
            return (!is_boolean).then_some(ValueFault::NotABoolean);
        }
    };
    (length > MAX_VALUE).then_some(ValueFault::TooLong(length))
}

/// Whether `text` is an RFC 3339 date and time with a `T` between them and an offset.
pub(super) fn is_rfc3339(text: &str) -> bool {
    let digits_at = |range: std::ops::Range<usize>| {
        text.get(range).is_some_and(|part| part.bytes().all(|byte| byte.is_ascii_digit()))
    };
    digits_at(0..4)
        && text.as_bytes().get(10) == Some(&b'T')
        && digits_at(17..19)
        && !text.contains('[')
        && text.parse::<Timestamp>().is_ok()
}

#[cfg(test)]
mod tests {
    use proofpoint_sentinel_core::feed::EventType;
    use proofpoint_sentinel_core::tables::{connector_table, table, tap_table};
    use proofpoint_sentinel_core::tap_kind::TapKind;

    use super::*;

    fn faults(row: &str) -> Vec<(String, ValueFault)> {
        let members = serde_json::from_str(row).unwrap();
        check(table(EventType::Message), &members)
            .into_iter()
            .map(|violation| (violation.column, violation.fault))
            .collect()
    }

    fn fault(row: &str) -> (String, ValueFault) {
        let mut faults = faults(row);
        assert_eq!(faults.len(), 1, "{faults:?}");
        faults.remove(0)
    }

    #[test]
    fn a_row_that_fits_its_table_has_no_violation() {
        let row = r#"{"TimeGenerated":"2026-11-20T06:00:00.5Z","eventTime":null,"guid":"g",
                      "connection":{"ip":"192.0.2.1"},"msgParts":[],"AdditionalFields":7}"#;
        assert_eq!(faults(row), []);
    }

    #[test]
    fn a_dropped_or_truncated_value_is_a_violation() {
        const TIME: &str = r#""TimeGenerated":"2026-11-20T06:00:00+01:00""#;
        let at = |row: &str| fault(&format!("{{{TIME},{row}}}"));
        assert_eq!(at(r#""nope":1"#), ("nope".into(), ValueFault::UnknownColumn));
        assert_eq!(at(r#""guid":7"#), ("guid".into(), ValueFault::NotAText));
        assert_eq!(at(r#""guid":"a","guid":"b""#), ("guid".into(), ValueFault::Repeated));
        assert_eq!(at(r#""eventTime":"20 Nov""#), ("eventTime".into(), ValueFault::NotATime));
        assert_eq!(fault(r#"{"guid":"a"}"#), ("TimeGenerated".into(), ValueFault::Missing));
        let of = |length: usize| format!(r#""msg":["{}"]"#, "x".repeat(length - 4));
        assert_eq!(faults(&format!("{{{TIME},{}}}", of(65_536))), []);
        assert_eq!(at(&of(65_537)), ("msg".into(), ValueFault::TooLong(65_537)));
        let text = format!(r#""guid":"{}""#, "é".repeat(32_769));
        assert_eq!(at(&text), ("guid".into(), ValueFault::TooLong(65_538)));
    }

    #[test]
    fn numbers_and_booleans_are_no_texts() {
        let table = tap_table(TapKind::MessagesBlocked);
        let faults = |row: &str| {
            let members = serde_json::from_str(row).unwrap();
            let faults: Vec<ValueFault> =
                check(table, &members).into_iter().map(|violation| violation.fault).collect();
            faults
        };
        let row = |score: &str, rewritten: &str| {
            format!(
                r#"{{"TimeGenerated":"2026-11-20T06:00:00Z","spamScore":{score},"completelyRewritten":{rewritten}}}"#
            )
        };
        assert_eq!(faults(&row("-7", "true")), []);
        assert_eq!(faults(&row("null", "null")), []);
        for score in ["0.5", "\"7\"", "2147483648"] {
            assert_eq!(faults(&row(score, "false")), [ValueFault::NotAnInt], "{score}");
        }
        for rewritten in ["\"true\"", "1"] {
            assert_eq!(faults(&row("1", rewritten)), [ValueFault::NotABoolean], "{rewritten}");
        }
    }

    #[test]
    fn counts_and_measures_are_numbers() {
        let faults = |events: &str, lag: &str| {
            let row = format!(
                r#"{{"TimeGenerated":"2026-11-20T06:00:00Z","Events":{events},"LagSeconds":{lag}}}"#
            );
            let members = serde_json::from_str(&row).unwrap();
            let faults = check(connector_table(), &members).into_iter();
            faults.map(|violation| violation.fault).collect::<Vec<_>>()
        };
        assert_eq!(faults("4294967296", "0.25"), []);
        assert_eq!(faults("null", "7"), []);
        assert_eq!(faults("0.5", "\"7\""), [ValueFault::NotALong, ValueFault::NotAReal]);
        assert_eq!(
            faults("9223372036854775808", "true"),
            [ValueFault::NotALong, ValueFault::NotAReal]
        );
    }

    #[test]
    fn only_rfc_3339_times_are_accepted() {
        for good in ["2026-11-20T06:00:00Z", "2026-11-20T06:00:00.123456-07:00"] {
            assert!(is_rfc3339(good), "{good}");
        }
        for bad in [
            "",
            "2026-11-20",
            "2026-11-20 06:00:00Z",
            "2026-11-20T06:00:00",
            "2026-11-20T06:00Z",
            "2026-11-20T06:00:00-07:00[America/Phoenix]",
        ] {
            assert!(!is_rfc3339(bad), "{bad}");
        }
    }
}
