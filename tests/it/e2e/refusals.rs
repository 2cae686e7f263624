//! Sessions that are not opened: what the operator is told, and how often it is tried.

use std::time::Duration;

use proofpoint_sentinel::collect::Run;
use proofpoint_sentinel::report::FeedOutcome;
use proofpoint_sentinel::state::Checkpoint;
use proofpoint_sentinel_core::feed::{EventType, Feed};
use proofpoint_sentinel_simulator::DestinationApi;
use proofpoint_sentinel_simulator::certificates::CertificateAuthority;
use proofpoint_sentinel_simulator::pod::{RefusedHandshake, SessionFault};
use tokio::time::Instant;

use crate::e2e::fixture::{ACME, Scene, assert_tells, failure, last_hour, messages, of_feed};
use crate::e2e::row_assertions::{arrivals, assert_arrived};

/// Two feeds of which the first one's next session is refused with `refusal`, and what the
/// operator reads then. The other feed is not affected, and the next run of either is sound. It is
/// of another cluster: a 409 beside an open session of the same one would be waited out.
async fn refused(refusal: RefusedHandshake) -> String {
    const OTHER: &str = "globex_hosted";
    let scene = Scene::of().clusters(&[ACME, OTHER]).start().await;
    let other = Feed::log(OTHER, EventType::Message);
    let mail = scene.give(&messages(), last_hour(), 3);
    let others = scene.give(&other, last_hour(), 4);
    let status = refusal.status;
    scene.simulation.pod.inject(&messages(), [SessionFault::Refuse(refusal)]);

    let report = scene.run().await;
    let text = failure(&report, &messages());
    assert!(!report.is_success());
    assert_eq!(scene.simulation.pod.counters().refused, [(status, 1)].into(), "tried once");
    assert_eq!(scene.sessions(&messages()).opened, 0);
    let Checkpoint { retry, next_hour, .. } = scene.checkpoint(&messages()).await.unwrap();
    let is_on_record = retry.iter().any(|attempt| attempt.hour == last_hour());
    assert!(is_on_record || next_hour == last_hour(), "the hour is not done");
    assert_eq!(of_feed(&report, &other).outcome, FeedOutcome::UpToDate);
    assert_arrived(&scene, EventType::Message, &others);
    assert!(!text.contains("simulated-token"), "{text}");

    scene.run_well().await;
    assert_arrived(&scene, EventType::Message, &[mail, others].concat());
    text
}

#[tokio::test]
async fn a_lasting_refusal_names_the_setting_and_is_not_retried() {
    let cases: [(u16, &str, &[&str]); 5] = [
        (400, "Invalid type", &["ProofpointClusterID", "ProofpointEventTypes"]),
        (401, "Unauthorized", &["ProofpointToken", "ProofpointClusterID", "Remote Syslog"]),
        (403, "Forbidden", &["proxy", "ProofpointToken"]),
        (404, "Not Found", &["ProofpointLogStreamUri"]),
        (405, "Method Not Allowed", &["ProofpointLogStreamUri"]),
    ];
    for (status, body, advice) in cases {
        let text = refused(RefusedHandshake::new(status, body)).await;
        assert_tells(&text, &[&format!("answered {status} ({body})")]);
        assert_tells(&text, advice);
    }
}

#[tokio::test]
async fn a_passing_refusal_waits_if_the_server_asks_for_it() {
    for status in [409, 429, 500, 503] {
        let text =
            refused(RefusedHandshake::new(status, "Later").with_header("retry-after", "3600"))
                .await;
        assert_tells(&text, &[&format!("answered {status} (Later)"), "the next run tries again"]);
    }
}

#[tokio::test]
async fn a_token_of_another_cluster_is_told() {
    let scene = Scene::of().set("ProofpointToken", "another-token").start().await;
    let text = failure(&scene.run().await, &messages());
    assert_tells(&text, &["401", "ProofpointToken", "ProofpointClusterID"]);
    assert!(!text.contains("another-token"), "{text}");
    assert_eq!(scene.simulation.pod.counters().refused, [(401, 1)].into());
}

#[tokio::test]
async fn a_refusal_that_passes_is_waited_out_in_the_run() {
    let scene = Scene::new().await;
    let events = scene.give(&messages(), last_hour(), 3);
    let wish = RefusedHandshake::new(503, "Later").with_header("retry-after", "2");
    scene.simulation.pod.inject(&messages(), [SessionFault::Refuse(wish)]);
    let begun = Instant::now();
    scene.run_well().await;
    assert!(begun.elapsed() >= Duration::from_secs(2), "sooner than the server asked for");
    assert_arrived(&scene, EventType::Message, &events);
    assert_eq!(scene.simulation.pod.counters().refused, [(503, 1)].into());
}

#[tokio::test]
async fn the_ghost_of_a_session_that_broke_is_waited_out() {
    let scene =
        Scene::of().pod(|pod| pod.slot_release_delay = Duration::from_millis(1500)).start().await;
    let events = scene.give(&messages(), last_hour(), 10);
    scene.simulation.pod.inject(&messages(), [SessionFault::CutAfter(10)]);
    scene.run_well().await;
    assert_eq!(scene.run_well().await.feeds[0].hours_done, [last_hour()]);
    assert_eq!(scene.simulation.pod.counters().refused, [(409, 1)].into());
    assert!(arrivals(&scene, EventType::Message, &events).iter().all(|times| *times >= 1));
}

#[tokio::test]
async fn a_certificate_that_nobody_trusts_is_told_with_the_setting() {
    let scene = Scene::of().destination(DestinationApi::DataCollector).start().await;
    let path = scene.directory.path().join("another-authority.pem");
    CertificateAuthority::new().and_then(|authority| authority.write_pem(&path)).unwrap();
    let mut run = scene.a_run();
    run.settings.source.net.extra_roots = Some(path);
    let text = failure(&scene.run_as(run).await, &messages());
    assert_tells(&text, &["no TLS connection with localhost:", "SSL_CERT_FILE"]);
    let Checkpoint { retry, next_hour, .. } = scene.checkpoint(&messages()).await.unwrap();
    let is_on_record = retry.iter().any(|attempt| attempt.hour == last_hour());
    assert!(is_on_record || next_hour == last_hour(), "the hour is not done");
}

#[tokio::test]
async fn a_host_that_can_not_be_reached_is_told() {
    // Port 1 is nobody's.
    let scene = Scene::of().set("ProofpointLogStreamUri", "wss://127.0.0.1:1").start().await;
    let reading_ends = Instant::now() + Duration::from_secs(2);
    let text = failure(&scene.run_as(Run { reading_ends, ..scene.a_run() }).await, &messages());
    assert_tells(&text, &["127.0.0.1:1 can't be reached", "the next run tries again"]);
}
