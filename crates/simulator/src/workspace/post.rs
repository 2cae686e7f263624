//! What the checks of both APIs have in common.

use axum::http::request::Parts;
use serde_json::Value;
use serde_json::value::RawValue;

use super::rows::Violation;

/// A valid post.
pub(super) struct AcceptedPost {
    pub table: String,
    /// The number of rows.
    pub count: usize,
    /// The rows as lines of JSON; empty if they are only counted.
    pub rows: Vec<String>,
    pub violations: Vec<Violation>,
    /// The length of the body after decompression.
    pub raw_bytes: usize,
}

impl AcceptedPost {
    pub(super) fn new(table: &str, raw_bytes: usize) -> AcceptedPost {
        let table = table.to_owned();
        AcceptedPost { table, count: 0, rows: Vec::new(), violations: Vec::new(), raw_bytes }
    }

    pub(super) fn push(&mut self, row: String) {
        self.count += 1;
        self.rows.push(row);
    }
}

/// The value of a header. Empty if the header is absent, repeated or not text.
pub(super) fn header<'a>(request: &'a Parts, name: &str) -> &'a str {
    let mut values = request.headers.get_all(name).iter();
    match (values.next(), values.next()) {
        (Some(value), None) => value.to_str().unwrap_or_default(),
        _ => "",
    }
}

/// The row as one line. A row without line breaks stays as it was sent.
pub(super) fn one_line(row: &RawValue) -> String {
    if row.get().contains(['\n', '\r']) {
        let value: Value = serde_json::from_str(row.get()).unwrap_or_default();
        return value.to_string();
    }
    row.get().to_owned()
}
