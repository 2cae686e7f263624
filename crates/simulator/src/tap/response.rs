//! Answers without records.

use axum::body::Body;
use axum::http::header::CONTENT_TYPE;
use axum::response::Response;

/// An answer without records: a status, headers and a body.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TapResponse {
    /// The status code.
    pub status: u16,
    /// The headers. An answer with a body and no content type is plain text.
    pub headers: Vec<(String, String)>,
    /// The body. It may be empty.
    pub body: String,
}

impl TapResponse {
    /// A status with a plain text, which may be empty.
    pub fn new(status: u16, text: &str) -> TapResponse {
        TapResponse { status, headers: Vec::new(), body: text.to_owned() }
    }

    /// A page in HTML, as a proxy or a gateway answers in the service's place.
    pub fn html(status: u16) -> TapResponse {
        let page = "<!DOCTYPE html>\n<html><head><title>Please wait</title></head>\
                    <body><h1>This page is not the service</h1></body></html>\n";
        TapResponse::new(status, page).with_header("content-type", "text/html; charset=utf-8")
    }

    /// Adds a header, such as `retry-after`.
    pub fn with_header(mut self, name: &str, value: &str) -> TapResponse {
        self.headers.push((name.to_owned(), value.to_owned()));
        self
    }

    /// 400: the interval is shorter than 30 seconds.
    pub fn too_short() -> TapResponse {
        TapResponse::new(
            400,
            "The requested interval is too short. Requests must be for at least 30.00s of data",
        )
    }

    /// 400: the interval begins more than seven days ago.
    pub fn too_far() -> TapResponse {
        TapResponse::new(
            400,
            "The requested start time is too far into the past. \
             Requests for information up to 7.00d are accepted",
        )
    }

    /// 400: the interval ends now or later.
    pub fn still_current() -> TapResponse {
        TapResponse::new(400, "The requested interval is still current.")
    }

    /// 400: `sinceTime` is more than an hour ago.
    pub fn since_time_too_far() -> TapResponse {
        TapResponse::new(400, "The sinceTime parameter gives a time too far into the past")
    }

    /// 401: no credential, or a wrong one.
    pub fn unauthorized() -> TapResponse {
        TapResponse::new(401, "").with_header("www-authenticate", "Basic realm=\"TAP\"")
    }

    /// 403: the API is not enabled for the account.
    pub fn forbidden() -> TapResponse {
        TapResponse::new(403, "")
    }

    /// 429: the credential has used up its calls. No header says when the next one is possible.
    pub fn throttled() -> TapResponse {
        TapResponse::new(429, "")
    }

    /// The HTTP response.
    pub(super) fn to_http(&self) -> Response {
        let mut builder = Response::builder().status(self.status);
        for (name, value) in &self.headers {
            builder = builder.header(name, value);
        }
        let is_typed =
            self.headers.iter().any(|(name, _)| name.eq_ignore_ascii_case("content-type"));
        if !self.body.is_empty() && !is_typed {
            builder = builder.header(CONTENT_TYPE, "text/plain;charset=utf-8");
        }
        builder.body(Body::from(self.body.clone())).unwrap_or_else(|error| {
            // A test injected a status or a header that HTTP does not allow.
            Response::new(Body::from(error.to_string()))
        })
    }
}
