//! A workspace that takes no rows of the connector, or none at all, and runs that are cut short.

use proofpoint_sentinel::collect::Run;
use proofpoint_sentinel::report::FeedOutcome;
use proofpoint_sentinel_simulator::workspace::{ApiResponse, PostFault};
use tokio::time::Instant;

use super::{connector_rows, of_kind, says, told, waiting};
use crate::e2e::fixture::{Scene, last_hour, messages};
use crate::e2e::row_assertions::assert_arrived;
use proofpoint_sentinel_core::feed::EventType;

const STREAM: &str = "Custom-ProofpointConnector_CL";

#[tokio::test]
async fn an_older_deployment_without_the_stream_fails_no_feed() {
    let scene = Scene::new().await;
    scene.simulation.workspace.remove_stream(STREAM);
    let mut events = Vec::new();
    for number in 0..3 {
        events.extend(scene.give(&messages(), last_hour().plus(number), 4));
        let report = scene.run_well().await;
        assert!(report.is_success());
        assert_arrived(&scene, EventType::Message, &events);
        assert_eq!(report.feeds[0].counts.dead_letters(), 0);
        scene.advance(60);
    }
    assert_eq!((connector_rows(&scene).len(), waiting(&scene).await.len()), (0, 3));
    assert!(scene.state_path("warnings/PPS4015").exists(), "the operator was told");

    scene.simulation.workspace.restore_streams();
    scene.run_well().await;
    for number in 0..3 {
        assert_eq!(told(&scene, last_hour().plus(number)), [says("proved", [0, 4, 0])]);
    }
    assert_eq!(waiting(&scene).await, []);
    assert_eq!(of_kind(&scene, "run").len(), 1, "rows of runs are not sent again");
}

#[tokio::test]
async fn the_warning_comes_once_a_day() {
    let scene = Scene::new().await;
    scene.simulation.workspace.remove_stream(STREAM);
    let warned = || std::fs::read_to_string(scene.state_path("warnings/PPS4015")).unwrap();
    let mut times = Vec::new();
    for _ in 0..5 {
        scene.run().await;
        times.push(warned());
        scene.advance(9 * 60);
    }
    // After 0, 9, 18, 27 and 36 hours.
    let is_new: Vec<bool> = times.windows(2).map(|pair| pair[0] != pair[1]).collect();
    assert_eq!(is_new, [false, false, true, false], "{times:?}");
}

#[tokio::test]
async fn rows_that_wait_are_bounded() {
    let scene = Scene::of().lookback(410).start().await;
    scene.simulation.workspace.remove_stream(STREAM);
    for back in 0..410 {
        scene.give(&messages(), last_hour().plus(-back), 1);
    }
    scene.run_well().await;
    let waiting = waiting(&scene).await;
    assert_eq!(waiting.len(), 400);
    assert_eq!(waiting.last().unwrap().hour, last_hour());
}

#[tokio::test]
async fn hours_are_told_after_an_outage_of_the_workspace() {
    let scene = Scene::new().await;
    scene.give(&messages(), last_hour(), 4);
    scene.run_well().await;
    let next = last_hour().plus(1);
    let events = scene.give(&messages(), next, 4).len() as u64;
    scene.advance(60);
    let forbidden = PostFault::Reply(ApiResponse::error(403, "OperationFailed", "no"));
    for _ in 0..3 {
        scene.simulation.workspace.inject([forbidden.clone()]);
        assert!(!scene.run().await.is_success());
        scene.advance(5);
    }
    let runs = of_kind(&scene, "run").len();
    assert_eq!(runs, 1, "the table is not asked while no rows are taken");
    scene.run_well().await;
    assert_eq!(told(&scene, next), [says("proved", [0, events, 0])]);
}

#[tokio::test]
async fn rows_of_hours_outlive_an_outage_that_began_behind_the_events() {
    let scene = Scene::new().await;
    scene.give(&messages(), last_hour(), 4);
    let forbidden = || PostFault::Reply(ApiResponse::error(403, "OperationFailed", "no"));
    // The first run: its events arrive, its own rows do not.
    scene.simulation.workspace.refuse_rows(|row| row["RecordType"].is_string());
    let report = scene.run_well().await;
    assert_eq!(report.feeds[0].counts.delivered, 4);
    assert_eq!((connector_rows(&scene).len(), waiting(&scene).await.len()), (0, 1));
    scene.simulation.workspace.refuse_rows(|_| false);
    scene.simulation.workspace.inject([forbidden()]);
    scene.run_well().await;
    assert_eq!((connector_rows(&scene).len(), waiting(&scene).await.len()), (0, 1));
    scene.run_well().await;
    assert_eq!(told(&scene, last_hour()), [says("proved", [0, 4, 0])]);
    assert_eq!(waiting(&scene).await, []);
}

#[tokio::test]
async fn an_answer_that_is_lost_costs_a_repeated_row_at_most() {
    let scene = Scene::new().await;
    scene.give(&messages(), last_hour(), 4);
    scene.simulation.workspace.refuse_rows(|row| row["RecordType"].is_string());
    scene.run_well().await;
    scene.simulation.workspace.refuse_rows(|_| false);
    scene.simulation.workspace.inject([PostFault::AcceptThenReset]);
    scene.run_well().await;
    let rows = told(&scene, last_hour());
    assert!((1..=2).contains(&rows.len()) && rows.iter().all(|row| *row == rows[0]), "{rows:?}");
    assert_eq!(waiting(&scene).await, []);
}

#[tokio::test]
async fn without_time_for_posts_hours_wait() {
    let scene = Scene::new().await;
    scene.give(&messages(), last_hour(), 4);
    scene.simulation.workspace.refuse_rows(|row| row["RecordType"].is_string());
    scene.run_well().await;
    scene.simulation.workspace.refuse_rows(|_| false);
    let late = Run { posting_ends: Instant::now(), ..scene.a_run() };
    let report = scene.run_as(late).await;
    assert!(!matches!(report.feeds[0].outcome, FeedOutcome::Failed { .. }), "{report:?}");
    assert_eq!((connector_rows(&scene).len(), waiting(&scene).await.len()), (0, 1));
    scene.run_well().await;
    assert_eq!(told(&scene, last_hour()), [says("proved", [0, 4, 0])]);
}

#[tokio::test]
async fn a_feed_that_another_run_has_is_not_told_of() {
    let scene = Scene::new().await;
    scene.give(&messages(), last_hour(), 4);
    let lease = scene.open_state().await.lease(&messages()).await.expect("nobody has it");
    let report = scene.run().await;
    assert_eq!(report.feeds[0].outcome, FeedOutcome::OwnedElsewhere);
    assert_eq!(connector_rows(&scene).len(), 0);
    lease.release().await.expect("it can be given back");
}

#[tokio::test]
async fn the_table_can_be_switched_off() {
    let mut scene = Scene::new().await;
    scene.give(&messages(), last_hour(), 4);
    scene.simulation.workspace.remove_stream(STREAM);
    scene.run_well().await;
    assert_eq!(waiting(&scene).await.len(), 1);
    scene.simulation.workspace.restore_streams();
    scene.vars.insert("ProofpointConnectorTable".to_owned(), "off".to_owned());
    scene.give(&messages(), last_hour().plus(1), 4);
    scene.advance(60);
    scene.run_well().await;
    assert_eq!((connector_rows(&scene).len(), waiting(&scene).await.len()), (0, 0));
}
