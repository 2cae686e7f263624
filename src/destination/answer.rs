//! The workspace's answer to a post, as far as it decides anything or helps the operator.

use std::fmt;
use std::time::Duration;

use bytes::Bytes;
use hyper::http::Response;
use hyper::http::header::{HeaderMap, RETRY_AFTER};
use jiff::Timestamp;
use serde::Deserialize;

use super::text::shortened;
use crate::retry::retry_after;

/// No more than this is read of an error's body.
pub(super) const MAX_ANSWER_BYTES: usize = 8 * 1024;

/// An answer of the workspace.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Answer {
    /// HTTP status.
    pub status: u16,
    /// The service's code for the error, such as `ContentLengthLimitExceeded`.
    pub code: Option<String>,
    /// What the service says about the error, shortened.
    pub message: Option<String>,
    /// How long the service asks us to wait.
    pub retry_after: Option<Duration>,
    /// Whether the body is what the service would write.
    pub body: AnswerBody,
}

/// What the body of an answer is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum AnswerBody {
    /// There is none.
    #[default]
    Empty,
    /// An error in the form of one of the two services.
    Error,
    /// Anything else: a page of a proxy or of a portal.
    Foreign,
}

impl Answer {
    /// The answer in `response`, of whose body [`MAX_ANSWER_BYTES`] are read at most. If the body breaks
    /// off, code and message stay empty.
    pub(super) fn of(response: &Response<Bytes>, now: Timestamp) -> Answer {
        Answer::new(response.status().as_u16(), response.headers(), response.body(), now)
    }

    fn new(status: u16, headers: &HeaderMap, body: &[u8], now: Timestamp) -> Answer {
        let (code, message) = error_in(body);
        let body = match body.trim_ascii() {
            b"" => AnswerBody::Empty,
            _ if code.is_some() || message.is_some() => AnswerBody::Error,
            _ => AnswerBody::Foreign,
        };
        let code = text(headers, "x-ms-error-code").or(code.as_deref()).map(shortened);
        let message = message.as_deref().map(shortened);
        let retry_after =
            text(headers, RETRY_AFTER.as_str()).and_then(|value| retry_after(value, Some(now)));
        Answer { status, code, message, retry_after, body }
    }
}

impl Answer {
    /// Whether the service itself names an error, in the body or in a header.
    pub(super) fn names_error(&self) -> bool {
        self.body == AnswerBody::Error || (self.body == AnswerBody::Empty && self.code.is_some())
    }
}

impl fmt::Display for Answer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "HTTP {}", self.status)?;
        if let Some(code) = &self.code {
            write!(f, " {code}")?;
        }
        if let Some(message) = &self.message {
            write!(f, ": {message}")?;
        }
        Ok(())
    }
}

fn text<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    headers.get(name)?.to_str().ok()
}

/// Code and message of an error's body. Logs Ingestion wraps them in `error`, Data Collector
/// writes `Error` and `Message`. A body of another shape comes from a proxy and is not quoted.
fn error_in(body: &[u8]) -> (Option<String>, Option<String>) {
    #[derive(Deserialize)]
    #[serde(untagged)]
    enum Body {
        Wrapped {
            error: Wrapped,
        },
        Flat {
            #[serde(rename = "Error")]
            code: Option<String>,
            #[serde(rename = "Message")]
            message: Option<String>,
        },
    }
    #[derive(Deserialize)]
    struct Wrapped {
        code: Option<String>,
        message: Option<String>,
    }
    match serde_json::from_slice(body) {
        Ok(Body::Wrapped { error: Wrapped { code, message } } | Body::Flat { code, message }) => {
            (code, message)
        }
        Err(_) => (None, None),
    }
}

#[cfg(test)]
mod tests {
    use super::super::text::MAX_CHARS;
    use super::*;

    fn now() -> Timestamp {
        "2026-11-21T10:00:00Z".parse().unwrap()
    }

    fn answer(status: u16, headers: &[(&'static str, &str)], body: &str) -> Answer {
        let headers = headers
            .iter()
            .map(|(name, value)| (name.parse().unwrap(), value.parse().unwrap()))
            .collect();
        Answer::new(status, &headers, body.as_bytes(), now())
    }

    #[test]
    fn code_and_message_of_logs_ingestion_are_read() {
        let body = r#"{"error":{"code":"ContentLengthLimitExceeded","message":"Maximum allowed content length: 1048576 bytes (1 MB).","details":[]}}"#;
        let answer = answer(413, &[], body);
        assert_eq!(
            answer.to_string(),
            "HTTP 413 ContentLengthLimitExceeded: Maximum allowed content length: 1048576 bytes \
             (1 MB)."
        );
    }

    #[test]
    fn code_and_message_of_data_collector_are_read() {
        let body = r#"{"Error":"InvalidAuthorization","Message":"An invalid signature"}"#;
        let answer = answer(403, &[], body);
        assert_eq!(answer.to_string(), "HTTP 403 InvalidAuthorization: An invalid signature");
    }

    #[test]
    fn the_code_comes_from_the_header_where_there_is_one() {
        let answer = answer(400, &[("x-ms-error-code", "InvalidLogType")], "");
        assert_eq!(answer.to_string(), "HTTP 400 InvalidLogType");
    }

    #[test]
    fn other_bodies_are_not_quoted() {
        for body in ["<html>Bad gateway</html>", "[1]", "\"text\"", "{\"error\":\"text\"}", "{"] {
            assert_eq!(answer(502, &[], body).to_string(), "HTTP 502");
        }
    }

    #[test]
    fn long_messages_are_cut_and_kept_on_one_line() {
        let message = format!("line\\nof {}", "é".repeat(1000));
        let body = format!(r#"{{"error":{{"message":"{message}"}}}}"#);
        let message = answer(400, &[], &body).message.unwrap();
        assert!(message.starts_with("line of é") && message.ends_with("é..."));
        assert_eq!(message.chars().count(), MAX_CHARS + 3);
    }
}
