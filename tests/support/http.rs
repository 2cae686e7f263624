//! Requests of the tests themselves.

use bytes::Bytes;
use hyper::http::request::Builder;
use proofpoint_sentinel::net::Net;

/// The answer to a request that gets one.
pub(crate) type Answer = hyper::http::Response<Bytes>;

/// Sends a request, and waits for the whole answer.
pub(crate) async fn send(net: &Net, request: Builder, body: impl Into<Bytes>) -> Answer {
    let request = request.body(body.into()).expect("the test's request is one");
    net.http.send_whole(request).await.expect("there is an answer")
}

/// As [`send`], by nobody in particular.
pub(crate) async fn send_plain(request: Builder, body: impl Into<Bytes>) -> Answer {
    send(&Net::new(None).expect("the system has roots or needs none"), request, body).await
}
