//! The HTTP client as the transport of Azure's SDK.

use async_trait::async_trait;
use azure_core::error::ErrorKind;
use azure_core::http::headers::Headers;
use azure_core::http::request::Body;
use azure_core::http::{AsyncRawResponse, HttpClient as Transport, Request};
use azure_core::{Bytes, Error, Result};
use futures_util::TryStreamExt as _;
use hyper::http;

use super::http::HttpClient;

#[async_trait]
impl Transport for HttpClient {
    async fn execute_request(&self, request: &Request) -> Result<AsyncRawResponse> {
        let body = bytes(request.body()).await?;
        let request = plain(request, body)
            .map_err(|error| Error::with_error(ErrorKind::Other, error, "not a request"))?;
        let answer = self.send_whole(request).await.map_err(|error| {
            let kind = if error.is_connecting() { ErrorKind::Connection } else { ErrorKind::Io };
            Error::with_error(kind, error, "no answer")
        })?;
        let mut headers = Headers::new();
        for (name, value) in answer.headers() {
            // Those of the services are ASCII.
            if let Ok(value) = value.to_str() {
                headers.insert(name.as_str().to_owned(), value.to_owned());
            }
        }
        let status = answer.status().as_u16().into();
        Ok(AsyncRawResponse::from_bytes(status, headers, answer.into_body()))
    }
}

async fn bytes(body: &Body) -> Result<Bytes> {
    match body {
        Body::Bytes(bytes) => Ok(bytes.clone()),
        Body::SeekableStream(stream) => {
            let chunks: Vec<Bytes> = stream.clone().try_collect().await?;
            Ok(chunks.concat().into())
        }
    }
}

fn plain(request: &Request, body: Bytes) -> http::Result<http::Request<Bytes>> {
    let mut plain =
        http::Request::builder().method(request.method().as_ref()).uri(request.url().as_str());
    for (name, value) in request.headers().iter() {
        plain = plain.header(name.as_str(), value.as_str());
    }
    plain.body(body)
}
