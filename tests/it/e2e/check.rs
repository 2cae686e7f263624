//! Checks whose faults no setting can make: another clock, and a role that is missing.

use jiff::{SignedDuration, Timestamp};
use proofpoint_sentinel::check::{Finding, Mark, Subject, check};
use proofpoint_sentinel_core::clock::Clock;
use proofpoint_sentinel_simulator::workspace::{ApiResponse, PostFault};

use crate::e2e::fixture::{Scene, soon};

async fn findings(scene: &Scene, clock: &Clock) -> Vec<Finding> {
    let mut findings = Vec::new();
    let subject = Subject { vars: scene.vars(), app_root: None, clock };
    soon(check(subject, |finding| findings.push(finding))).await;
    findings
}

fn the<'a>(findings: &'a [Finding], check: &str) -> &'a Finding {
    findings.iter().find(|it| it.check == check).unwrap_or_else(|| panic!("{findings:#?}"))
}

#[tokio::test]
async fn a_clock_that_differs_from_its_peers_is_found() {
    let scene = Scene::new().await;
    let cases = [
        (0, Mark::Passed, ""),
        (120, Mark::Attention, "ahead"),
        (-120, Mark::Attention, "behind"),
        (400, Mark::Failed, "ahead"),
        (-400, Mark::Failed, "behind"),
    ];
    for (seconds, mark, told) in cases {
        let clock = Clock::held(Timestamp::now() + SignedDuration::from_secs(seconds));
        let findings = findings(&scene, &clock).await;
        let finding = the(&findings, "clock");
        assert_eq!(finding.mark, mark, "{seconds}: {finding:?}");
        assert!(finding.text.contains(told), "{finding:?}");
    }
}

#[tokio::test]
async fn a_role_that_is_missing_is_found() {
    let scene = Scene::new().await;
    let denied = PostFault::Reply(ApiResponse::no_role("dcr"));
    scene.simulation.workspace.inject([denied]);
    let findings = findings(&scene, &Clock::system()).await;
    let finding = the(&findings, "workspace");
    assert_eq!((finding.mark, finding.code.as_deref()), (Mark::Failed, Some("PPS4003")));
    assert!(finding.text.contains("Monitoring Metrics Publisher"), "{finding:?}");
    assert!(finding.remedy.as_deref().unwrap().contains("Access control"), "{finding:?}");
}

#[tokio::test]
async fn a_missing_connector_stream_needs_a_look_and_fails_nothing() {
    let scene = Scene::new().await;
    scene.simulation.workspace.remove_stream("Custom-ProofpointConnector_CL");
    let findings = findings(&scene, &Clock::system()).await;
    let of_streams = findings.iter().filter(|it| it.check == "workspace");
    let marks: Vec<(&str, Mark, Option<&str>)> =
        of_streams.map(|it| (it.subject.as_str(), it.mark, it.code.as_deref())).collect();
    let expected = [
        ("stream Custom-ProofpointPODMessage_CL", Mark::Passed, None),
        ("stream Custom-ProofpointConnector_CL", Mark::Attention, Some("PPS4015")),
    ];
    assert_eq!(marks, expected);
}
