//! The server that the host talks to.

use std::future::Future;
use std::io;
use std::net::Ipv4Addr;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::to_bytes;
use axum::extract::{Request, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;
use tower_http::catch_panic::CatchPanicLayer;
use tracing::Instrument;
use tracing_opentelemetry::OpenTelemetrySpanExt as _;

use super::envelope::Invocation;
use super::reply::Reply;
use super::web::WebRequest;
use super::{FUNCTION, STATUS_FUNCTION};
use crate::error_code::{self, ErrorCode};
use crate::telemetry::parent_span;

/// More than enough: a tick's envelope has a few hundred bytes.
const MAX_BODY_BYTES: usize = 1 << 20;

/// How long a run that was told to stop may take to save its progress.
const WIND_DOWN: Duration = Duration::from_secs(20);

/// What an invocation runs. It gets the invocation and a token that tells it to end early, and
/// keeps the host's time limit by itself.
pub trait Function: Send + Sync + 'static {
    /// Runs one invocation.
    fn run(
        self: Arc<Self>,
        invocation: Invocation,
        stop: CancellationToken,
    ) -> impl Future<Output = Reply> + Send;

    /// Answers a web request.
    fn answer(self: Arc<Self>, request: WebRequest) -> impl Future<Output = Reply> + Send;
}

struct Handler<F> {
    function: Arc<F>,
    stop: CancellationToken,
}

/// Serves invocations on the loopback interface until `stop`. Then it gives runs in flight some time
/// to save their progress and answer.
///
/// # Errors
/// If the port can't be bound.
pub async fn serve<F: Function>(
    port: u16,
    function: Arc<F>,
    stop: CancellationToken,
) -> io::Result<()> {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, port)).await?;
    tracing::info!(port = listener.local_addr()?.port(), "ready");
    let handler = Arc::new(Handler { function, stop: stop.clone() });
    let app = Router::new()
        .route("/", get(|| async { Reply::success(Vec::new()) }))
        .route("/{function}", post(invoke::<F>))
        .fallback(|| async {
            refused(StatusCode::NOT_FOUND, error_code::UNKNOWN_FUNCTION, "there is no such path")
        })
        .method_not_allowed_fallback(|| async {
            refused(
                StatusCode::METHOD_NOT_ALLOWED,
                error_code::UNKNOWN_FUNCTION,
                "functions are invoked by POST",
            )
        })
        .layer(CatchPanicLayer::custom(|_| panicked().into_response()))
        .with_state(handler);
    let server = axum::serve(listener, app).with_graceful_shutdown(stop.clone().cancelled_owned());
    let too_long = async {
        stop.cancelled().await;
        tokio::time::sleep(WIND_DOWN).await;
    };
    tokio::select! {
        ended = server.into_future() => ended,
        () = too_long => Ok(()),
    }
}

async fn invoke<F: Function>(State(handler): State<Arc<Handler<F>>>, request: Request) -> Response {
    let id = request
        .headers()
        .get("x-azure-functions-invocationid")
        .and_then(|value| value.to_str().ok())
        .unwrap_or_default()
        .to_owned();
    let span = tracing::info_span!("invocation", invocation_id = %id);
    // An error says that nobody records spans.
    let _: Result<_, _> = span.set_parent(parent_span(request.headers()));
    invocation(handler, id, request).instrument(span).await.into_response()
}

async fn invocation<F: Function>(handler: Arc<Handler<F>>, id: String, request: Request) -> Reply {
    // As it was sent, not decoded: an odd name is unknown like any other.
    let name = request.uri().path().trim_start_matches('/');
    let is_web = match name {
        FUNCTION => false,
        STATUS_FUNCTION => true,
        _ => {
            let reason = format!(
                "there is no function `{name}`; the functions are {FUNCTION} and {STATUS_FUNCTION}"
            );
            return refused(StatusCode::NOT_FOUND, error_code::UNKNOWN_FUNCTION, &reason);
        }
    };
    let body = match to_bytes(request.into_body(), MAX_BODY_BYTES).await {
        Ok(body) => body,
        Err(error) => {
            let reason = format!("the invocation's body can't be read: {error}");
            return refused(StatusCode::BAD_REQUEST, error_code::BODY_UNREADABLE, &reason);
        }
    };
    let function = handler.function.clone();
    // A task of its own: the run goes on if the host drops its connection, and a panic in it becomes
    // an answer.
    let task = if is_web {
        match WebRequest::read(&body) {
            Ok(request) => tokio::spawn(function.answer(request).in_current_span()),
            Err(error) => return not_an_envelope(&error),
        }
    } else {
        match Invocation::read(&id, &body) {
            Ok(invocation) => {
                let run = function.run(invocation, handler.stop.child_token());
                tokio::spawn(run.in_current_span())
            }
            Err(error) => return not_an_envelope(&error),
        }
    };
    task.await.unwrap_or_else(|_| panicked())
}

fn not_an_envelope(error: &impl std::fmt::Display) -> Reply {
    refused(StatusCode::BAD_REQUEST, error_code::BAD_ENVELOPE, &error.to_string())
}

/// Logs why a request is refused, and answers with it.
fn refused(status: StatusCode, code: ErrorCode, reason: &str) -> Reply {
    tracing::error!(%code, "{reason}");
    Reply::refused(status, format!("{code}: {reason}"))
}

fn panicked() -> Reply {
    let code = error_code::PROGRAM_FAULT;
    let reason = "the run ended by a fault in the program; see standard error";
    tracing::error!(%code, "{reason}");
    let reason = format!("{code}: {reason}");
    Reply::failure(&reason, vec![reason.clone()])
}
