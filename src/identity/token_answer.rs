//! Answers of token endpoints, in the form that the SDK reads.
//!
//! An endpoint for managed identities says when a token expires. Documented is the time in seconds
//! since 1970 as a text; hosts have also sent it as a number, and as a date of US form
//! (`12/31/2029 00:00:00 +00:00`, `9/19/2029 9:00:00 PM +00:00`). The SDK takes the text alone.

use async_trait::async_trait;
use azure_core::Bytes;
use azure_core::http::{AsyncRawResponse, HttpClient, Request};
use jiff::Timestamp;
use jiff::fmt::strtime;
use serde_json::{Map, Value};

use crate::net;

const EXPIRES_ON: &str = "expires_on";

/// Dates in which an endpoint was seen to write when a token expires.
const DATES: [&str; 3] =
    ["%m/%d/%Y %H:%M:%S %:z", "%m/%d/%Y %I:%M:%S %p %:z", "%Y-%m-%dT%H:%M:%S%:z"];

/// Sends requests for tokens, and writes `expires_on` in the answer as the SDK wants it.
#[derive(Debug)]
pub(super) struct TokenTransport(pub(super) net::HttpClient);

#[async_trait]
impl HttpClient for TokenTransport {
    async fn execute_request(&self, request: &Request) -> azure_core::Result<AsyncRawResponse> {
        let answer = self.0.execute_request(request).await?;
        let (status, headers, body) = answer.deconstruct();
        let body = body.collect().await?;
        let body = with_seconds(&body).map_or(body, Bytes::from);
        Ok(AsyncRawResponse::from_bytes(status, headers, body))
    }
}

/// `answer` with the seconds in `expires_on`; `None` where there is nothing to change.
fn with_seconds(answer: &[u8]) -> Option<Vec<u8>> {
    let mut members: Map<String, Value> = serde_json::from_slice(answer).ok()?;
    let seconds = match members.get(EXPIRES_ON)? {
        Value::Number(number) => number.as_f64()? as i64,
        Value::String(text) => seconds(text.trim())?,
        _ => return None,
    };
    members.insert(EXPIRES_ON.to_owned(), Value::String(seconds.to_string()));
    serde_json::to_vec(&members).ok()
}

fn seconds(text: &str) -> Option<i64> {
    if let Ok(seconds) = text.parse() {
        return Some(seconds);
    }
    let date =
        DATES.iter().find_map(|format| strtime::parse(format, text).ok()?.to_timestamp().ok());
    date.or_else(|| text.parse().ok()).map(Timestamp::as_second)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn expires_on(answer: &str) -> Option<String> {
        let changed: Map<String, Value> = serde_json::from_slice(&with_seconds(answer.as_bytes())?)
            .expect("what was changed is JSON");
        assert_eq!(changed["access_token"], "tok", "nothing else is changed");
        Some(changed[EXPIRES_ON].as_str()?.to_owned())
    }

    #[test]
    fn the_expiry_is_read_in_every_form_that_was_seen() {
        for (form, seconds) in [
            ("1893456000", "1893456000"),
            ("1893456000.0", "1893456000"),
            ("\"1893456000\"", "1893456000"),
            ("\" 1893456000 \"", "1893456000"),
            ("\"12/31/2029 00:00:00 +00:00\"", "1893369600"),
            ("\"9/19/2029 9:00:00 PM +00:00\"", "1884546000"),
            ("\"9/19/2029 12:30:00 AM +02:00\"", "1884465000"),
            ("\"2029-12-31T00:00:00Z\"", "1893369600"),
            ("\"2029-12-31T01:00:00+01:00\"", "1893369600"),
        ] {
            let answer = format!(r#"{{"access_token":"tok","expires_on":{form}}}"#);
            assert_eq!(expires_on(&answer).as_deref(), Some(seconds), "{form}");
        }
    }

    #[test]
    fn an_answer_without_a_time_stays_as_it_came() {
        for answer in [
            r#"{"access_token":"tok"}"#,
            r#"{"access_token":"tok","expires_on":"tomorrow"}"#,
            r#"{"access_token":"tok","expires_on":null}"#,
            r#"{"access_token":"tok","expires_on":[1]}"#,
            "<html>",
            "",
        ] {
            assert_eq!(with_seconds(answer.as_bytes()), None, "{answer}");
        }
    }
}
