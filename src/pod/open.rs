//! Opening a session: TCP, TLS, the WebSocket handshake, and retries.

use std::time::Duration;

use proofpoint_sentinel_core::secret::Secret;
use tokio::time::{Instant, sleep, timeout};
use tokio_tungstenite::tungstenite::client::IntoClientRequest;
use tokio_tungstenite::tungstenite::handshake::client::Request;
use tokio_tungstenite::tungstenite::http::HeaderValue;
use tokio_tungstenite::tungstenite::http::header::{AUTHORIZATION, RETRY_AFTER, USER_AGENT};
use tokio_tungstenite::tungstenite::{self, protocol::WebSocketConfig};
use url::Url;

use super::cluster_sessions::{ClusterSessions, Turn};
use super::handshake::{HandshakeError, handshake};
use super::open_error::OpenError;
use super::refusal::{HandshakeRefusal, RefusalKind};
use super::session::{Session, SessionTimeouts};
use crate::net::{self, DialError, Net};
use crate::retry::retry_after;
use crate::text::one_line;

/// A message longer than this ends the session. Proofpoint documents no limit, and messages over
/// 1 MiB do occur.
const MAX_MESSAGE_BYTES: usize = 64 << 20;

/// How much of an answer's body is shown.
const MAX_BODY_CHARS: usize = 1_000;

/// A request for a session.
#[derive(Clone, Debug)]
pub struct SessionRequest<'a> {
    /// The address, with the query that says what to send.
    pub url: &'a Url,
    /// The cluster's token.
    pub token: &'a Secret,
    /// Time limits.
    pub timeouts: SessionTimeouts,
    /// No attempt begins at this time or later.
    pub deadline: Instant,
}

/// Opens a session in a turn of `sessions`. Passing faults are retried, with growing waits, until the
/// deadline. `None` if no turn came before that.
///
/// # Errors
/// The last error, where the fault did not pass.
pub(crate) async fn open_session<'a>(
    net: &Net,
    request: &SessionRequest<'_>,
    sessions: &'a ClusterSessions,
) -> Result<Option<(Session, Turn<'a>)>, OpenError> {
    let mut attempt = 1;
    loop {
        let Some(mut turn) = sessions.turn(request.deadline).await else {
            return Ok(None);
        };
        let error = match open_once(net, request).await {
            Ok(session) => {
                turn.note_open();
                return Ok(Some((session, turn)));
            }
            Err(error) => error,
        };
        if error.kind() == RefusalKind::Busy && turn.yields_to_sibling() {
            continue;
        }
        drop(turn);
        let wait = error
            .kind()
            .backoff()
            .and_then(|backoff| backoff.wait_until(attempt, error.retry_after(), request.deadline));
        let Some(wait) = wait else {
            return Err(error);
        };
        tracing::info!(attempt, wait_seconds = wait.as_secs(), %error, "session not opened yet");
        sleep(wait).await;
        attempt += 1;
    }
}

async fn open_once(net: &Net, request: &SessionRequest<'_>) -> Result<Session, OpenError> {
    let host = request.url.host_str().unwrap_or_default();
    let port = request.url.port_or_known_default().unwrap_or(443);
    let name = format!("{host}:{port}");
    let unreachable = |reason: String| OpenError::Unreachable { host: name.clone(), reason };
    let request_head = handshake_request(request).map_err(|_| OpenError::Token)?;
    let connect = async {
        let tcp = net.dial(host, port).await.map_err(|error| match error {
            DialError::Direct(error) => unreachable(error.to_string()),
            DialError::Proxy(error) => OpenError::Proxy(error),
        })?;
        tcp.set_nodelay(true).map_err(|e| unreachable(e.to_string()))?;
        let tls = net.tls_handshake(host, tcp).await.map_err(|error| {
            let reason = error.to_string();
            match error.get_ref().and_then(|inner| inner.downcast_ref::<rustls::Error>()) {
                Some(_) => OpenError::Tls { host: name.clone(), reason },
                None => unreachable(reason),
            }
        })?;
        let config = WebSocketConfig::default()
            .max_message_size(Some(MAX_MESSAGE_BYTES))
            .max_frame_size(Some(MAX_MESSAGE_BYTES));
        handshake(tls, request_head, config).await.map_err(|error| refused(error, &name))
    };
    // At least a second, so that a near deadline does not look like an unreachable peer.
    let left = request.deadline.saturating_duration_since(Instant::now());
    let limit = request.timeouts.open.min(left.max(Duration::from_secs(1)));
    let socket = timeout(limit, connect)
        .await
        .map_err(|_| unreachable(format!("no session within {limit:.0?}")))??;
    Ok(Session::new(socket, request.timeouts))
}

fn handshake_request(
    request: &SessionRequest<'_>,
) -> Result<Request, tungstenite::http::header::InvalidHeaderValue> {
    let mut bearer = HeaderValue::from_str(&format!("Bearer {}", request.token.reveal()))?;
    bearer.set_sensitive(true);
    let mut handshake = request
        .url
        .as_str()
        .into_client_request()
        .expect("an address made from a checked base is one that can be requested");
    handshake.headers_mut().insert(AUTHORIZATION, bearer);
    handshake.headers_mut().insert(USER_AGENT, HeaderValue::from_static(net::PRODUCT));
    Ok(handshake)
}

fn refused(error: HandshakeError, host: &str) -> OpenError {
    match error {
        HandshakeError::Refused(answer) => OpenError::Refused(HandshakeRefusal {
            status: answer.status().as_u16(),
            body: one_line(&String::from_utf8_lossy(answer.body()), MAX_BODY_CHARS),
            retry_after: answer.headers().get(RETRY_AFTER).and_then(wait_asked_for),
        }),
        other => OpenError::Unreachable { host: host.to_owned(), reason: other.to_string() },
    }
}

fn wait_asked_for(retry_after_header: &HeaderValue) -> Option<Duration> {
    retry_after(retry_after_header.to_str().ok()?, None)
}
