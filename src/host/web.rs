//! Web requests to a function with an HTTP trigger, and the responses to them.
//!
//! The host puts the whole request into the invocation, with the function key of its caller in the
//! address, the query or a header. So only the end of the address's path is taken from it, and nothing
//! of it is put into a message.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::Value;

/// The part of a web request that this program uses.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WebRequest {
    /// The last part of the path, in lower case: `status.json` of
    /// `https://app.example/api/Status.json?code=...`.
    pub document: String,
}

/// The body is not an invocation by a web request. The message has no part of the body.
#[derive(Debug, thiserror::Error)]
#[error("the body is not the JSON envelope of an HTTP invocation")]
pub(crate) struct BadWebRequest;

#[derive(Deserialize)]
struct Envelope {
    #[serde(rename = "Data")]
    data: Data,
}

#[derive(Deserialize)]
struct Data {
    req: Request,
}

#[derive(Deserialize)]
struct Request {
    #[serde(rename = "Url")]
    url: String,
}

impl WebRequest {
    /// Reads the body of a `POST /<function>`: `{"Data":{"req":{"Url":...}},"Metadata":{...}}`.
    pub(crate) fn read(body: &[u8]) -> Result<WebRequest, BadWebRequest> {
        let envelope: Envelope = serde_json::from_slice(body).map_err(|_| BadWebRequest)?;
        let url = envelope.data.req.url;
        let path = url.split(['?', '#']).next().unwrap_or_default();
        let path = path.split_once("://").map_or(path, |(_, rest)| rest);
        let document = path.trim_end_matches('/').rsplit_once('/').map_or("", |(_, last)| last);
        Ok(WebRequest { document: document.to_ascii_lowercase() })
    }
}

/// What the caller of a function gets.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WebResponse {
    /// `Content-Type`.
    pub content_type: &'static str,
    /// `Content-Security-Policy`.
    pub content_security_policy: String,
    /// The text.
    pub body: String,
}

/// The outputs of an invocation, by the names of their bindings.
#[derive(Serialize)]
pub(super) struct Outputs<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    res: Option<Response<'a>>,
    /// Messages for the queue. Always a list: the host splits and decodes some single values.
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    feeds: &'a [Value],
}

#[derive(Serialize)]
struct Response<'a> {
    #[serde(rename = "statusCode")]
    status_code: u16,
    headers: BTreeMap<&'static str, &'a str>,
    body: &'a str,
}

impl<'a> Outputs<'a> {
    /// What the host hands on of `response`, and `feeds` as messages.
    pub(super) fn of(response: Option<&'a WebResponse>, feeds: &'a [Value]) -> Outputs<'a> {
        let res = response.map(|response| Response {
            status_code: 200,
            headers: BTreeMap::from([
                ("Content-Type", response.content_type),
                ("Content-Security-Policy", response.content_security_policy.as_str()),
                // The address may have the function key in it: no link passes it on.
                ("Referrer-Policy", "no-referrer"),
                ("Cache-Control", "no-store"),
                ("X-Content-Type-Options", "nosniff"),
                ("X-Frame-Options", "DENY"),
            ]),
            body: &response.body,
        });
        Outputs { res, feeds }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

    fn document(url: &str) -> String {
        let body = json!({"Data": {"req": {"Url": url, "Method": "GET", "Query": {"code": "fk"}}}});
        WebRequest::read(body.to_string().as_bytes()).unwrap().document
    }

    #[test]
    fn a_document_is_told_by_the_end_of_the_path() {
        let cases = [
            ("http://127.0.0.1:29185/api/status?code=fk&a=1", "status"),
            ("https://app.example/api/Status/", "status"),
            ("https://app.example/status.JSON?code=a/b", "status.json"),
            ("https://app.example/api/status.json#x/y", "status.json"),
            ("https://app.example", ""),
            ("https://app.example?code=a/b", ""),
            ("", ""),
        ];
        for (url, expected) in cases {
            assert_eq!(document(url), expected, "{url}");
        }
    }

    #[test]
    fn a_bad_envelope_is_refused_without_a_word_of_it() {
        let bodies = [
            "",
            "[]",
            r#"{"Data":{"timer":{}}}"#,
            r#"{"Data":{"req":"https://a.example/?code=fk"}}"#,
            r#"{"Data":{"req":{"Url":["fk"]}}}"#,
        ];
        for body in bodies {
            let error = WebRequest::read(body.as_bytes()).unwrap_err();
            assert_eq!(error.to_string(), BadWebRequest.to_string());
        }
    }

    proptest! {
        #[test]
        fn nothing_of_a_query_is_kept(path in "[a-z/.]{0,20}", query in "[A-Z0-9/]{8,20}") {
            let kept = document(&format!("https://app.example/{path}?code={query}"));
            prop_assert!(!kept.contains(&query.to_ascii_lowercase()), "{kept}");
        }
    }
}
