//! What becomes of events when the workspace, or an event itself, makes difficulties.

use std::time::Duration;

use bytes::Bytes;
use proofpoint_sentinel::report::{FeedOutcome, FeedReport};
use proofpoint_sentinel::state::DeadLetterReason;
use proofpoint_sentinel_core::feed::EventType;
use proofpoint_sentinel_simulator::DestinationApi;
use proofpoint_sentinel_simulator::pod::SessionFault;
use proofpoint_sentinel_simulator::workspace::{
    ApiResponse, PostFault, ResponseGate, WorkspaceCounters,
};
use tokio::time::{Instant, timeout};

use crate::e2e::fixture::{Scene, failure, feed, last_hour, messages, soon};
use crate::e2e::row_assertions::{arrivals, assert_arrived};
use crate::e2e::test_events;

/// The one feed's part of a run after which its hour is done.
async fn done(scene: &Scene) -> FeedReport {
    let mut report = scene.run_well().await;
    assert_eq!(report.feeds[0].hours_done, [last_hour()]);
    report.feeds.remove(0)
}

/// Large messages, enough for several batches.
fn several_batches(scene: &Scene) -> Vec<Bytes> {
    let events = test_events::large(&messages(), last_hour(), 100, 30_000);
    scene.give_events(&messages(), last_hour(), events)
}

#[tokio::test]
async fn a_refused_row_is_kept_whole_and_its_neighbours_arrive() {
    for destination in [DestinationApi::LogsIngestion, DestinationApi::DataCollector] {
        let scene = Scene::of().destination(destination).start().await;
        let mut events = scene.give(&messages(), last_hour(), 200);
        let poisoned = test_events::id(&messages(), last_hour(), 137);
        scene.simulation.workspace.refuse_rows(move |row| row["guid"] == *poisoned);

        let report = scene.run().await;
        assert!(failure(&report, &messages()).contains("refused 1 rows for good"));
        assert_eq!(report.feeds[0].hours_done, [last_hour()]);
        let counts = &report.feeds[0].counts;
        assert_eq!((counts.events, counts.delivered, counts.refused), (200, 199, 1));
        let poison = events.remove(137);
        assert_arrived(&scene, EventType::Message, &events);
        let letters = scene.dead_letters(DeadLetterReason::Refused, &messages());
        assert_eq!(letters.len(), 1);
        assert_eq!((&letters[0].event[..], letters[0].at), (&poison[..], scene.now()));
        let detail = &letters[0].detail;
        assert!(detail.starts_with("the workspace refuses the row: HTTP 400"), "{detail}");
    }
}

#[tokio::test]
async fn a_table_that_refuses_every_row_is_to_blame_and_not_the_rows() {
    let scene = Scene::new().await;
    scene.give(&messages(), last_hour(), 200);
    scene.simulation.workspace.refuse_rows(|_| true);
    let text = failure(&scene.run().await, &messages());
    let told = text.contains("refused 32 rows and took no other row since");
    assert!(told && text.contains("data collection rule"), "{text}");
    let attempts = scene.checkpoint(&messages()).await.unwrap().retry;
    assert_eq!(attempts[0].hour, last_hour(), "the hour is not done");
    assert_eq!(scene.dead_letters(DeadLetterReason::Refused, &messages()), []);
}

#[tokio::test]
async fn a_post_that_is_too_long_goes_in_halves() {
    let scene = Scene::new().await;
    let events = scene.give(&messages(), last_hour(), 101);
    let too_long = ApiResponse::too_long(1_048_577);
    scene.simulation.workspace.inject(vec![PostFault::Reply(too_long); 2]);
    let counts = done(&scene).await.counts;
    // The whole, its first half, that one's halves, and the second half.
    assert_eq!((counts.posts, counts.delivered, counts.dead_letters()), (5, 101, 0));
    assert_arrived(&scene, EventType::Message, &events);
}

#[tokio::test]
async fn a_token_that_is_refused_is_replaced() {
    let scene = Scene::new().await;
    let events = scene.give(&messages(), last_hour(), 10);
    let expired = ApiResponse::error(401, "InvalidAuthenticationToken", "Expired");
    scene.simulation.workspace.inject([PostFault::Reply(expired)]);
    done(&scene).await;
    assert_eq!(scene.simulation.identity.counters().issued, 2);
    assert_arrived(&scene, EventType::Message, &events);
}

/// A workspace that takes nothing fails the feed and says why; the hour is read again by the next
/// run, and nothing is missing then or there twice.
async fn held(destination: DestinationApi, answer: ApiResponse, advice: &[&str]) {
    let scene = Scene::of().destination(destination).start().await;
    let events = scene.give(&messages(), last_hour(), 50);
    scene.simulation.workspace.inject([PostFault::Reply(answer)]);
    let text = failure(&scene.run().await, &messages());
    for advice in advice {
        assert!(text.contains(advice), "`{advice}` is not in: {text}");
    }
    assert_eq!(scene.next_hour(&messages()).await, last_hour(), "the hour is not done");
    assert_arrived(&scene, EventType::Message, &[]);
    let counters = scene.simulation.pod.wait_for(|counters| counters.open() == 0);
    assert_eq!(soon(counters).await.feed(&messages()).dropped, 0);
    done(&scene).await;
    assert_arrived(&scene, EventType::Message, &events);
}

#[tokio::test]
async fn what_the_operator_has_to_mend_is_told_and_nothing_is_lost() {
    let ingestion = DestinationApi::LogsIngestion;
    let no_role = ApiResponse::no_role("dcr-0123456789abcdef0123456789abcdef");
    held(ingestion, no_role, &["Monitoring Metrics Publisher", "DcrImmutableId"]).await;
    let no_rule = ApiResponse::error(404, "NotFound", "Data collection rule not found");
    held(ingestion, no_rule, &["DcrImmutableId", "Custom-ProofpointPODMessage_CL"]).await;
    let not_ours = ApiResponse::status(302);
    held(ingestion, not_ours, &["LogsIngestionEndpoint", "proxy"]).await;
    let collector = DestinationApi::DataCollector;
    let denied = ApiResponse::collector_error(403, "InvalidAuthorization");
    held(collector, denied, &["WorkspaceID", "WorkspaceKey"]).await;
    held(collector, ApiResponse::status(404), &["logAnalyticsUri", "WorkspaceID"]).await;
}

#[tokio::test]
async fn the_workspaces_wish_to_be_left_alone_is_kept() {
    let scene = Scene::new().await;
    let events = scene.give(&messages(), last_hour(), 10);
    scene.simulation.workspace.inject([PostFault::Reply(ApiResponse::throttled(2))]);
    let begun = Instant::now();
    let counts = done(&scene).await.counts;
    assert!(begun.elapsed() >= Duration::from_secs(2), "sooner than the workspace asked for");
    assert_eq!((counts.posts, counts.retries), (2, 1));
    assert_arrived(&scene, EventType::Message, &events);
}

#[tokio::test]
async fn a_burst_of_faults_is_waited_out() {
    let scene = Scene::new().await;
    let events = several_batches(&scene);
    let unavailable = ApiResponse::error(503, "ServiceUnavailable", "Later");
    scene.simulation.workspace.inject([
        PostFault::Reply(unavailable.clone()),
        PostFault::ResetConnection,
        PostFault::Reply(unavailable),
    ]);
    let counts = done(&scene).await.counts;
    assert_eq!((counts.retries, counts.delivered), (3, 100));
    assert_eq!(scene.simulation.workspace.counters().resets, 1);
    assert_arrived(&scene, EventType::Message, &events);
}

#[tokio::test]
async fn only_the_batch_whose_answer_was_lost_is_there_twice() {
    let scene = Scene::new().await;
    let events = several_batches(&scene);
    scene.simulation.workspace.inject([PostFault::AcceptThenReset]);
    assert_eq!(done(&scene).await.counts.delivered, 100);
    let times = arrivals(&scene, EventType::Message, &events);
    assert!(times.iter().all(|times| (1..=2).contains(times)), "{times:?}");
    let twice = times.iter().filter(|times| **times == 2).count();
    // Thirty kilobytes each, in a batch of at most a million bytes.
    assert!((1..=33).contains(&twice), "{twice} events are there twice");
    let ends_of_batches = times.windows(2).filter(|pair| pair[0] != pair[1]).count();
    assert!(ends_of_batches <= 2, "more than one batch: {times:?}");
}

#[tokio::test]
async fn what_is_no_event_is_kept_as_it_came_and_the_rest_arrives() {
    let scene = Scene::new().await;
    let good = test_events::small(&messages(), last_hour(), 6);
    let whole = good[0].clone();
    let bad: [&[u8]; 6] = [
        b"not JSON",
        b"{\"guid\":\"\xff\xfe\"",
        b"[\"in an array\"]",
        &whole[..whole.len() - 2],
        b"{\"guid\" \"no colon\"}",
        b"null",
    ];
    for (good, bad) in good.iter().zip(bad) {
        scene.give_events(&messages(), last_hour(), vec![Bytes::copy_from_slice(bad)]);
        scene.give_events(&messages(), last_hour(), vec![good.clone()]);
    }
    let garbage = SessionFault::Garbage(3, Bytes::from_static(b"<html>Gateway</html>"));
    scene.simulation.pod.inject(&messages(), [garbage]);

    let counts = done(&scene).await.counts;
    assert_eq!((counts.events, counts.delivered, counts.malformed), (13, 6, 7));
    assert_arrived(&scene, EventType::Message, &good);
    let letters = scene.dead_letters(DeadLetterReason::Malformed, &messages());
    let mut kept: Vec<&[u8]> = letters.iter().map(|letter| &letter.event[..]).collect();
    let mut expected = [&bad[..], &[b"<html>Gateway</html>"]].concat();
    kept.sort_unstable();
    expected.sort_unstable();
    assert_eq!(kept, expected);
    for letter in &letters {
        let told = letter.detail.contains("not a JSON object") || letter.detail.contains("UTF-8");
        assert!(told, "{}", letter.detail);
    }
}

/// Fills the connection's buffers many times over, so that what was sent tells what was read.
const FLOOD: usize = 500;

/// Of these, 25 and not 26 make a batch of a million bytes.
const FLOOD_EVENT: usize = 39_000;

#[tokio::test]
async fn reading_stops_while_the_workspace_does_not_answer() {
    let scene = Scene::of().types("message,maillog,audit").start().await;
    let feeds = EventType::ALL.map(feed);
    let given = feeds.clone().map(|feed| {
        let events = test_events::large(&feed, last_hour(), FLOOD, FLOOD_EVENT);
        scene.give_events(&feed, last_hour(), events)
    });
    let gate = ResponseGate::default();
    scene.simulation.workspace.inject(vec![PostFault::Hold(gate.clone()); 12]);
    let run = scene.a_run();
    let counters = run.counters.clone();
    let blocked = async {
        let workspace = &scene.simulation.workspace;
        workspace.wait_for(|counters| counters.in_flight == 8).await;
        let more = workspace.wait_for(|counters| counters.in_flight > 8);
        let all_sent = scene.simulation.pod.wait_for(|counters| {
            feeds.iter().any(|feed| counters.feed(feed).events_sent == FLOOD as u64)
        });
        let silence = Duration::from_millis(500);
        let too_much = async {
            tokio::select! { _ = more => "posts", _ = all_sent => "events" }
        };
        assert_eq!(timeout(silence, too_much).await.ok(), None, "too many of these");
        // Four batches are in flight for each feed, and one event made the fourth one full.
        let events = counters.events();
        assert!(events <= 3 * (4 * 25 + 1), "{events} events were read");
        assert_eq!(counters.rows(), 0);
        gate.open();
    };
    let (report, ()) = tokio::join!(scene.run_as(run), soon(blocked));
    assert!(report.is_success(), "{report:?}");
    assert_eq!(scene.simulation.workspace.counters().most_in_flight, 8);
    for (feed, events) in feeds.iter().zip(&given) {
        assert_arrived(&scene, feed.event_type().unwrap(), events);
    }
}

#[tokio::test]
async fn batches_in_flight_are_awaited_when_another_fails() {
    let scene = Scene::new().await;
    let events = test_events::large(&messages(), last_hour(), 100, FLOOD_EVENT);
    scene.give_events(&messages(), last_hour(), events.clone());
    let gate = ResponseGate::default();
    let hold = || PostFault::Hold(gate.clone());
    let workspace = &scene.simulation.workspace;
    let refusal = ApiResponse::no_role(&workspace.settings().dcr_immutable_id);
    workspace.inject([hold(), hold(), PostFault::Reply(refusal)]);
    let refused = async {
        let told =
            |status: u64| move |all: &WorkspaceCounters| all.statuses.get(&403) == Some(&status);
        workspace.wait_for(told(1)).await;
        // The session is closed before anything else is waited for.
        scene.simulation.pod.wait_for(|counters| counters.open() == 0).await;
        gate.open();
    };
    let (report, ()) = tokio::join!(scene.run(), soon(refused));
    assert!(failure(&report, &messages()).contains("Monitoring Metrics Publisher"));
    let delivered = report.feeds[0].counts.delivered;
    assert!((50..=75).contains(&delivered), "{delivered} rows of the other batches");

    let report = scene.run_well().await;
    assert_eq!(report.feeds[0].counts.duplicates, delivered);
    assert_arrived(&scene, EventType::Message, &events);
}

#[tokio::test]
async fn the_last_batch_waits_its_turn_too() {
    let scene = Scene::new().await;
    scene.give_events(
        &messages(),
        last_hour(),
        test_events::large(&messages(), last_hour(), 4 * 25, FLOOD_EVENT),
    );
    // The row of one more makes the fourth batch full, and its own is worth a post by its bytes.
    let (row, text) = ("x".repeat(FLOOD_EVENT), "x".repeat(5 << 20));
    let parts = format!(r#"[{{"detectedName":"{row}","textExtracted":"{text}"}}]"#);
    scene.give_events(&messages(), last_hour(), vec![test_events::with_parts("last", &parts)]);
    let gate = ResponseGate::default();
    let workspace = &scene.simulation.workspace;
    workspace.inject(vec![PostFault::Hold(gate.clone()); 5]);
    let mut run = scene.a_run();
    run.timeouts.close = Duration::from_millis(100);
    let stop = run.stop.clone();
    let stopped = async {
        workspace.wait_for(|counters| counters.in_flight >= 4).await;
        stop.cancel();
        scene.simulation.pod.wait_for(|counters| counters.open() == 0).await;
        let fifth = workspace.wait_for(|counters| counters.in_flight > 4);
        assert!(timeout(Duration::from_millis(300), fifth).await.is_err(), "a fifth post");
        gate.open();
    };
    let (report, ()) = tokio::join!(scene.run_as(run), soon(stopped));
    assert_eq!(report.feeds[0].outcome, FeedOutcome::Unfinished);
    assert_eq!(report.feeds[0].counts.delivered, 4 * 25 + 1);
}

#[tokio::test]
async fn events_much_longer_than_their_rows_do_not_pile_up() {
    const MEBIBYTE: usize = 1 << 20;
    let scene = Scene::new().await;
    let text = format!(r#"[{{"textExtracted":"{}"}}]"#, "x".repeat(MEBIBYTE));
    let guids: Vec<String> = (0..60).map(|number| format!("long-{number}")).collect();
    let events = guids.iter().map(|guid| test_events::with_parts(guid, &text)).collect();
    scene.give_events(&messages(), last_hour(), events);
    let gate = ResponseGate::default();
    let workspace = &scene.simulation.workspace;
    workspace.inject(vec![PostFault::Hold(gate.clone()); 8]);
    let run = scene.a_run();
    let counters = run.counters.clone();
    let blocked = async {
        let posts = workspace.wait_for(|counters| counters.in_flight >= 3).await;
        let more = workspace.wait_for(|counters| counters.in_flight > posts.in_flight);
        assert!(timeout(Duration::from_millis(300), more).await.is_err(), "more posts");
        let events = counters.events();
        assert!(events <= 16, "{events} MiB of events are in memory");
        gate.open();
    };
    let (report, ()) = tokio::join!(scene.run_as(run), soon(blocked));
    assert_eq!((report.feeds[0].counts.delivered, report.feeds[0].counts.oversize), (60, 0));
}
