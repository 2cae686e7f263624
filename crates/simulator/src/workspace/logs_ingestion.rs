//! The checks of the Logs Ingestion API.

use std::io::Read;

use axum::http::header::{AUTHORIZATION, CONTENT_ENCODING, CONTENT_TYPE};
use axum::http::request::Parts;
use flate2::bufread::GzDecoder;
use proofpoint_sentinel_core::tables::{Table, tables};

use super::api_response::ApiResponse;
use super::post::{AcceptedPost, header, one_line};
use super::rows;
use super::settings::{RowStorage, WorkspaceSettings};

/// The longest body as sent.
const MAX_BODY: usize = 1_048_576;

/// The longest body after decompression.
const MAX_RAW_BODY: usize = 50 * 1024 * 1024;

/// Checks a post to `/dataCollectionRules/{dcr}/streams/{stream}`.
pub(super) fn check(
    settings: &WorkspaceSettings,
    dcr: &str,
    stream: &str,
    request: &Parts,
    body: &[u8],
) -> Result<AcceptedPost, ApiResponse> {
    if request.uri.query() != Some("api-version=2023-01-01") {
        return Err(ApiResponse::error(400, "InvalidApiVersion", "api-version must be 2023-01-01"));
    }
    authorize(settings, request)?;
    let table = destination(settings, dcr, stream)?;
    let content_type = header(request, CONTENT_TYPE.as_str()).to_ascii_lowercase();
    if !matches!(content_type.as_str(), "application/json" | "application/json; charset=utf-8") {
        return Err(ApiResponse::error(415, "UnsupportedMediaType", "Send application/json"));
    }
    if body.len() > MAX_BODY {
        return Err(ApiResponse::too_long(body.len()));
    }
    // Unexpected, but this is what the API does: 500, not 400.
    if body.is_empty() {
        return Err(ApiResponse::error(500, "InternalServerError", "The body is empty"));
    }
    let raw = decoded(request, body)?;
    read(settings, table, &raw)
}

fn authorize(settings: &WorkspaceSettings, request: &Parts) -> Result<(), ApiResponse> {
    let token = header(request, AUTHORIZATION.as_str()).strip_prefix("Bearer ");
    match token {
        Some(token) if settings.tokens.accepts(token, &settings.audience) => Ok(()),
        _ => Err(ApiResponse::error(
            401,
            "InvalidAuthenticationToken",
            "The token is missing, expired, or for another audience",
        )),
    }
}

fn destination(
    settings: &WorkspaceSettings,
    dcr: &str,
    stream: &str,
) -> Result<&'static Table, ApiResponse> {
    if dcr != settings.dcr_immutable_id {
        return Err(ApiResponse::error(404, "NotFound", "Data collection rule not found"));
    }
    tables()
        .into_iter()
        .find(|table| table.stream == stream)
        .ok_or_else(|| ApiResponse::error(404, "InvalidStream", "The rule has no such stream"))
}

fn decoded<'a>(request: &Parts, body: &'a [u8]) -> Result<std::borrow::Cow<'a, [u8]>, ApiResponse> {
    match header(request, CONTENT_ENCODING.as_str()) {
        "" | "identity" => Ok(body.into()),
        "gzip" => gunzip(body, MAX_RAW_BODY).map(Into::into),
        _ => Err(ApiResponse::error(400, "InvalidContentEncoding", "Send gzip or nothing")),
    }
}

fn gunzip(body: &[u8], limit: usize) -> Result<Vec<u8>, ApiResponse> {
    let mut raw = Vec::new();
    let mut decoder = GzDecoder::new(body);
    let is_valid_gzip = decoder.by_ref().take(limit as u64 + 1).read_to_end(&mut raw).is_ok();
    if raw.len() > limit {
        return Err(ApiResponse::error(
            413,
            "PayloadSizeLimitExceeded",
            "Over 50 MiB decompressed",
        ));
    }
    if !is_valid_gzip || !decoder.into_inner().is_empty() {
        return Err(ApiResponse::error(400, "InvalidPayload", "The body is not valid gzip"));
    }
    Ok(raw)
}

fn read(
    settings: &WorkspaceSettings,
    table: &Table,
    raw: &[u8],
) -> Result<AcceptedPost, ApiResponse> {
    let malformed = |error: serde_json::Error| {
        ApiResponse::error(400, "InvalidPayload", &format!("Not a JSON array of objects: {error}"))
    };
    let mut accepted = AcceptedPost::new(table.name, raw.len());
    if matches!(settings.row_storage, RowStorage::CountOnly) {
        accepted.count = rows::count(raw).map_err(malformed)?;
        return Ok(accepted);
    }
    for (row, members) in rows::split(raw).map_err(malformed)? {
        accepted.violations.extend(rows::check(table, &members));
        accepted.push(one_line(row));
    }
    Ok(accepted)
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use flate2::{Compression, write::GzEncoder};

    use super::*;

    #[test]
    fn decompression_stops_at_the_limit() {
        let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
        encoder.write_all(&[b' '; 1001]).unwrap();
        let body = encoder.finish().unwrap();
        assert_eq!(gunzip(&body, 1001).unwrap().len(), 1001);
        assert_eq!(gunzip(&body, 1000).unwrap_err().status, 413);
    }
}
