//! Responses of the workspace's two APIs.

use axum::body::Body;
use axum::http::header::CONTENT_TYPE;
use axum::response::Response;
use serde_json::json;

/// A response: status, headers and body.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ApiResponse {
    /// The status code.
    pub status: u16,
    /// The headers. A response with a body also gets the JSON content type.
    pub headers: Vec<(String, String)>,
    /// The body. It may be empty.
    pub body: String,
}

impl ApiResponse {
    /// A status with an empty body.
    pub fn status(status: u16) -> ApiResponse {
        ApiResponse { status, headers: Vec::new(), body: String::new() }
    }

    /// An error in the form of the Logs Ingestion API.
    pub fn error(status: u16, code: &str, message: &str) -> ApiResponse {
        let body = json!({"error": {"code": code, "message": message}}).to_string();
        ApiResponse { status, headers: Vec::new(), body }.with_header("x-ms-error-code", code)
    }

    /// An error in the form of the Data Collector API.
    pub fn collector_error(status: u16, code: &str) -> ApiResponse {
        ApiResponse { status, headers: Vec::new(), body: json!({"Error": code}).to_string() }
    }

    /// 429 with a `retry-after` header.
    pub fn throttled(seconds: u32) -> ApiResponse {
        ApiResponse::error(429, "TooManyRequests", "The rate limit of the rule is exceeded.")
            .with_header("retry-after", &seconds.to_string())
    }

    /// 403: the identity does not (yet) have the role on the data collection rule.
    pub fn no_role(dcr_immutable_id: &str) -> ApiResponse {
        ApiResponse::error(
            403,
            "OperationFailed",
            &format!(
                "The authentication token provided does not have access to ingest data for the \
                 data collection rule with immutable Id '{dcr_immutable_id}' PipelineAccessResult: \
                 AccessGranted: False, IsRbacPresent: False, IsDcrDceBindingValid: , DcrArmId: , \
                 Message: Required authorization action was not found."
            ),
        )
    }

    /// 413: the body as sent exceeds the limit.
    pub fn too_long(bytes: usize) -> ApiResponse {
        ApiResponse::error(
            413,
            "ContentLengthLimitExceeded",
            &format!(
                "Maximum allowed content length: 1048576 bytes (1 MB). Provided content length: \
                 {bytes} bytes."
            ),
        )
    }

    /// Adds a header.
    pub fn with_header(mut self, name: &str, value: &str) -> ApiResponse {
        self.headers.push((name.to_owned(), value.to_owned()));
        self
    }

    /// The HTTP response.
    pub(super) fn into_response(self) -> Response {
        let mut builder = Response::builder().status(self.status);
        for (name, value) in &self.headers {
            builder = builder.header(name, value);
        }
        if !self.body.is_empty() {
            builder = builder.header(CONTENT_TYPE, "application/json; charset=utf-8");
        }
        builder.body(Body::from(self.body)).unwrap_or_else(|error| {
            // A test injected a status or a header that HTTP does not allow.
            Response::new(Body::from(error.to_string()))
        })
    }
}
