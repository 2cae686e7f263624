//! What the Logs Ingestion API checks.

use std::io::Read;

use axum::http::header::{AUTHORIZATION, CONTENT_ENCODING, CONTENT_TYPE};
use axum::http::request::Parts;
use flate2::bufread::GzDecoder;
use proofpoint_sentinel_core::tables::{Table, tables};

use super::{Accepted, Answer, Keep, Shared, header, one_line, rows};

/// The longest body as sent.
const LONGEST_BODY: usize = 1_048_576;

/// The longest body after decompression.
const LONGEST_RAW: usize = 50 * 1024 * 1024;

/// Checks a post to `/dataCollectionRules/{dcr}/streams/{stream}`.
pub(super) fn check(
    shared: &Shared,
    dcr: &str,
    stream: &str,
    request: &Parts,
    body: &[u8],
) -> Result<Accepted, Answer> {
    if request.uri.query() != Some("api-version=2023-01-01") {
        return Err(Answer::error(400, "InvalidApiVersion", "api-version must be 2023-01-01"));
    }
    authorize(shared, request)?;
    let table = destination(shared, dcr, stream)?;
    let content_type = header(request, CONTENT_TYPE.as_str()).to_ascii_lowercase();
    if !matches!(content_type.as_str(), "application/json" | "application/json; charset=utf-8") {
        return Err(Answer::error(415, "UnsupportedMediaType", "Send application/json"));
    }
    if body.len() > LONGEST_BODY {
        return Err(Answer::too_long(body.len()));
    }
    // Odd, but so: not 400.
    if body.is_empty() {
        return Err(Answer::error(500, "InternalServerError", "The body is empty"));
    }
    let raw = decoded(request, body)?;
    read(shared, table, &raw)
}

fn authorize(shared: &Shared, request: &Parts) -> Result<(), Answer> {
    let token = header(request, AUTHORIZATION.as_str()).strip_prefix("Bearer ");
    match token {
        Some(token) if shared.settings.tokens.admits(token, &shared.settings.audience) => Ok(()),
        _ => Err(Answer::error(
            401,
            "InvalidAuthenticationToken",
            "The token is missing, expired, or for another audience",
        )),
    }
}

fn destination(shared: &Shared, dcr: &str, stream: &str) -> Result<&'static Table, Answer> {
    if dcr != shared.settings.dcr_immutable_id {
        return Err(Answer::error(404, "NotFound", "Data collection rule not found"));
    }
    tables()
        .into_iter()
        .find(|table| table.stream == stream)
        .ok_or_else(|| Answer::error(404, "InvalidStream", "The rule has no such stream"))
}

fn decoded<'a>(request: &Parts, body: &'a [u8]) -> Result<std::borrow::Cow<'a, [u8]>, Answer> {
    match header(request, CONTENT_ENCODING.as_str()) {
        "" | "identity" => Ok(body.into()),
        "gzip" => gunzip(body, LONGEST_RAW).map(Into::into),
        _ => Err(Answer::error(400, "InvalidContentEncoding", "Send gzip or nothing")),
    }
}

fn gunzip(body: &[u8], longest: usize) -> Result<Vec<u8>, Answer> {
    let mut raw = Vec::new();
    let mut decoder = GzDecoder::new(body);
    let is_sound = decoder.by_ref().take(longest as u64 + 1).read_to_end(&mut raw).is_ok();
    if raw.len() > longest {
        return Err(Answer::error(413, "PayloadSizeLimitExceeded", "Over 50 MiB decompressed"));
    }
    if !is_sound || !decoder.into_inner().is_empty() {
        return Err(Answer::error(400, "InvalidPayload", "The body is not valid gzip"));
    }
    Ok(raw)
}

fn read(shared: &Shared, table: &Table, raw: &[u8]) -> Result<Accepted, Answer> {
    let malformed = |error: serde_json::Error| {
        Answer::error(400, "InvalidPayload", &format!("Not a JSON array of objects: {error}"))
    };
    let mut accepted = Accepted::new(table.name, raw.len());
    if matches!(shared.settings.keep, Keep::Count) {
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
    fn decompression_ends_at_the_limit() {
        let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
        encoder.write_all(&[b' '; 1001]).unwrap();
        let body = encoder.finish().unwrap();
        assert_eq!(gunzip(&body, 1001).unwrap().len(), 1001);
        assert_eq!(gunzip(&body, 1000).unwrap_err().status, 413);
    }
}
