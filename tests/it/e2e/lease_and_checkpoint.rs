//! The lease of a feed, its checkpoint after an interrupted run, and a damaged checkpoint.

use std::time::Duration;

use hyper::http::Request;
use proofpoint_sentinel::collect::Run;
use proofpoint_sentinel::net::Net;
use proofpoint_sentinel::report::FeedOutcome;
use proofpoint_sentinel::state::{DeadLetter, DeadLetterReason, RecordedEnd, State, StateError};
use proofpoint_sentinel_core::feed::EventType;
use proofpoint_sentinel_simulator::workspace::{PostFault, ResponseGate};
use tokio::time::Instant;
use url::Url;

use crate::e2e::fixture::{Scene, SceneBuilder, failure, feed, last_hour, messages, of_feed, soon};
use crate::e2e::row_assertions::assert_arrived;
use crate::support::azurite::Azurite;
use crate::support::http;

#[tokio::test]
async fn of_two_runs_at_once_one_has_the_feed() {
    let scene = Scene::new().await;
    let events = scene.give(&messages(), last_hour(), 20);
    let gate = ResponseGate::default();
    scene.simulation.workspace.inject([PostFault::Hold(gate.clone())]);
    let second = async {
        scene.simulation.workspace.wait_for(|counters| counters.in_flight == 1).await;
        let report = scene.run().await;
        gate.open();
        report
    };
    let (first, second) = tokio::join!(scene.run_well(), soon(second));
    assert_eq!(second.feeds[0].outcome, FeedOutcome::OwnedElsewhere);
    assert!(second.is_success(), "another owner is nothing that failed");
    assert_eq!(first.feeds[0].hours_done, [last_hour()]);
    assert_eq!(scene.sessions(&messages()).opened, 1);
    assert_arrived(&scene, EventType::Message, &events);
    assert_eq!(scene.run_well().await.feeds[0].counts.events, 0);
}

/// Asserts that a feed with the checkpoint `bytes` fails and leaves the checkpoint unchanged, and
/// that the other feed continues. Returns the failure.
async fn fails_with_checkpoint(bytes: impl FnOnce(&Scene) -> Vec<u8>) -> String {
    let scene = Scene::of().types("message,maillog").start().await;
    let maillog = feed(EventType::Maillog);
    scene.give(&messages(), last_hour(), 1);
    let mut lines = scene.give(&maillog, last_hour(), 1);
    scene.run_well().await;
    scene.advance(60);
    scene.give(&messages(), last_hour().plus(1), 1);
    lines.extend(scene.give(&maillog, last_hour().plus(1), 1));

    let (path, bytes) = (scene.checkpoint_path(&messages()), bytes(&scene));
    std::fs::write(&path, &bytes).unwrap();
    let report = scene.run().await;
    let text = failure(&report, &messages());
    assert_eq!(std::fs::read(&path).unwrap(), bytes, "the checkpoint is as it was");
    assert_eq!(scene.sessions(&messages()).opened, 1, "nothing was read");
    assert_eq!(of_feed(&report, &maillog).outcome, FeedOutcome::UpToDate);
    assert_arrived(&scene, EventType::Maillog, &lines);
    for what in ["checkpoints/acme_hosted-message.json", "Restore", "delete it", "StateContainer"] {
        assert!(text.contains(what), "`{what}` is not in: {text}");
    }
    text
}

#[tokio::test]
async fn a_damaged_checkpoint_stops_its_feed() {
    let text = fails_with_checkpoint(|scene| {
        let whole = std::fs::read(scene.checkpoint_path(&messages())).unwrap();
        whole[..whole.len() / 2].to_vec()
    });
    assert!(text.await.contains("it is damaged"));
    assert!(fails_with_checkpoint(|_| Vec::new()).await.contains("it is empty"));
}

#[tokio::test]
async fn the_checkpoint_of_another_feed_stops_the_feed() {
    let text = fails_with_checkpoint(|scene| {
        std::fs::read(scene.checkpoint_path(&feed(EventType::Maillog))).unwrap()
    });
    assert!(text.await.contains("it belongs to the feed `acme_hosted-maillog`"));
}

/// The number of events in the interrupted hour.
const EVENTS: usize = 100;

/// Runs `interrupted`, which must end within its hour, and then another run. Asserts that the
/// session was closed cleanly, that the checkpoint records `end` for the first run, and that every
/// event is delivered after the second.
async fn goes_on(scene: Scene, end: RecordedEnd, interrupted: impl AsyncFnOnce(&Scene, Run)) {
    let events = scene.give(&messages(), last_hour(), EVENTS);
    interrupted(&scene, scene.a_run()).await;
    let counters = soon(scene.simulation.pod.wait_for(|counters| counters.open() == 0)).await;
    let sessions = counters.feed(&messages());
    assert_eq!((sessions.opened, sessions.closed, sessions.dropped), (1, 1, 0));
    let attempt = scene.checkpoint(&messages()).await.expect("it was saved").retry.remove(0);
    assert_eq!((attempt.hour, attempt.attempts), (last_hour(), 1));
    assert_eq!((attempt.last_end, attempt.not_before), (end, scene.now()));
    let early = usize::try_from(attempt.last_events).unwrap();
    assert!((1..EVENTS).contains(&early), "{early} events were read");
    assert_arrived(&scene, EventType::Message, &events[..early]);

    assert_eq!(scene.run_well().await.feeds[0].hours_done, [last_hour()]);
    assert_arrived(&scene, EventType::Message, &events);
}

fn slowly() -> SceneBuilder {
    // A session that is not closed cleanly would keep its slot for an hour.
    Scene::of().pod(|pod| {
        pod.events_per_second = Some(40);
        pod.slot_release_delay = Duration::from_secs(3600);
    })
}

#[tokio::test]
async fn a_stopped_run_closes_its_session_and_saves_progress() {
    goes_on(slowly().start().await, RecordedEnd::Stopped, async |scene, run| {
        let stop = run.stop.clone();
        let stopped = async {
            let some = scene.simulation.pod.wait_for(|all| all.feed(&messages()).events_sent > 9);
            some.await;
            stop.cancel();
        };
        let (report, ()) = tokio::join!(scene.run_as(run), soon(stopped));
        assert_eq!(report.feeds[0].outcome, FeedOutcome::Unfinished);
        assert_eq!((&report.feeds[0].hours_done, report.feeds[0].hours_waiting), (&vec![], 1));
    })
    .await;
}

#[tokio::test]
async fn a_run_out_of_time_closes_its_session_and_saves_progress() {
    goes_on(slowly().start().await, RecordedEnd::OutOfTime, async |scene, run| {
        let reading_ends = Instant::now() + Duration::from_millis(1750);
        let report = scene.run_as(Run { reading_ends, ..run }).await;
        assert_eq!(report.feeds[0].outcome, FeedOutcome::Unfinished);
        assert_eq!(report.feeds[0].ends, [("archive out of time".to_owned(), 1)].into());
    })
    .await;
}

#[tokio::test]
async fn a_run_without_time_left_begins_no_hour() {
    let scene = Scene::of().lookback(3).start().await;
    let run = Run { reading_ends: Instant::now(), ..scene.a_run() };
    let report = scene.run_as(run).await;
    assert_eq!(report.feeds[0].outcome, FeedOutcome::Unfinished);
    assert_eq!(report.feeds[0].hours_waiting, 3);
    assert_eq!(scene.sessions(&messages()).opened, 0);
}

/// The names of the blobs in `container` under `prefix`.
async fn blobs(container: &str, prefix: &str) -> Vec<String> {
    let mut url = Azurite::shared().container(container);
    url.query_pairs_mut().extend_pairs([
        ("restype", "container"),
        ("comp", "list"),
        ("prefix", prefix),
    ]);
    let listing = String::from_utf8(fetch(url).await).expect("it is XML");
    let named = listing.split("<Name>").skip(1);
    named.filter_map(|rest| Some(rest.split_once("</Name>")?.0.to_owned())).collect()
}

async fn fetch(url: Url) -> Vec<u8> {
    let response = soon(http::send_plain(Request::get(url.as_str()), "")).await;
    assert!(response.status().is_success(), "{}", response.status());
    response.into_body().into()
}

#[tokio::test]
async fn a_blob_container_keeps_lease_checkpoint_and_dead_letters() {
    let scene = Scene::of()
        .set("StateStorage", &Azurite::shared().connection_string())
        .set("StateContainer", "end-to-end")
        .start()
        .await;
    scene.give_events(&messages(), last_hour(), vec!["no event".into()]);
    let events = scene.give(&messages(), last_hour(), 20);
    let gate = ResponseGate::default();
    scene.simulation.workspace.inject([PostFault::Hold(gate.clone())]);
    let elsewhere = async {
        scene.simulation.workspace.wait_for(|counters| counters.in_flight == 1).await;
        let report = scene.run().await;
        gate.open();
        report
    };
    let (report, second) = tokio::join!(scene.run_well(), soon(elsewhere));
    assert_eq!(second.feeds[0].outcome, FeedOutcome::OwnedElsewhere);
    assert_eq!(report.feeds[0].hours_done, [last_hour()]);
    assert_arrived(&scene, EventType::Message, &events);

    let checkpoint = scene.checkpoint(&messages()).await.expect("it was written");
    assert_eq!((checkpoint.next_hour, checkpoint.retry), (last_hour().plus(1), vec![]));
    let letters = blobs("end-to-end", "dead-letters/").await;
    let [letter] = &letters[..] else { panic!("{letters:?}") };
    assert!(letter.starts_with("dead-letters/malformed/acme_hosted-message/"), "{letter}");
    let bytes = fetch(Azurite::shared().blob("end-to-end", letter)).await;
    let letter = DeadLetter::parse(&bytes).unwrap();
    assert_eq!((letter.reason, &letter.event[..]), (DeadLetterReason::Malformed, &b"no event"[..]));

    let net = Net::new(None).unwrap();
    let state = State::open(&scene.settings().state, &net).await.unwrap();
    let lease = state.lease(&messages()).await.expect("the run gave the feed back");
    let owned = state.lease(&messages()).await;
    assert!(matches!(owned, Err(StateError::LeaseHeld { .. })));
    lease.release().await.unwrap();
    assert_eq!(scene.run_well().await.feeds[0].counts.events, 0);
}
