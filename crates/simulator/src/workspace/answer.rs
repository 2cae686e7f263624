//! Answers of the workspace's two APIs.

use axum::body::Body;
use axum::http::header::CONTENT_TYPE;
use axum::response::Response;
use serde_json::json;

/// Status, headers and body of an answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Answer {
    /// The status code.
    pub status: u16,
    /// Headers; the content type is JSON where there is a body.
    pub headers: Vec<(String, String)>,
    /// The body, which may be empty.
    pub body: String,
}

impl Answer {
    /// A status and nothing else.
    pub fn status(status: u16) -> Answer {
        Answer { status, headers: Vec::new(), body: String::new() }
    }

    /// An error as the Logs Ingestion API gives it.
    pub fn error(status: u16, code: &str, message: &str) -> Answer {
        let body = json!({"error": {"code": code, "message": message}}).to_string();
        Answer { status, headers: Vec::new(), body }.with_header("x-ms-error-code", code)
    }

    /// An error as the Data Collector API gives it.
    pub fn collector_error(status: u16, code: &str) -> Answer {
        Answer { status, headers: Vec::new(), body: json!({"Error": code}).to_string() }
    }

    /// 429 with a wish when to come back.
    pub fn throttled(seconds: u32) -> Answer {
        Answer::error(429, "TooManyRequests", "The rate limit of the rule is exceeded.")
            .with_header("retry-after", &seconds.to_string())
    }

    /// 403: the identity has no role on the data collection rule, or not yet.
    pub fn no_role(dcr_immutable_id: &str) -> Answer {
        Answer::error(
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

    /// 413: the body as sent is over the limit.
    pub fn too_long(bytes: usize) -> Answer {
        Answer::error(
            413,
            "ContentLengthLimitExceeded",
            &format!(
                "Maximum allowed content length: 1048576 bytes (1 MB). Provided content length: \
                 {bytes} bytes."
            ),
        )
    }

    /// Adds a header.
    pub fn with_header(mut self, name: &str, value: &str) -> Answer {
        self.headers.push((name.to_owned(), value.to_owned()));
        self
    }

    /// As it is sent.
    pub(super) fn into_response(self) -> Response {
        let mut builder = Response::builder().status(self.status);
        for (name, value) in &self.headers {
            builder = builder.header(name, value);
        }
        if !self.body.is_empty() {
            builder = builder.header(CONTENT_TYPE, "application/json; charset=utf-8");
        }
        builder.body(Body::from(self.body)).unwrap_or_else(|error| {
            // A test scripted a status or a header that HTTP does not know.
            Response::new(Body::from(error.to_string()))
        })
    }
}
