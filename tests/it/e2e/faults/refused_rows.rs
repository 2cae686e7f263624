//! Rows that the workspace refuses: a bad row is given up, a bad table never makes that of good rows.

use bytes::Bytes;
use proofpoint_sentinel::error_code;
use proofpoint_sentinel::report::FeedOutcome;
use proofpoint_sentinel::state::DeadLetterReason;
use proofpoint_sentinel_core::feed::EventType;
use proofpoint_sentinel_simulator::DestinationApi;
use proofpoint_sentinel_simulator::workspace::{ApiResponse, PostFault};

use crate::e2e::fixture::{Scene, assert_tells, failure, last_hour, messages};
use crate::e2e::row_assertions::assert_arrived;
use crate::e2e::test_events;

const BOTH: [DestinationApi; 2] = [DestinationApi::LogsIngestion, DestinationApi::DataCollector];

/// How many events of a message feed lie as refused dead letters.
fn given_up(scene: &Scene) -> usize {
    scene.dead_letters(DeadLetterReason::Refused, &messages()).len()
}

/// The answer of either API to a post with a row that it calls invalid.
fn invalid(destination: DestinationApi) -> ApiResponse {
    match destination {
        DestinationApi::LogsIngestion => ApiResponse::error(400, "InvalidPayload", "bad row"),
        DestinationApi::DataCollector => ApiResponse::collector_error(400, "InvalidDataFormat"),
    }
}

#[tokio::test]
async fn a_table_that_refuses_all_makes_no_dead_letter_in_any_run() {
    for destination in BOTH {
        for count in [1, 7, 15, 16, 40, 2000] {
            let scene = Scene::of().destination(destination).lookback(3).start().await;
            let mut all = Vec::new();
            for hour in last_hour().plus(-2).through(last_hour()) {
                all.extend(scene.give(&messages(), hour, count));
            }
            let answer = invalid(destination);
            for _ in 0..6 {
                scene.simulation.workspace.inject(vec![PostFault::Reply(answer.clone()); 5000]);
                let report = scene.run().await;
                scene.simulation.workspace.clear_faults();
                let text = failure(&report, &messages());
                assert_tells(&text, &["can't be read", "the table or its rule may be at fault"]);
                assert_eq!((given_up(&scene), report.feeds[0].counts.delivered), (0, 0));
                scene.advance(5);
            }
            scene.advance(60);
            let newest = scene.give(&messages(), last_hour().plus(1), 1);
            scene.run_well().await;
            assert_eq!(given_up(&scene), 0, "{count} rows");
            assert_arrived(&scene, EventType::Message, &[all, newest].concat());
        }
    }
}

#[tokio::test]
async fn a_bad_row_is_given_up_once_others_are_taken() {
    for destination in BOTH {
        for (count, bad) in [(1, 0), (2, 1), (7, 3), (15, 14), (15, 0), (300, 299)] {
            let scene = Scene::of().destination(destination).start().await;
            let events = scene.give(&messages(), last_hour(), count);
            let guid = test_events::id(&messages(), last_hour(), bad);
            scene
                .simulation
                .workspace
                .refuse_rows(move |row| ["guid", "guid_s"].iter().any(|key| row[key] == *guid));
            let mut good = events.clone();
            let lost = good.remove(bad);
            let mut failed = 0;
            for run in 1..=5 {
                let report = scene.run().await;
                failed += u32::from(matches!(report.feeds[0].outcome, FeedOutcome::Failed { .. }));
                // A quiet feed: one event an hour.
                scene.advance(60);
                good.extend(scene.give(&messages(), last_hour().plus(run), 1));
            }
            scene.run_well().await;
            assert_arrived(&scene, EventType::Message, &good);
            let letters = scene.dead_letters(DeadLetterReason::Refused, &messages());
            let kept: Vec<&[u8]> = letters.iter().map(|letter| &letter.event[..]).collect();
            assert_eq!(kept, [&lost[..]], "{count} rows");
            assert!((1..=4).contains(&failed), "{failed} runs failed");
        }
    }
}

#[tokio::test]
async fn a_run_that_gives_up_a_row_is_not_a_success() {
    let scene = Scene::new().await;
    scene.give(&messages(), last_hour(), 9);
    let guid = test_events::id(&messages(), last_hour(), 2);
    scene.simulation.workspace.refuse_rows(move |row| row["guid"] == *guid);
    let report = scene.run().await;
    assert!(!report.is_success());
    let FeedOutcome::Failed { code, reason } = &report.feeds[0].outcome else { panic!() };
    assert_eq!(*code, error_code::ROW_REFUSED);
    assert_tells(reason, &["refused 1 rows for good", "dead letters"]);
    assert_eq!((report.feeds[0].counts.delivered, given_up(&scene)), (8, 1));
    assert!(scene.run_well().await.is_success());
}

#[tokio::test]
async fn an_answer_that_is_not_the_workspaces_counts_as_no_delivery() {
    let html = |status: u16| ApiResponse {
        body: "<html>Sign in</html>".to_owned(),
        ..ApiResponse::status(status)
    };
    let plain = ApiResponse::status;
    let cases = [
        (
            DestinationApi::LogsIngestion,
            vec![
                plain(200),
                plain(202),
                html(200),
                html(400),
                plain(400),
                html(403),
                html(404),
                html(413),
            ],
        ),
        (
            DestinationApi::DataCollector,
            vec![plain(202), plain(204), html(200), html(400), plain(400), html(403), html(404)],
        ),
    ];
    for (destination, answers) in cases {
        for answer in answers {
            for count in [1, 7, 15, 900] {
                let scene = Scene::of().destination(destination).start().await;
                let events: Vec<Bytes> = scene.give(&messages(), last_hour(), count);
                for _ in 0..2 {
                    scene.simulation.workspace.inject(vec![PostFault::Reply(answer.clone()); 9]);
                    let report = scene.run().await;
                    scene.simulation.workspace.clear_faults();
                    assert_tells(&failure(&report, &messages()), &["the workspace takes no rows"]);
                    assert_eq!((given_up(&scene), report.feeds[0].counts.delivered), (0, 0));
                }
                scene.run_well().await;
                assert_arrived(&scene, EventType::Message, &events);
            }
        }
    }
}
