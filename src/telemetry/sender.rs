//! What carries telemetry to its collector.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use axum::http::{Request, Response};
use bytes::Bytes;
use opentelemetry_http::HttpError;
use tokio::runtime::Handle;

use crate::error_code;
use crate::net::HttpClient;

/// How much of an answer is read.
const MOST: usize = 64 << 10;

/// Sends over the program's own connections, through its proxy. Says once that the collector can't be
/// reached or refuses, and again only after something was taken.
#[derive(Clone, Debug)]
pub(super) struct Sender {
    http: HttpClient,
    runtime: Handle,
    is_failing: Arc<AtomicBool>,
}

impl Sender {
    pub(super) fn new(http: HttpClient) -> Sender {
        Sender { http, runtime: Handle::current(), is_failing: Arc::default() }
    }

    fn note(&self, failure: Option<String>) {
        let was_failing = self.is_failing.swap(failure.is_some(), Ordering::Relaxed);
        if let Some(reason) = failure
            && !was_failing
        {
            tracing::warn!(code = %error_code::TELEMETRY_NOT_SENT, reason, "traces and metrics are not sent");
        }
    }
}

#[async_trait::async_trait]
impl opentelemetry_http::HttpClient for Sender {
    async fn send_bytes(&self, request: Request<Bytes>) -> Result<Response<Bytes>, HttpError> {
        let http = self.http.clone();
        // It is asked for from a thread of the library, which is none of the runtime's.
        let sent = self.runtime.spawn(async move { http.send(request, MOST).await });
        let answer = sent.await.map_err(HttpError::from).and_then(|sent| sent.map_err(Into::into));
        self.note(match &answer {
            Ok(answer) if answer.status().is_success() => None,
            Ok(answer) => Some(format!("the collector answered {}", answer.status())),
            Err(error) => Some(error.to_string()),
        });
        answer
    }
}
