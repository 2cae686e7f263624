//! The HTTP client.

use std::error::Error as _;
use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::Bytes;
use futures_util::TryStreamExt as _;
use http_body_util::{BodyDataStream, BodyExt as _, Full};
use hyper::body::Incoming;
use hyper::http::header::{ACCEPT, CONTENT_LENGTH, HeaderValue, USER_AGENT};
use hyper::http::uri::Scheme;
use hyper::http::{Method, Request, Response, Uri};
use hyper_util::client::legacy::{Client, Error as ClientError};
use hyper_util::rt::{TokioExecutor, TokioTimer};
use tokio::time::timeout;
use tower_service::Service;

use super::dialer::Dialer;
use super::error::{DialError, HttpError};
use super::http_stream::HttpStream;
use super::product::PRODUCT;

/// How long a connection may take, with the proxy and TLS.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(15);

/// How long a request may take, with its connection and the body of its answer.
const TIMEOUT: Duration = Duration::from_secs(60);

/// Sends requests. It keeps connections for later requests, and follows no redirects: none of our
/// peers has a reason to send one. Requests with TLS go through the proxy, if there is one.
/// Cheap to clone.
#[derive(Clone, Debug)]
pub struct HttpClient(Client<Connector, Full<Bytes>>);

impl HttpClient {
    pub(super) fn new(dialer: Dialer) -> HttpClient {
        let mut builder = Client::builder(TokioExecutor::new());
        HttpClient(builder.pool_timer(TokioTimer::new()).build(Connector(dialer)))
    }

    /// Sends `request`, whose address is absolute, and reads the answer. Of its body nothing is
    /// read after `most` bytes; a body that breaks off ends where it does.
    ///
    /// # Errors
    /// If there is no connection, or no answer within 60 s.
    pub async fn send(
        &self,
        request: Request<Bytes>,
        most: usize,
    ) -> Result<Response<Bytes>, HttpError> {
        let read = async {
            let (head, body) = self.answer(request).await?.into_parts();
            let mut chunks = BodyDataStream::new(body);
            let mut read = Vec::new();
            while read.len() < most
                && let Ok(Some(chunk)) = chunks.try_next().await
            {
                let room = most - read.len();
                read.extend_from_slice(&chunk[..chunk.len().min(room)]);
            }
            Ok(Response::from_parts(head, read.into()))
        };
        timeout(TIMEOUT, read).await.unwrap_or(Err(HttpError::TimedOut))
    }

    /// As [`send`](Self::send), for an answer that is of use only as a whole.
    ///
    /// # Errors
    /// As [`send`](Self::send), and if the body breaks off.
    pub async fn send_whole(&self, request: Request<Bytes>) -> Result<Response<Bytes>, HttpError> {
        let read = async {
            let (head, body) = self.answer(request).await?.into_parts();
            let body = body.collect().await.map_err(|error| HttpError::of(&error))?;
            Ok(Response::from_parts(head, body.to_bytes()))
        };
        timeout(TIMEOUT, read).await.unwrap_or(Err(HttpError::TimedOut))
    }

    /// Sends `request`, and gives the answer with its head. Its body is still to be read.
    ///
    /// # Errors
    /// If there is no connection, or no head of an answer within 60 s.
    pub async fn open(&self, request: Request<Bytes>) -> Result<Response<HttpBody>, HttpError> {
        let answer = timeout(TIMEOUT, self.answer(request)).await;
        let answer = answer.unwrap_or(Err(HttpError::TimedOut))?;
        Ok(answer.map(|body| HttpBody(BodyDataStream::new(body))))
    }

    async fn answer(&self, request: Request<Bytes>) -> Result<Response<Incoming>, HttpError> {
        let is_empty = request.body().is_empty();
        let expects_body = [Method::POST, Method::PUT, Method::PATCH].contains(request.method());
        let mut request = request.map(Full::new);
        let headers = request.headers_mut();
        if is_empty && expects_body {
            // Azure wants it of requests that could have a body (RFC 9110, section 8.6).
            headers.insert(CONTENT_LENGTH, HeaderValue::from_static("0"));
        }
        headers.entry(ACCEPT).or_insert(HeaderValue::from_static("*/*"));
        headers.entry(USER_AGENT).or_insert(HeaderValue::from_static(PRODUCT));
        self.0.request(request).await.map_err(|error| failure(&error))
    }
}

/// The body of an answer, as it comes.
#[derive(Debug)]
pub struct HttpBody(BodyDataStream<Incoming>);

impl HttpBody {
    /// The next piece; `None` at the end. If the wait is cancelled, nothing is lost.
    ///
    /// # Errors
    /// If nothing comes within 60 s, or the body breaks off.
    pub async fn chunk(&mut self) -> Result<Option<Bytes>, HttpError> {
        match timeout(TIMEOUT, self.0.try_next()).await {
            Ok(next) => next.map_err(|error| HttpError::of(&error)),
            Err(_) => Err(HttpError::TimedOut),
        }
    }
}

/// The connector's own error, or else what the connection died of.
fn failure(error: &ClientError) -> HttpError {
    let Some(source) = error.source() else { return HttpError::of(error) };
    match source.downcast_ref::<HttpError>() {
        Some(connecting) => connecting.clone(),
        None => HttpError::of(source),
    }
}

/// Opens connections for the client.
#[derive(Clone, Debug)]
struct Connector(Dialer);

impl Service<Uri> for Connector {
    type Response = HttpStream;
    type Error = HttpError;
    type Future = Pin<Box<dyn Future<Output = Result<HttpStream, HttpError>> + Send>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), HttpError>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, address: Uri) -> Self::Future {
        let dialer = self.0.clone();
        Box::pin(async move {
            match timeout(CONNECT_TIMEOUT, connect(&dialer, &address)).await {
                Ok(connected) => connected.map_err(|error| HttpError::connecting(&error)),
                Err(_) => Err(HttpError::no_connection_within(CONNECT_TIMEOUT)),
            }
        })
    }
}

async fn connect(dialer: &Dialer, address: &Uri) -> Result<HttpStream, DialError> {
    let host = address.host().unwrap_or_default();
    // Settings allow plain HTTP only on this machine, and the platform uses it for its managed
    // identities: neither needs a proxy.
    if address.scheme() != Some(&Scheme::HTTPS) {
        let tcp = Dialer::direct(host, address.port_u16().unwrap_or(80)).await?;
        return Ok(HttpStream::plain(tcp));
    }
    let tcp = dialer.dial(host, address.port_u16().unwrap_or(443)).await?;
    Ok(HttpStream::tls(dialer.tls_handshake(host, tcp).await?))
}

#[cfg(test)]
mod tests;
