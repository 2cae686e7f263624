//! What the process shows of itself: health, readiness, metrics, the status page.

use std::io;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::extract::State;
use axum::http::header::{
    CACHE_CONTROL, CONTENT_SECURITY_POLICY, CONTENT_TYPE, REFERRER_POLICY, X_CONTENT_TYPE_OPTIONS,
};
use axum::http::{HeaderName, StatusCode};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use proofpoint_sentinel_core::clock::Clock;
use tokio::net::TcpListener;
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;

use super::rounds::Rounds;
use crate::settings::Vars;
use crate::status::{Overview, StatusReader, content_security_policy, html};

const JSON: &str = "application/json; charset=utf-8";
const HTML: &str = "text/html; charset=utf-8";
const TEXT: &str = "text/plain; charset=utf-8";
const OPEN_METRICS: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";

/// How long the storage may take until the process counts as not ready. Probes do not wait long.
const READY_WITHIN: Duration = Duration::from_secs(5);

struct Site {
    rounds: Arc<Rounds>,
    vars: Vars,
    status: StatusReader,
}

impl Site {
    async fn overview(&self) -> Arc<Overview> {
        self.status.overview(&self.vars).await
    }
}

/// Answers requests until `stop`. `vars` are what the settings were read from.
///
/// # Errors
/// If the listener fails.
pub async fn serve(
    listener: TcpListener,
    rounds: Arc<Rounds>,
    vars: Vars,
    stop: CancellationToken,
) -> io::Result<()> {
    let site = Arc::new(Site { rounds, vars, status: StatusReader::new(Clock::system()) });
    let app = Router::new()
        .route("/", get(page))
        .route("/status.json", get(status_json))
        .route("/health", get(health))
        .route("/ready", get(ready))
        .route("/metrics", get(metrics))
        .with_state(site);
    axum::serve(listener, app).with_graceful_shutdown(stop.cancelled_owned()).await
}

async fn page(State(site): State<Arc<Site>>) -> Response {
    let policy =
        [(CONTENT_SECURITY_POLICY, content_security_policy()), (REFERRER_POLICY, "no-referrer")];
    (policy, answer(StatusCode::OK, HTML, html(&*site.overview().await))).into_response()
}

async fn status_json(State(site): State<Arc<Site>>) -> Response {
    answer(StatusCode::OK, JSON, site.overview().await.to_json())
}

/// Whether the process works: no round should have ended long ago.
async fn health(State(site): State<Arc<Site>>) -> Response {
    match site.rounds.stuck()[..] {
        [] => answer(StatusCode::OK, TEXT, "ok\n".to_owned()),
        [ref first, ..] => {
            let text = format!("the work on {first} does not come to an end\n");
            answer(StatusCode::SERVICE_UNAVAILABLE, TEXT, text)
        }
    }
}

/// Whether work can be done: the storage of the state answers.
async fn ready(State(site): State<Arc<Site>>) -> Response {
    let overview = timeout(READY_WITHIN, site.overview()).await;
    let fault = match &overview {
        Ok(overview) => overview.shared_fault(),
        Err(_) => Some("the storage of the state does not answer"),
    };
    match fault {
        None => answer(StatusCode::OK, TEXT, "ok\n".to_owned()),
        Some(fault) => answer(StatusCode::SERVICE_UNAVAILABLE, TEXT, format!("{fault}\n")),
    }
}

async fn metrics(State(site): State<Arc<Site>>) -> Response {
    answer(StatusCode::OK, OPEN_METRICS, site.rounds.metrics())
}

fn answer(status: StatusCode, content_type: &'static str, body: String) -> Response {
    let headers: [(HeaderName, &str); 3] = [
        (CONTENT_TYPE, content_type),
        (CACHE_CONTROL, "no-store"),
        (X_CONTENT_TYPE_OPTIONS, "nosniff"),
    ];
    (status, headers, body).into_response()
}
