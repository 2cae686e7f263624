//! The WebSocket handshake of the client (RFC 6455, section 4.1).

use bytes::Bytes;
use futures_util::TryStreamExt as _;
use http_body_util::{BodyDataStream, BodyExt as _, Empty};
use hyper::body::Incoming;
use hyper::client::conn::http1;
use hyper_util::rt::TokioIo;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::handshake::client::Request;
use tokio_tungstenite::tungstenite::handshake::derive_accept_key;
use tokio_tungstenite::tungstenite::http::header::{
    CONNECTION, HeaderName, SEC_WEBSOCKET_ACCEPT, SEC_WEBSOCKET_EXTENSIONS, SEC_WEBSOCKET_KEY,
    SEC_WEBSOCKET_PROTOCOL, UPGRADE,
};
use tokio_tungstenite::tungstenite::http::{HeaderMap, Response, StatusCode, Uri};
use tokio_tungstenite::tungstenite::protocol::{Role, WebSocketConfig};

/// How much of the body of another answer is read.
const MAX_BODY_BYTES: usize = 1_000;

/// The handshake did not make a WebSocket.
#[derive(Debug, thiserror::Error)]
pub(super) enum HandshakeError {
    /// The server answered, and not with 101.
    #[error("the server answered {}", .0.status())]
    Refused(Box<Response<Vec<u8>>>),
    /// The server answered 101, and without what makes it a WebSocket.
    #[error("the server's answer does not open a WebSocket: {0}")]
    NotAWebSocket(String),
    /// There was no answer, or not one of HTTP.
    #[error("the handshake failed: {}", reason(.0))]
    Http(#[from] hyper::Error),
}

/// Makes a WebSocket of `stream` by `request`, which has the headers of a WebSocket request.
/// Informational answers before the final one are passed over.
pub(super) async fn handshake<S>(
    stream: S,
    mut request: Request,
    config: WebSocketConfig,
) -> Result<WebSocketStream<S>, HandshakeError>
where
    S: AsyncRead + AsyncWrite + Send + Unpin + 'static,
{
    let key = request.headers().get(SEC_WEBSOCKET_KEY).map(|key| derive_accept_key(key.as_bytes()));
    let target = request.uri().path_and_query().map_or("/", |target| target.as_str());
    *request.uri_mut() = Uri::try_from(target).expect("the part of an address is one");
    let request = request.map(|()| Empty::<Bytes>::new());
    let (mut sender, connection) =
        http1::Builder::new().title_case_headers(true).handshake(TokioIo::new(stream)).await?;
    let exchange = async move {
        let answer = sender.send_request(request).await?;
        if answer.status() != StatusCode::SWITCHING_PROTOCOLS {
            return Err(HandshakeError::Refused(Box::new(with_body(answer).await)));
        }
        check(answer.headers(), key.as_deref().unwrap_or_default())
            .map_err(HandshakeError::NotAWebSocket)?;
        Ok(hyper::upgrade::on(answer).await?)
    };
    // How the connection ends is in the exchange's result.
    let (upgraded, _) = tokio::join!(exchange, connection.with_upgrades());
    let parts = upgraded?.downcast::<TokioIo<S>>().expect("it is the stream that was given");
    let (stream, begun) = (parts.io.into_inner(), parts.read_buf.to_vec());
    Ok(WebSocketStream::from_partially_read(stream, begun, Role::Client, Some(config)).await)
}

/// What follows from the status does not wait for a body that breaks off or is long.
async fn with_body(answer: Response<Incoming>) -> Response<Vec<u8>> {
    let (parts, body) = answer.into_parts();
    let mut chunks = BodyDataStream::new(body.map_err(drop));
    let mut body = Vec::new();
    while body.len() < MAX_BODY_BYTES
        && let Ok(Some(chunk)) = chunks.try_next().await
    {
        body.extend_from_slice(&chunk);
    }
    Response::from_parts(parts, body)
}

/// The checks of RFC 6455, section 4.1, on the headers of an answer with the status 101.
fn check(headers: &HeaderMap, accept: &str) -> Result<(), String> {
    if !has_token(headers, &UPGRADE, "websocket") {
        return Err("it has no `Upgrade: websocket`".to_owned());
    }
    if !has_token(headers, &CONNECTION, "upgrade") {
        return Err("its `Connection` does not name `Upgrade`".to_owned());
    }
    let accepted = headers.get(SEC_WEBSOCKET_ACCEPT).map(|value| value.as_bytes().trim_ascii());
    if accepted != Some(accept.as_bytes()) {
        return Err("its `Sec-WebSocket-Accept` does not belong to the request".to_owned());
    }
    for header in [SEC_WEBSOCKET_EXTENSIONS, SEC_WEBSOCKET_PROTOCOL] {
        if headers.get(&header).is_some_and(|value| !value.as_bytes().trim_ascii().is_empty()) {
            return Err(format!("it has `{header}`, which was not asked for"));
        }
    }
    Ok(())
}

/// Whether a header whose value is a list, in one line or in several, names `token`.
fn has_token(headers: &HeaderMap, name: &HeaderName, token: &str) -> bool {
    headers
        .get_all(name)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(','))
        .any(|part| part.trim().eq_ignore_ascii_case(token))
}

/// With the cause, which the library's own text leaves out.
fn reason(error: &hyper::Error) -> String {
    use std::error::Error as _;
    match error.source() {
        Some(cause) => cause.to_string(),
        None => error.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ACCEPT: &str = "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=";

    fn headers(lines: &[(&'static str, &str)]) -> HeaderMap {
        let parse = |(name, value): &(&'static str, &str)| {
            (HeaderName::from_static(name), value.parse().expect("it is a header's value"))
        };
        lines.iter().map(parse).collect()
    }

    fn opened_with(upgrade: &str, connection: &[&str], accept: &str) -> Result<(), String> {
        let mut headers = headers(&[("upgrade", upgrade), ("sec-websocket-accept", accept)]);
        for value in connection {
            headers.append(CONNECTION, value.parse().unwrap());
        }
        check(&headers, ACCEPT)
    }

    #[test]
    fn an_upgrade_is_right_in_any_case_and_order() {
        for connection in [
            &["Upgrade"][..],
            &["upgrade"],
            &["UPGRADE"],
            &["keep-alive, Upgrade"],
            &["Upgrade, keep-alive"],
            &["keep-alive,upgrade"],
            &["keep-alive", "Upgrade"],
            &["keep-alive , UPGRADE , x"],
        ] {
            for upgrade in ["websocket", "WebSocket", "WEBSOCKET", "h2c, websocket"] {
                assert_eq!(opened_with(upgrade, connection, ACCEPT), Ok(()), "{connection:?}");
            }
        }
    }

    #[test]
    fn what_is_no_websocket_is_refused_with_the_reason() {
        let told = |upgrade, connection, accept| opened_with(upgrade, connection, accept);
        assert!(told("h2c", &["Upgrade"], ACCEPT).unwrap_err().contains("Upgrade: websocket"));
        for connection in [&[][..], &["close"], &["upgrades"], &["keep-alive Upgrade"]] {
            let reason = told("websocket", connection, ACCEPT).unwrap_err();
            assert!(reason.contains("`Connection`"), "{connection:?}: {reason}");
        }
        assert!(told("websocket", &["Upgrade"], "x").unwrap_err().contains("Accept"));
        let deflate = [
            ("upgrade", "websocket"),
            ("connection", "Upgrade"),
            ("sec-websocket-accept", ACCEPT),
            ("sec-websocket-extensions", "permessage-deflate"),
        ];
        let reason = check(&headers(&deflate), ACCEPT).unwrap_err();
        assert!(reason.contains("sec-websocket-extensions"), "{reason}");
    }
}
