//! A workspace, or a token service, that is out of order for a while.

use std::time::Duration;

use axum::http::StatusCode;
use proofpoint_sentinel::collect::Run;
use proofpoint_sentinel_core::feed::EventType;
use proofpoint_sentinel_simulator::DestinationApi;
use proofpoint_sentinel_simulator::workspace::{ApiResponse, PostFault, ResponseGate};
use tokio::time::Instant;

use crate::e2e::fixture::{Scene, assert_tells, failure, last_hour, messages};
use crate::e2e::row_assertions::assert_arrived;
use crate::support::relay::Relay;

const BOTH: [DestinationApi; 2] = [DestinationApi::LogsIngestion, DestinationApi::DataCollector];

/// Posts may begin for so long in a run that they do not get through.
const SHORT: Duration = Duration::from_millis(1500);

fn short(scene: &Scene) -> Run {
    Run { posting_ends: Instant::now() + SHORT, ..scene.a_run() }
}

/// What the operator reads of a run in which no row gets through. The next one delivers all of
/// them, each once.
async fn held_up(mut scene: Scene, repair: impl FnOnce(&mut Scene)) -> String {
    let events = scene.give(&messages(), last_hour(), 10);
    let began = Instant::now();
    let text = failure(&scene.run_as(short(&scene)).await, &messages());
    assert!(began.elapsed() < SHORT * 4, "the run ends in its time");
    assert_eq!(scene.next_hour(&messages()).await, last_hour(), "the hour is not done");
    assert_arrived(&scene, EventType::Message, &[]);
    repair(&mut scene);
    assert_eq!(scene.run_well().await.feeds[0].hours_done, [last_hour()]);
    assert_arrived(&scene, EventType::Message, &events);
    text
}

#[tokio::test]
async fn either_api_is_given_time_when_it_is_busy_or_broken() {
    let faults = [429, 500, 503].map(|status| PostFault::Reply(ApiResponse::status(status)));
    let faults = faults.into_iter().chain([PostFault::ResetConnection]);
    let cases = faults.flat_map(|fault| BOTH.map(|destination| (destination, fault.clone())));
    let waited_out = cases.map(async |(destination, fault)| {
        let scene = Scene::of().destination(destination).start().await;
        let events = scene.give(&messages(), last_hour(), 10);
        scene.simulation.workspace.inject([fault.clone()]);
        let report = scene.run_well().await;
        let counts = &report.feeds[0].counts;
        let found = (counts.posts, counts.retries, counts.delivered);
        assert_eq!(found, (2, 1, 10), "{destination:?}: {fault:?}");
        assert_arrived(&scene, EventType::Message, &events);
    });
    futures_util::future::join_all(waited_out).await;
}

#[tokio::test]
async fn either_api_gets_in_halves_what_it_calls_too_long() {
    for destination in BOTH {
        let scene = Scene::of().destination(destination).start().await;
        let events = scene.give(&messages(), last_hour(), 10);
        scene.simulation.workspace.inject([PostFault::Reply(ApiResponse::status(413))]);
        let report = scene.run_well().await;
        let counts = &report.feeds[0].counts;
        assert_eq!((counts.posts, counts.delivered, counts.dead_letters()), (3, 10, 0));
        assert_arrived(&scene, EventType::Message, &events);
    }
}

#[tokio::test]
async fn a_post_refused_for_its_headers_does_not_blame_its_rows() {
    let scene = Scene::of().destination(DestinationApi::DataCollector).start().await;
    let inactive = ApiResponse::collector_error(400, "InactiveCustomer");
    scene.simulation.workspace.inject([PostFault::Reply(inactive)]);
    let text = held_up(scene, |_| {}).await;
    assert!(text.contains("the workspace refuses every post"), "{text}");
    assert!(text.contains("InactiveCustomer") && text.contains("WorkspaceID"), "{text}");
}

#[tokio::test]
async fn a_silent_workspace_holds_the_run_until_posting_ends() {
    for destination in BOTH {
        let scene = Scene::of().destination(destination).start().await;
        scene.simulation.workspace.inject([PostFault::Hold(ResponseGate::default())]);
        let text = held_up(scene, |_| {}).await;
        let told = "the run's time was up before the workspace accepted the rows (the last try ended with: no answer \
                    came in time). They are sent again automatically";
        assert!(text.contains(told), "{text}");
    }
}

#[tokio::test]
async fn a_workspace_that_stays_busy_is_left_to_the_next_run() {
    let scene = Scene::new().await;
    let later = ApiResponse::throttled(3600);
    scene.simulation.workspace.inject([PostFault::Reply(later)]);
    let text = held_up(scene, |scene| scene.advance(61)).await;
    assert!(text.contains("(the last try ended with: HTTP 429 TooManyRequests"), "{text}");
}

#[tokio::test]
async fn the_workspaces_wish_is_kept_in_later_runs_too() {
    for mode in ["archive", "hybrid"] {
        let scene = Scene::of().types("message,maillog").set("ProofpointMode", mode).start().await;
        let events = scene.give(&messages(), last_hour(), 7);
        let later = ApiResponse::throttled(1800);
        scene.simulation.workspace.inject([PostFault::Reply(later)]);
        failure(&scene.run().await, &messages());
        let asked = scene.simulation.workspace.counters().posts;
        for _ in 0..2 {
            let text = failure(&scene.run().await, &messages());
            assert_tells(&text, &["the run's time was up", "the workspace wants no posts before"]);
            scene.advance(10);
        }
        assert_eq!(scene.simulation.workspace.counters().posts, asked, "{mode}: left alone");
        scene.advance(11);
        scene.run_well().await;
        assert_arrived(&scene, EventType::Message, &events);
    }
}

#[tokio::test]
async fn a_token_service_that_fails_for_a_moment_is_asked_again() {
    let scene = Scene::new().await;
    let events = scene.give(&messages(), last_hour(), 10);
    scene.simulation.identity.fail_next(2, StatusCode::SERVICE_UNAVAILABLE);
    scene.run_well().await;
    assert_eq!(scene.simulation.identity.counters().requests, 3);
    assert_arrived(&scene, EventType::Message, &events);
}

#[tokio::test]
async fn a_silent_token_service_holds_the_run_until_posting_ends() {
    let mut scene = Scene::new().await;
    let issuer = scene.simulation.identity.authority_host();
    let server = format!("127.0.0.1:{}", issuer.port().expect("it has one"));
    let relay = Relay::before(&server, "").await;
    let address = format!("https://localhost:{}", relay.address.port());
    scene.vars.insert("AZURE_AUTHORITY_HOST".to_owned(), address);
    let held = relay.hold("");
    let text = held_up(scene, |_| drop(held)).await;
    assert!(text.contains("the token service did not answer in time"), "{text}");
    assert!(text.contains("AZURE_CLIENT_SECRET, which may have expired"), "{text}");
}

#[tokio::test]
async fn an_unreachable_token_service_holds_the_run() {
    let mut scene = Scene::new().await;
    // Port 1 is nobody's.
    let nobodys = "https://127.0.0.1:1".to_owned();
    let name = "AZURE_AUTHORITY_HOST".to_owned();
    let right = scene.vars.insert(name.clone(), nobodys).expect("it was set");
    let text = held_up(scene, |scene| drop(scene.vars.insert(name, right))).await;
    assert!(text.contains("there is no token to post with"), "{text}");
    assert!(text.contains("AZURE_CLIENT_SECRET, which may have expired"), "{text}");
}
