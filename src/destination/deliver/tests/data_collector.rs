//! What is different with the Data Collector API.

use axum::Json;
use axum::response::Response;
use jiff::{SignedDuration, Timestamp};

use super::*;
use crate::destination::signature::Signer;

#[tokio::test]
async fn posts_are_signed_afresh_for_each_try() {
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
    let delivery = deliver(&data_collector(&workspace, clock), 2).await;
    assert_eq!(delivery.delivered, [0, 1]);
    assert_eq!(delivery.sent_bytes, delivery.body_bytes);
    let signer = Signer::new("0a1b", &Secret::new(KEY)).unwrap();
    let hits = workspace.hits();
    for (hit, date) in
        hits.iter().zip(["Mon, 04 Apr 2016 08:00:00 GMT", "Mon, 04 Apr 2016 08:00:01 GMT"])
    {
        assert_eq!(hit.path, "/api/logs?api-version=2016-04-01");
        assert_eq!(hit.body, batch(2).body());
        assert_eq!(hit.header("content-type"), "application/json");
        assert_eq!(hit.header("content-length"), hit.body.len().to_string());
        assert_eq!(hit.header("log-type"), "ProofpointPOD_message");
        assert_eq!(hit.header("time-generated-field"), "eventTime");
        assert_eq!(hit.header("x-ms-date"), date);
        assert_eq!(hit.header("authorization"), signer.authorization(hit.body.len(), date));
    }
    assert_eq!(hits.len(), 2);
}

/// An error as the Data Collector API puts it.
fn collector_error(status: u16, code: &str) -> Response {
    let status = StatusCode::from_u16(status).unwrap();
    (status, Json(json!({"Error": code, "Message": "No."}))).into_response()
}

#[tokio::test]
async fn a_hold_names_what_is_at_fault() {
    for (status, code, wanted) in [
        (400, "InvalidLogType", "ProofpointPOD_message"),
        (400, "InactiveCustomer", "the workspace is active"),
        (403, "InvalidAuthorization", "WorkspaceKey"),
        (404, "NotFound", "logAnalyticsUri and WorkspaceID"),
    ] {
        let workspace =
            FakeWorkspace::start(move |_, _| async move { collector_error(status, code) }).await;
        let delivery = deliver(&data_collector(&workspace, Clock::system()), 2).await;
        assert_all_held(&delivery, 2);
        let text = held_because(&delivery).to_string();
        assert!(text.contains(wanted) && text.contains(code), "{text}");
        assert!(!text.contains(KEY));
    }
}

#[tokio::test]
async fn a_bad_row_is_found() {
    let workspace = FakeWorkspace::start(async |_, hit: Hit| {
        let bad = hit.has_row(|id| id == 4);
        if bad { collector_error(400, "InvalidDataFormat") } else { accepted() }
    })
    .await;
    let delivery = deliver(&data_collector(&workspace, Clock::system()), 9).await;
    assert_eq!(refused(&delivery), [4]);
    assert_eq!(delivery.delivered, [0, 1, 2, 3, 5, 6, 7, 8]);
}
