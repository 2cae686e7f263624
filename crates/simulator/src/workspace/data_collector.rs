//! The checks of the HTTP Data Collector API.

use axum::http::header::{AUTHORIZATION, CONTENT_ENCODING, CONTENT_TYPE};
use axum::http::request::Parts;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, KeyInit, Mac};
use jiff::{SignedDuration, Timestamp, fmt::strtime, tz::TimeZone};
use serde_json::value::RawValue;
use sha2::Sha256;

use crate::json_members::JsonMembers;

use super::api_response::ApiResponse;
use super::post::{AcceptedPost, header, one_line};
use super::rows::{self, ValueFault, Violation};
use super::settings::{RowStorage, WorkspaceSettings};

/// The longest body. The API answers 404 to longer ones.
const MAX_BODY: usize = 30_000_000;

/// Longer values are truncated, in bytes.
const MAX_VALUE: usize = 32_768;

/// How far `x-ms-date` may differ from the clock.
const MAX_SKEW: SignedDuration = SignedDuration::from_mins(15);

/// If a row's own time is older than this, the time of receipt replaces it.
const MAX_AGE: SignedDuration = SignedDuration::from_hours(48);

/// Reserved column names.
const RESERVED: [&str; 3] = ["tenant", "TimeGenerated", "RawData"];

/// Checks a post to `/api/logs`.
pub(super) fn check(
    settings: &WorkspaceSettings,
    request: &Parts,
    body: &[u8],
) -> Result<AcceptedPost, ApiResponse> {
    if body.len() > MAX_BODY {
        return Err(ApiResponse::status(404));
    }
    match request.uri.query() {
        Some("api-version=2016-04-01") => {}
        None => return Err(ApiResponse::collector_error(400, "MissingApiVersion")),
        Some(_) => return Err(ApiResponse::collector_error(400, "InvalidApiVersion")),
    }
    match header(request, CONTENT_TYPE.as_str()) {
        "application/json" => {}
        "" => return Err(ApiResponse::collector_error(400, "MissingContentType")),
        _ => return Err(ApiResponse::collector_error(400, "UnsupportedContentType")),
    }
    authorize(settings, request, body.len())?;
    let log_type = log_type(request)?;
    read(settings, &format!("{log_type}_CL"), header(request, "time-generated-field"), body)
}

/// The signature covers the length in bytes, the content type, the date and the path.
fn authorize(
    settings: &WorkspaceSettings,
    request: &Parts,
    length: usize,
) -> Result<(), ApiResponse> {
    let date = header(request, "x-ms-date");
    let is_near =
        sent_at(date).is_some_and(|at| settings.clock.now().duration_since(at).abs() <= MAX_SKEW);
    let text = format!("POST\n{length}\napplication/json\nx-ms-date:{date}\n/api/logs");
    let expected = format!("SharedKey {}:{}", settings.workspace_id, sign(settings, &text));
    // A compressed body gets the same error.
    let is_plain = header(request, CONTENT_ENCODING.as_str()).is_empty();
    if is_near && is_plain && header(request, AUTHORIZATION.as_str()) == expected {
        Ok(())
    } else {
        Err(ApiResponse::collector_error(403, "InvalidAuthorization"))
    }
}

fn sent_at(date: &str) -> Option<Timestamp> {
    let civil = strtime::parse("%a, %d %b %Y %H:%M:%S GMT", date).ok()?.to_datetime().ok()?;
    Some(civil.to_zoned(TimeZone::UTC).ok()?.timestamp())
}

fn sign(settings: &WorkspaceSettings, text: &str) -> String {
    let key = STANDARD.decode(settings.workspace_key.reveal()).unwrap_or_default();
    let mut mac = Hmac::<Sha256>::new_from_slice(&key).expect("a key may have any length");
    mac.update(text.as_bytes());
    STANDARD.encode(mac.finalize().into_bytes())
}

fn log_type(request: &Parts) -> Result<&str, ApiResponse> {
    let name = header(request, "log-type");
    if name.is_empty() {
        return Err(ApiResponse::collector_error(400, "MissingLogType"));
    }
    if name.len() > 100 || !is_name(name) {
        return Err(ApiResponse::collector_error(400, "InvalidLogType"));
    }
    Ok(name)
}

fn is_name(text: &str) -> bool {
    text.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
}

fn read(
    settings: &WorkspaceSettings,
    table: &str,
    time_field: &str,
    body: &[u8],
) -> Result<AcceptedPost, ApiResponse> {
    let malformed = |_| ApiResponse::collector_error(400, "InvalidDataFormat");
    let mut accepted = AcceptedPost::new(table, body.len());
    let is_array = body.trim_ascii_start().starts_with(b"[");
    if matches!(settings.row_storage, RowStorage::CountOnly) && is_array {
        accepted.count = rows::count(body).map_err(malformed)?;
        return Ok(accepted);
    }
    let split = if is_array {
        rows::split(body).map_err(malformed)?
    } else {
        let row: &RawValue = serde_json::from_slice(body).map_err(malformed)?;
        vec![(row, serde_json::from_str(row.get()).map_err(malformed)?)]
    };
    for (row, members) in split {
        let bad_name =
            |(name, _): &(String, _)| !is_name(name) || RESERVED.contains(&name.as_str());
        if members.0.iter().any(bad_name) {
            return Err(ApiResponse::collector_error(400, "InvalidDataFormat"));
        }
        accepted.violations.extend(check_values(table, &members));
        accepted.push(with_time(row, &members, time_field, settings.clock.now()));
    }
    Ok(accepted)
}

fn check_values(table: &str, row: &JsonMembers<'_>) -> Vec<Violation> {
    let too_long = |value: &RawValue| {
        let text = serde_json::from_str::<String>(value.get());
        let length = text.map_or(value.get().len(), |text| text.len());
        (length > MAX_VALUE).then_some(ValueFault::TooLong(length))
    };
    row.0
        .iter()
        .filter_map(|(name, value)| {
            let fault = too_long(value)?;
            Some(Violation { table: table.to_owned(), column: name.clone(), fault })
        })
        .collect()
}

/// The row with its `TimeGenerated`: the time in the named field if that is recent, otherwise the
/// time of receipt.
fn with_time(
    row: &RawValue,
    members: &JsonMembers<'_>,
    time_field: &str,
    now: Timestamp,
) -> String {
    let own = members
        .0
        .iter()
        .find(|(name, _)| name == time_field)
        .and_then(|(_, value)| serde_json::from_str::<String>(value.get()).ok())
        .filter(|text| rows::is_rfc3339(text))
        .and_then(|text| text.parse::<Timestamp>().ok())
        .filter(|at| now.duration_since(*at) <= MAX_AGE);
    let time = own.unwrap_or(now);
    let row = one_line(row);
    let rest = row.trim_start_matches('{').trim_start();
    let comma = if rest == "}" { "" } else { "," };
    format!("{{\"TimeGenerated\":\"{time}\"{comma}{rest}")
}
