//! Posts to the HTTP Data Collector API.

use bytes::Bytes;
use hyper::http::header::{AUTHORIZATION, CONTENT_TYPE, HeaderValue};
use hyper::http::{Method, Request, Uri};
use jiff::Timestamp;
use proofpoint_sentinel_core::secret::Secret;
use proofpoint_sentinel_core::tables::Table;
use url::Url;

use super::config::logs_url;
use super::signature::{Signer, date};
use crate::destination::error::DestinationError;
use crate::net::uri_of;

/// A workspace and its key.
pub(in crate::destination) struct DataCollector {
    logs: Uri,
    signer: Signer,
}

impl DataCollector {
    /// Posts go to the workspace `workspace_id` at `uri`.
    pub(in crate::destination) fn new(
        workspace_id: &str,
        workspace_key: &Secret,
        uri: &Url,
    ) -> Result<DataCollector, DestinationError> {
        if workspace_id.is_empty() || !workspace_id.bytes().all(|byte| byte.is_ascii_graphic()) {
            return Err(DestinationError::WorkspaceId);
        }
        let signer = Signer::new(workspace_id, workspace_key)?;
        Ok(DataCollector { logs: uri_of(&logs_url(uri)?), signer })
    }

    /// A post of rows of `table`, dated and signed `now`. The service checks the date, so every try
    /// needs its own request. `json` is sent uncompressed: the service refuses the signature of a
    /// compressed body.
    pub(in crate::destination) fn request(
        &self,
        table: &'static Table,
        json: Bytes,
        now: Timestamp,
    ) -> Request<Bytes> {
        let date = date(now);
        let authorization = self.signer.authorization(json.len(), &date);
        let mut request = Request::new(json);
        *request.method_mut() = Method::POST;
        *request.uri_mut() = self.logs.clone();
        let headers = request.headers_mut();
        headers.insert(AUTHORIZATION, sensitive(authorization));
        // The signature covers exactly this text, without a charset.
        headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
        headers.insert("log-type", HeaderValue::from_static(table.log_type));
        headers.insert("x-ms-date", HeaderValue::try_from(date).expect("a date is ASCII"));
        headers.insert("time-generated-field", HeaderValue::from_static("eventTime"));
        request
    }
}

fn sensitive(authorization: String) -> HeaderValue {
    let mut value = HeaderValue::try_from(authorization)
        .expect("the workspace id was found to be ASCII, and base64 is");
    value.set_sensitive(true);
    value
}

#[cfg(test)]
mod tests {
    use proofpoint_sentinel_core::tables::tables;

    use super::*;

    const KEY: &str = "c2VjcmV0";

    fn data_collector(id: &str, key: &str) -> Result<DataCollector, DestinationError> {
        let uri = Url::parse("https://0a1b.ods.opinsights.azure.com").unwrap();
        DataCollector::new(id, &Secret::new(key), &uri)
    }

    #[test]
    fn a_post_is_what_the_service_expects() {
        let service = data_collector("0a1b", KEY).unwrap();
        let now = "2016-04-04T08:00:00Z".parse().unwrap();
        let request = service.request(tables()[0], Bytes::from_static(b"[{}]"), now);
        assert_eq!(
            request.uri().to_string(),
            "https://0a1b.ods.opinsights.azure.com/api/logs?api-version=2016-04-01"
        );
        let headers = request.headers();
        assert_eq!(headers[CONTENT_TYPE], "application/json");
        assert_eq!(headers["log-type"], "ProofpointPOD_message");
        assert_eq!(headers["x-ms-date"], "Mon, 04 Apr 2016 08:00:00 GMT");
        assert_eq!(headers["time-generated-field"], "eventTime");
        assert!(headers[AUTHORIZATION].to_str().unwrap().starts_with("SharedKey 0a1b:"));
        assert!(headers[AUTHORIZATION].is_sensitive());
        assert_eq!(request.body().as_ref(), b"[{}]");
    }

    #[test]
    fn unusable_settings_are_reported_by_name() {
        let told = |id, key| data_collector(id, key).err().unwrap().to_string();
        assert!(told("a\nb", KEY).starts_with("WorkspaceID"));
        assert!(told("0a1b", "?").starts_with("WorkspaceKey"));
    }
}
