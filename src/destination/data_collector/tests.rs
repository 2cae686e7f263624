//! Deliveries to the Data Collector API of a workspace on loopback.

use axum::Json;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use jiff::{SignedDuration, Timestamp};
use proofpoint_sentinel_core::clock::Clock;
use proofpoint_sentinel_core::secret::Secret;
use serde_json::json;

use super::signature::Signer;
use crate::destination::test_util::deliveries::{
    KEY, assert_all_held, batch, data_collector, deliver, held_because, refused,
};
use crate::destination::test_util::{FakeWorkspace, ReceivedPost, collected};

#[tokio::test]
async fn each_try_is_signed_anew() {
    let start: Timestamp = "2016-04-04T08:00:00Z".parse().unwrap();
    let clock = Clock::held(start);
    let moved = clock.clone();
    let workspace = FakeWorkspace::start(move |nth, _| {
        let clock = moved.clone();
        async move {
            clock.advance(SignedDuration::from_secs(1));
            let status = if nth == 0 { StatusCode::BAD_GATEWAY } else { StatusCode::OK };
            status.into_response()
        }
    })
    .await;
    let outcome = deliver(&data_collector(&workspace, clock), 2).await;
    assert_eq!(outcome.delivered, [0, 1]);
    assert_eq!(outcome.counts.sent_bytes, outcome.counts.body_bytes);
    let signer = Signer::new("0a1b", &Secret::new(KEY)).unwrap();
    let posts = workspace.posts();
    for (post, date) in
        posts.iter().zip(["Mon, 04 Apr 2016 08:00:00 GMT", "Mon, 04 Apr 2016 08:00:01 GMT"])
    {
        assert_eq!(post.path, "/api/logs?api-version=2016-04-01");
        assert_eq!(post.body, batch(2).body());
        assert_eq!(post.header("content-type"), "application/json");
        assert_eq!(post.header("content-length"), post.body.len().to_string());
        assert_eq!(post.header("log-type"), "ProofpointPOD_message");
        assert_eq!(post.header("time-generated-field"), "eventTime");
        assert_eq!(post.header("x-ms-date"), date);
        assert_eq!(post.header("authorization"), signer.authorization(post.body.len(), date));
    }
    assert_eq!(posts.len(), 2);
}

/// An error as the Data Collector API puts it.
fn collector_error(status: u16, code: &str) -> Response {
    let status = StatusCode::from_u16(status).unwrap();
    (status, Json(json!({"Error": code, "Message": "No."}))).into_response()
}

#[tokio::test]
async fn the_reason_for_a_hold_names_the_setting() {
    for (status, code, wanted) in [
        (400, "InvalidLogType", "ProofpointPOD_message"),
        (400, "InactiveCustomer", "the workspace is active"),
        (403, "InvalidAuthorization", "WorkspaceKey"),
        (404, "NotFound", "logAnalyticsUri and WorkspaceID"),
    ] {
        let workspace =
            FakeWorkspace::start(move |_, _| async move { collector_error(status, code) }).await;
        let outcome = deliver(&data_collector(&workspace, Clock::system()), 2).await;
        assert_all_held(&outcome, 2);
        let text = held_because(&outcome).to_string();
        assert!(text.contains(wanted) && text.contains(code), "{text}");
        assert!(!text.contains(KEY));
    }
}

#[tokio::test]
async fn a_bad_row_is_found() {
    let workspace = FakeWorkspace::start(async |_, post: ReceivedPost| {
        let bad = post.has_row(|id| id == 4);
        if bad { collector_error(400, "InvalidDataFormat") } else { collected() }
    })
    .await;
    let outcome = deliver(&data_collector(&workspace, Clock::system()), 9).await;
    assert_eq!(refused(&outcome), [4]);
    assert_eq!(outcome.delivered, [0, 1, 2, 3, 5, 6, 7, 8]);
}
