//! What the host gets back.

use axum::Json;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use hyper::ext::ReasonPhrase;
use serde::Serialize;
use serde_json::Value;

use super::web::{Outputs, WebResponse};

/// The answer to an invocation. The host shows the `Logs` of a success with the invocation. Of a
/// failure it keeps the status and its reason phrase, which it puts into the exception that the portal
/// shows; so the phrase says what failed. Everything that matters also goes to standard output.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reply {
    status: StatusCode,
    /// Why it is no success, in one line of ASCII.
    reason: Option<String>,
    logs: Vec<String>,
    /// What the caller of the function gets, if it is a web request.
    web: Option<WebResponse>,
    /// What goes into the queue, each a JSON object.
    messages: Vec<Value>,
}

/// The longest reason phrase.
const MAX_REASON_BYTES: usize = 400;

#[derive(Serialize)]
struct Body<'a> {
    #[serde(rename = "Outputs")]
    outputs: Outputs<'a>,
    #[serde(rename = "Logs")]
    logs: &'a [String],
    #[serde(rename = "ReturnValue")]
    return_value: Option<()>,
}

impl Reply {
    /// The invocation did its work.
    pub fn success(logs: Vec<String>) -> Reply {
        Reply { status: StatusCode::OK, reason: None, logs, web: None, messages: Vec::new() }
    }

    /// The invocation succeeded, and the host puts `messages` into the queue, which it does for a
    /// success alone. Each has to be an object: some texts would be changed.
    pub fn sending(messages: Vec<Value>, logs: Vec<String>) -> Reply {
        Reply { messages, ..Reply::success(logs) }
    }

    /// What who called the function from the web gets. To the host this is a success whatever the
    /// response's own status is: the caller of an invocation that failed gets nothing.
    pub fn web(response: WebResponse) -> Reply {
        Reply { web: Some(response), ..Reply::success(Vec::new()) }
    }

    /// The invocation failed, wholly or in part, and shows as failed for this `reason`.
    pub fn failure(reason: &str, logs: Vec<String>) -> Reply {
        let reason = Some(one_ascii_line(reason));
        Reply { status: StatusCode::INTERNAL_SERVER_ERROR, reason, ..Reply::success(logs) }
    }

    /// The request is not an invocation that this program knows.
    pub(super) fn refused(status: StatusCode, reason: String) -> Reply {
        let phrase = Some(one_ascii_line(&reason));
        Reply { status, reason: phrase, ..Reply::success(vec![reason]) }
    }
}

/// The text as a reason phrase can have it (RFC 9112, section 4), and no longer than a line.
fn one_ascii_line(text: &str) -> String {
    let printable = |c: char| if c.is_ascii_graphic() { c } else { '?' };
    let words = text.split(|c: char| c.is_whitespace() || c.is_control());
    let words = words.filter(|word| !word.is_empty());
    let words = words.map(|word| word.chars().map(printable).collect::<String>());
    let mut line = words.collect::<Vec<_>>().join(" ");
    if line.len() > MAX_REASON_BYTES {
        line.truncate(MAX_REASON_BYTES - 3);
        line.push_str("...");
    }
    line
}

impl IntoResponse for Reply {
    fn into_response(self) -> Response {
        let outputs = Outputs::of(self.web.as_ref(), &self.messages);
        let body = Body { outputs, logs: &self.logs, return_value: None };
        let mut response = (self.status, Json(body)).into_response();
        if let Some(phrase) = self.reason.and_then(|reason| ReasonPhrase::try_from(reason).ok()) {
            response.extensions_mut().insert(phrase);
        }
        response
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reason_is_one_short_line_of_ascii() {
        assert_eq!(one_ascii_line("a\r\nb:\tc \u{7f} \u{e9}t\u{e9}"), "a b: c ?t?");
        let long = one_ascii_line(&"word ".repeat(200));
        assert!(long.len() == MAX_REASON_BYTES && long.ends_with("..."), "{long}");
    }
}
