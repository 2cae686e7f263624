//! What the HTTP Data Collector API checks.

use axum::http::header::{AUTHORIZATION, CONTENT_ENCODING, CONTENT_TYPE};
use axum::http::request::Parts;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, KeyInit, Mac};
use jiff::{SignedDuration, Timestamp, fmt::strtime, tz::TimeZone};
use serde_json::value::RawValue;
use sha2::Sha256;

use super::rows::{self, Members, ValueFault, Violation};
use super::{Accepted, Answer, Keep, Shared, header, one_line};

/// The longest body that does not vanish: above it the URL is "not found".
const LONGEST_BODY: usize = 30_000_000;

/// Longer texts are cut.
const LONGEST_VALUE: usize = 32_768;

/// How far `x-ms-date` may be off.
const SKEW: SignedDuration = SignedDuration::from_mins(15);

/// Older than this, a row's own time is replaced by that of its receipt.
const OLDEST: SignedDuration = SignedDuration::from_hours(48);

const RESERVED: [&str; 3] = ["tenant", "TimeGenerated", "RawData"];

/// Checks a post to `/api/logs`.
pub(super) fn check(shared: &Shared, request: &Parts, body: &[u8]) -> Result<Accepted, Answer> {
    if body.len() > LONGEST_BODY {
        return Err(Answer::status(404));
    }
    match request.uri.query() {
        Some("api-version=2016-04-01") => {}
        None => return Err(Answer::collector_error(400, "MissingApiVersion")),
        Some(_) => return Err(Answer::collector_error(400, "InvalidApiVersion")),
    }
    match header(request, CONTENT_TYPE.as_str()) {
        "application/json" => {}
        "" => return Err(Answer::collector_error(400, "MissingContentType")),
        _ => return Err(Answer::collector_error(400, "UnsupportedContentType")),
    }
    authorize(shared, request, body.len())?;
    let log_type = log_type(request)?;
    read(shared, &format!("{log_type}_CL"), header(request, "time-generated-field"), body)
}

/// The signature covers the length in bytes, the content type, the date and the path.
fn authorize(shared: &Shared, request: &Parts, length: usize) -> Result<(), Answer> {
    let date = header(request, "x-ms-date");
    let is_near = sent_at(date)
        .is_some_and(|at| shared.settings.clock.now().duration_since(at).abs() <= SKEW);
    let text = format!("POST\n{length}\napplication/json\nx-ms-date:{date}\n/api/logs");
    let expected = format!("SharedKey {}:{}", shared.settings.workspace_id, sign(shared, &text));
    // A compressed body is refused with the same words.
    let is_plain = header(request, CONTENT_ENCODING.as_str()).is_empty();
    if is_near && is_plain && header(request, AUTHORIZATION.as_str()) == expected {
        Ok(())
    } else {
        Err(Answer::collector_error(403, "InvalidAuthorization"))
    }
}

fn sent_at(date: &str) -> Option<Timestamp> {
    let civil = strtime::parse("%a, %d %b %Y %H:%M:%S GMT", date).ok()?.to_datetime().ok()?;
    Some(civil.to_zoned(TimeZone::UTC).ok()?.timestamp())
}

fn sign(shared: &Shared, text: &str) -> String {
    let key = STANDARD.decode(shared.settings.workspace_key.reveal()).unwrap_or_default();
    let mut mac = Hmac::<Sha256>::new_from_slice(&key).expect("a key may have any length");
    mac.update(text.as_bytes());
    STANDARD.encode(mac.finalize().into_bytes())
}

fn log_type(request: &Parts) -> Result<&str, Answer> {
    let name = header(request, "log-type");
    if name.is_empty() {
        return Err(Answer::collector_error(400, "MissingLogType"));
    }
    if name.len() > 100 || !is_name(name) {
        return Err(Answer::collector_error(400, "InvalidLogType"));
    }
    Ok(name)
}

fn is_name(text: &str) -> bool {
    text.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
}

fn read(shared: &Shared, table: &str, time_field: &str, body: &[u8]) -> Result<Accepted, Answer> {
    let malformed = |_| Answer::collector_error(400, "InvalidDataFormat");
    let mut accepted = Accepted::new(table, body.len());
    let is_array = body.trim_ascii_start().starts_with(b"[");
    if matches!(shared.settings.keep, Keep::Count) && is_array {
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
            return Err(Answer::collector_error(400, "InvalidDataFormat"));
        }
        accepted.violations.extend(check_values(table, &members));
        accepted.push(with_time(row, &members, time_field, shared.settings.clock.now()));
    }
    Ok(accepted)
}

fn check_values(table: &str, row: &Members<'_>) -> Vec<Violation> {
    let too_long = |value: &RawValue| {
        let text = serde_json::from_str::<String>(value.get());
        let length = text.map_or(value.get().len(), |text| text.len());
        (length > LONGEST_VALUE).then_some(ValueFault::TooLong(length))
    };
    row.0
        .iter()
        .filter_map(|(name, value)| {
            let fault = too_long(value)?;
            Some(Violation { table: table.to_owned(), column: name.clone(), fault })
        })
        .collect()
}

/// The row with the time that the workspace gives it: that of the named field where it is recent,
/// or that of its receipt.
fn with_time(row: &RawValue, members: &Members<'_>, time_field: &str, now: Timestamp) -> String {
    let own = members
        .0
        .iter()
        .find(|(name, _)| name == time_field)
        .and_then(|(_, value)| serde_json::from_str::<String>(value.get()).ok())
        .filter(|text| rows::is_rfc3339(text))
        .and_then(|text| text.parse::<Timestamp>().ok())
        .filter(|at| now.duration_since(*at) <= OLDEST);
    let time = own.unwrap_or(now);
    let row = one_line(row);
    let rest = row.trim_start_matches('{').trim_start();
    let comma = if rest == "}" { "" } else { "," };
    format!("{{\"TimeGenerated\":\"{time}\"{comma}{rest}")
}
