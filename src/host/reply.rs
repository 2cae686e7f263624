//! What the host gets back.

use axum::Json;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use serde::Serialize;

/// The answer to an invocation. The host shows the `Logs` of a success with the invocation. Of a
/// failure it keeps only the status, so everything that matters also goes to standard output.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reply {
    status: StatusCode,
    logs: Vec<String>,
}

#[derive(Serialize)]
struct Body<'a> {
    #[serde(rename = "Outputs")]
    outputs: Empty,
    #[serde(rename = "Logs")]
    logs: &'a [String],
    #[serde(rename = "ReturnValue")]
    return_value: Option<()>,
}

#[derive(Serialize)]
struct Empty {}

impl Reply {
    /// The invocation did its work.
    pub fn success(logs: Vec<String>) -> Reply {
        Reply { status: StatusCode::OK, logs }
    }

    /// The invocation failed, wholly or in part, and shows as failed.
    pub fn failure(logs: Vec<String>) -> Reply {
        Reply { status: StatusCode::INTERNAL_SERVER_ERROR, logs }
    }

    /// The request is not an invocation that this program knows.
    pub(super) fn refused(status: StatusCode, reason: impl Into<String>) -> Reply {
        Reply { status, logs: vec![reason.into()] }
    }
}

impl IntoResponse for Reply {
    fn into_response(self) -> Response {
        let body = Body { outputs: Empty {}, logs: &self.logs, return_value: None };
        (self.status, Json(body)).into_response()
    }
}
