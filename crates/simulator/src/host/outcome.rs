//! How the Functions host classifies a handler's reply.

use axum::http::StatusCode;
use serde_json::{Map, Value};

/// The outcome of an invocation for the host.
#[derive(Clone, Debug, PartialEq)]
pub enum InvocationOutcome {
    /// The invocation succeeded.
    Success {
        /// Values of the output bindings by name.
        outputs: Map<String, Value>,
        /// Lines for the invocation's log.
        logs: Vec<String>,
        /// Value of the `$return` binding.
        return_value: Value,
    },
    /// A status other than 2xx. The real host discards the body.
    Failed {
        /// The status.
        status: u16,
        /// The body.
        body: String,
    },
    /// 2xx with a reply that the host does not understand: the invocation fails.
    BadReply(String),
    /// 2xx without content or with JSON null. The real host does not complete such an invocation:
    /// it waits for `functionTimeout` and then kills the process.
    WouldHang,
    /// No reply: the connection was refused or broke.
    Unreachable(String),
    /// `functionTimeout` elapsed, and the host killed the process.
    TimedOut,
}

impl InvocationOutcome {
    /// Classifies a complete reply.
    pub(super) fn classify(
        status: StatusCode,
        content_type: Option<&str>,
        body: &[u8],
    ) -> InvocationOutcome {
        if !status.is_success() {
            let body = String::from_utf8_lossy(body).into_owned();
            return InvocationOutcome::Failed { status: status.as_u16(), body };
        }
        if body.is_empty() || status == StatusCode::NO_CONTENT {
            return InvocationOutcome::WouldHang;
        }
        let media_type = content_type.unwrap_or_default().split(';').next().unwrap_or_default();
        if !matches!(media_type.trim(), "application/json" | "text/json") {
            return InvocationOutcome::BadReply(format!(
                "content type {content_type:?} is not JSON"
            ));
        }
        match serde_json::from_slice(body) {
            Ok(Value::Null) => InvocationOutcome::WouldHang,
            Ok(Value::Object(members)) => {
                success(members).unwrap_or_else(InvocationOutcome::BadReply)
            }
            Ok(_) => InvocationOutcome::BadReply("the body is no JSON object".to_owned()),
            Err(error) => InvocationOutcome::BadReply(format!("the body is no JSON: {error}")),
        }
    }
}

/// Names are case-insensitive; unknown members are ignored.
fn success(members: Map<String, Value>) -> Result<InvocationOutcome, String> {
    let (mut outputs, mut logs, mut return_value) = (Map::new(), Vec::new(), Value::Null);
    for (name, value) in members {
        match (name.to_ascii_lowercase().as_str(), value) {
            ("outputs" | "logs", Value::Null) => {}
            ("outputs", Value::Object(members)) => outputs = members,
            ("outputs", _) => return Err("Outputs is no object".to_owned()),
            ("logs", Value::Array(lines)) => logs = strings(lines)?,
            ("logs", _) => return Err("Logs is no list".to_owned()),
            ("returnvalue", value) => return_value = value,
            _ => {}
        }
    }
    Ok(InvocationOutcome::Success { outputs, logs, return_value })
}

fn strings(lines: Vec<Value>) -> Result<Vec<String>, String> {
    lines
        .into_iter()
        .map(|line| match line {
            Value::String(text) => Ok(text),
            other => Err(format!("Logs holds {other}, which is no text")),
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn classify(status: u16, content_type: &str, body: &str) -> InvocationOutcome {
        let content_type = (!content_type.is_empty()).then_some(content_type);
        InvocationOutcome::classify(
            StatusCode::from_u16(status).unwrap(),
            content_type,
            body.as_bytes(),
        )
    }

    const JSON: &str = "application/json";

    #[test]
    fn member_names_of_a_reply_are_case_insensitive() {
        let body = r#"{"outputs":{"res":1},"LOGS":["done"],"ReturnValue":7,"other":0}"#;
        for content_type in [JSON, "application/json; charset=utf-8", "text/json"] {
            let expected = InvocationOutcome::Success {
                outputs: Map::from_iter([("res".to_owned(), Value::from(1))]),
                logs: vec!["done".to_owned()],
                return_value: Value::from(7),
            };
            assert_eq!(classify(200, content_type, body), expected);
        }
        for body in ["{}", r#"{"Outputs":null,"Logs":null,"ReturnValue":null}"#] {
            assert!(
                matches!(classify(202, JSON, body), InvocationOutcome::Success { .. }),
                "{body}"
            );
        }
    }

    #[test]
    fn empty_and_null_replies_would_hang_the_host() {
        for (status, content_type, body) in
            [(200, JSON, ""), (200, "", ""), (204, "", ""), (200, JSON, " null ")]
        {
            assert_eq!(classify(status, content_type, body), InvocationOutcome::WouldHang);
        }
    }

    #[test]
    fn other_replies_fail() {
        for (content_type, body) in [
            ("text/plain", "{}"),
            ("", "{}"),
            (JSON, "{"),
            (JSON, "[]"),
            (JSON, "\"done\""),
            (JSON, r#"{"Logs":"done"}"#),
            (JSON, r#"{"Logs":[1]}"#),
            (JSON, r#"{"Outputs":[]}"#),
        ] {
            assert!(
                matches!(classify(200, content_type, body), InvocationOutcome::BadReply(_)),
                "{body}"
            );
        }
        for status in [301, 404, 500] {
            let expected = InvocationOutcome::Failed { status, body: "{}".to_owned() };
            assert_eq!(classify(status, JSON, "{}"), expected);
        }
    }
}
