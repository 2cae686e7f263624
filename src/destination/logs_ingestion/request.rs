//! Posts to the Logs Ingestion API.

use bytes::Bytes;
use hyper::http::header::{
    AUTHORIZATION, CONTENT_ENCODING, CONTENT_TYPE, HeaderValue, InvalidHeaderValue,
};
use hyper::http::{Method, Request};
use proofpoint_sentinel_core::secret::Secret;
use proofpoint_sentinel_core::tables::Table;
use rand::RngExt;
use url::Url;

use super::config::{MAX_BODY_BYTES, streams_url};
use super::token::Tokens;
use crate::destination::error::DestinationError;
use crate::destination::gzip::gzip;
use crate::destination::verdict::RowRefusal;
use crate::net::uri_of;

/// The header that appears as `ClientRequestId` in the table `DCRLogErrors` of the rule's diagnostics.
pub(in crate::destination) const CLIENT_REQUEST_ID: &str = "x-ms-client-request-id";

/// A data collection rule, and the tokens for posts to it.
pub(in crate::destination) struct LogsIngestion {
    streams: Url,
    /// Tokens of the identity that posts.
    pub tokens: Tokens,
}

impl LogsIngestion {
    /// Posts go to the streams of the rule `dcr_immutable_id` at `endpoint`.
    pub(in crate::destination) fn new(
        endpoint: &Url,
        dcr_immutable_id: &str,
        tokens: Tokens,
    ) -> Result<LogsIngestion, DestinationError> {
        Ok(LogsIngestion { streams: streams_url(endpoint, dcr_immutable_id)?, tokens })
    }

    /// A post of rows of `table`; `gzip` is the batch as [`compressed`] gives it.
    ///
    /// # Errors
    /// If `token` holds characters that no header may.
    pub(in crate::destination) fn request(
        &self,
        table: &Table,
        gzip: Bytes,
        token: &Secret,
    ) -> Result<Request<Bytes>, InvalidHeaderValue> {
        let mut bearer = HeaderValue::try_from(format!("Bearer {}", token.reveal()))?;
        bearer.set_sensitive(true);
        let mut url = self.streams.clone();
        url.path_segments_mut()
            .expect("the address was found to have a path when it was made")
            .push(table.stream);
        let mut request = Request::new(gzip);
        *request.method_mut() = Method::POST;
        *request.uri_mut() = uri_of(&url);
        let headers = request.headers_mut();
        headers.insert(AUTHORIZATION, bearer);
        headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
        headers.insert(CONTENT_ENCODING, HeaderValue::from_static("gzip"));
        headers.insert(CLIENT_REQUEST_ID, HeaderValue::try_from(random_uuid())?);
        Ok(request)
    }
}

/// `json` as gzip, or the refusal that the service would give it for its length.
pub(in crate::destination) fn compressed(json: &[u8]) -> Result<Bytes, RowRefusal> {
    let gzip = gzip(json);
    if gzip.len() > MAX_BODY_BYTES {
        return Err(RowRefusal::TooLongCompressed { bytes: gzip.len(), limit: MAX_BODY_BYTES });
    }
    Ok(gzip)
}

/// A random (version 4) UUID.
fn random_uuid() -> String {
    let random: u128 = rand::rng().random();
    let uuid = random & !(0xf << 76) & !(0b11 << 62) | (4 << 76) | (0b10 << 62);
    let hex = format!("{uuid:032x}");
    [&hex[..8], &hex[8..12], &hex[12..16], &hex[16..20], &hex[20..]].join("-")
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use proofpoint_sentinel_core::tables::tables;

    use super::*;
    use crate::destination::test_util::FakeTokens;

    fn request_to(endpoint: &str, token: &str) -> Result<Request<Bytes>, InvalidHeaderValue> {
        let endpoint = Url::parse(endpoint).unwrap();
        let service =
            LogsIngestion::new(&endpoint, "dcr-0123", FakeTokens::default().tokens()).unwrap();
        service.request(tables()[0], Bytes::from_static(b"gzip"), &Secret::new(token))
    }

    #[test]
    fn a_post_is_what_the_service_expects() {
        for endpoint in
            ["https://dce.ingest.monitor.azure.com", "https://dce.ingest.monitor.azure.com/"]
        {
            let request = request_to(endpoint, "a-token").unwrap();
            assert_eq!(
                request.uri().to_string(),
                "https://dce.ingest.monitor.azure.com/dataCollectionRules/dcr-0123/streams/\
                 Custom-ProofpointPODMessage_CL?api-version=2023-01-01"
            );
            assert_eq!(request.headers()[AUTHORIZATION], "Bearer a-token");
            assert_eq!(request.headers()[CONTENT_TYPE], "application/json");
            assert_eq!(request.headers()[CONTENT_ENCODING], "gzip");
            assert_eq!(request.body().as_ref(), b"gzip");
        }
    }

    #[test]
    fn the_token_is_not_in_the_debug_output() {
        let request = request_to("https://localhost", "hunter2").unwrap();
        assert!(!format!("{request:?}").contains("hunter2"));
        assert!(request_to("https://localhost", "a\ntoken").is_err());
    }

    #[test]
    fn request_ids_are_fresh_version_4_uuids() {
        let ids: HashSet<String> = (0..100).map(|_| random_uuid()).collect();
        assert_eq!(ids.len(), 100);
        for id in ids {
            let groups: Vec<&str> = id.split('-').collect();
            assert_eq!(groups.iter().map(|g| g.len()).collect::<Vec<_>>(), [8, 4, 4, 4, 12]);
            assert!(groups[2].starts_with('4') && groups[3].starts_with(['8', '9', 'a', 'b']));
        }
    }

    #[test]
    fn a_batch_too_long_once_compressed_is_not_posted() {
        let mut json = vec![0; MAX_BODY_BYTES];
        rand::rng().fill(&mut json[..]);
        assert!(matches!(compressed(&json), Err(RowRefusal::TooLongCompressed { .. })));
    }
}
