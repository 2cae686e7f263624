//! Sessions that are not opened.

use std::time::Duration;

use proofpoint_sentinel::collect::Run;
use proofpoint_sentinel::report::FeedOutcome;
use proofpoint_sentinel::state::RecordedEnd;
use proofpoint_sentinel_core::feed::EventType;
use proofpoint_sentinel_simulator::certificates::CertificateAuthority;
use proofpoint_sentinel_simulator::pod::{RefusedHandshake, SessionFault};
use tokio::time::Instant;

use crate::e2e::fixture::{
    Scene, assert_tells, ends, failure, feed, from_minute, last_hour, messages, of_feed, this_hour,
};
use crate::e2e::row_assertions::assert_arrived;
use crate::support::proxy::ConnectProxy;

const MODES: [&str; 2] = ["hybrid", "archive"];

/// A refusal that asks for more time than a run has.
fn for_long(status: u16) -> SessionFault {
    SessionFault::Refuse(RefusedHandshake::new(status, "Later").with_header("retry-after", "3600"))
}

/// A run that ends before anything is tried a second time.
fn of_one_try(scene: &Scene) -> Run {
    Run { reading_ends: Instant::now() + Duration::from_millis(900), ..scene.a_run() }
}

/// A scene in whose next run the live stream comes first, an hour is due, and live sessions are
/// refused with `status`. Gives the failure of that run, and how many archive sessions it opened.
async fn live_refused_with(status: u16) -> (String, u64) {
    let scene = Scene::hybrid().start().await;
    let before = scene.give(&messages(), last_hour(), 3);
    scene.run_well().await;
    scene.advance(60);
    let older = scene.give(&messages(), this_hour(), 3);
    let current = this_hour().plus(1);
    let newest = scene.give_events(&messages(), current, from_minute(current, 40, 3));
    let opened = scene.sessions(&messages()).archive_opened;
    let refusal = SessionFault::Refuse(RefusedHandshake::new(status, "No"));
    scene.simulation.pod.inject_live(&messages(), [refusal]);
    let text = failure(&scene.run().await, &messages());
    assert_eq!(scene.simulation.pod.counters().refused, [(status, 1)].into(), "tried once");
    let opened = scene.sessions(&messages()).archive_opened - opened;

    scene.run_well().await;
    assert_arrived(&scene, EventType::Message, &[before, older, newest].concat());
    (text, opened)
}

#[tokio::test]
async fn a_live_refusal_that_lasts_is_told_and_the_archive_goes_on() {
    let cases: [(u16, &[&str]); 3] = [
        (400, &["ProofpointClusterID", "ProofpointEventTypes"]),
        (404, &["ProofpointLogStreamUri"]),
        (405, &["ProofpointLogStreamUri"]),
    ];
    for (status, advice) in cases {
        let (text, archive_opened) = live_refused_with(status).await;
        assert_tells(&text, &[&format!("the Log API answered {status} (No)")]);
        assert_tells(&text, advice);
        assert_eq!(archive_opened, 1);
    }
}

#[tokio::test]
async fn a_refused_token_is_told_and_nothing_else_is_tried() {
    let (text, archive_opened) = live_refused_with(401).await;
    assert_tells(&text, &["the Log API answered 401 (No)", "ProofpointToken", "Remote Syslog"]);
    assert_eq!(archive_opened, 0);
}

#[tokio::test]
async fn a_live_refusal_that_passes_leaves_the_archive_to_be_read() {
    for status in [429, 500, 503] {
        let scene = Scene::hybrid().start().await;
        let older = scene.give(&messages(), last_hour(), 3);
        let newest = scene.give_events(&messages(), this_hour(), from_minute(this_hour(), 40, 3));
        scene.simulation.pod.inject_live(&messages(), [for_long(status)]);
        let report = scene.run().await;
        let answered = format!("the live stream can't be read: the Log API answered {status}");
        let archive = "until then events come from the archive, an hour or two late";
        assert_tells(&failure(&report, &messages()), &[&answered, "(Later)", archive]);
        assert_eq!(of_feed(&report, &messages()).hours_done, [last_hour()]);
        assert_arrived(&scene, EventType::Message, &older);

        scene.run_well().await;
        assert_arrived(&scene, EventType::Message, &[older, newest].concat());
    }
}

#[tokio::test]
async fn a_live_refusal_that_passes_soon_is_waited_out_in_the_run() {
    let scene = Scene::hybrid().start().await;
    let events = scene.give_events(&messages(), this_hour(), from_minute(this_hour(), 40, 3));
    scene
        .simulation
        .pod
        .inject_live(&messages(), [SessionFault::Refuse(RefusedHandshake::new(503, "Busy"))]);
    scene.run_well().await;
    assert_arrived(&scene, EventType::Message, &events);
    assert_eq!(scene.simulation.pod.counters().refused, [(503, 1)].into());
}

#[tokio::test]
async fn what_live_had_read_before_it_was_refused_is_delivered() {
    let scene = Scene::hybrid().start().await;
    let events = scene.give_events(&messages(), this_hour(), from_minute(this_hour(), 40, 10));
    scene.simulation.pod.inject_live(&messages(), [SessionFault::CutAfter(4), for_long(503)]);
    let report = scene.run().await;
    assert_tells(&failure(&report, &messages()), &["the live stream can't be read", "503"]);
    let expected = [("archive closed with 1000", 1), ("live cut", 1)];
    assert_eq!(ends(of_feed(&report, &messages())), expected);
    assert_arrived(&scene, EventType::Message, &events[..4]);
    let live = scene.checkpoint(&messages()).await.unwrap().live.unwrap();
    assert_eq!((live.ended, live.end), (scene.now(), RecordedEnd::Cut));

    scene.run_well().await;
    assert_arrived(&scene, EventType::Message, &events);
}

#[tokio::test]
async fn a_name_that_is_not_found_is_told_and_found_by_a_later_run() {
    for mode in MODES {
        let scene = Scene::of().set("ProofpointMode", mode).start().await;
        let events = scene.give(&messages(), last_hour(), 3);
        let mut run = of_one_try(&scene);
        // A label of more than 63 characters is in no DNS, and no server has to be asked.
        let host = format!("{}.example", "x".repeat(64));
        run.settings.source.log_stream_uri = format!("wss://{host}").parse().unwrap();
        let text = failure(&scene.run_as(run).await, &messages());
        let unreachable = format!("{host}:443 can't be reached: failed to lookup address");
        assert_tells(&text, &[&unreachable, "the next run tries again"]);

        scene.run_well().await;
        assert_arrived(&scene, EventType::Message, &events);
    }
}

#[tokio::test]
async fn a_handshake_that_is_broken_off_is_tried_again_in_the_run() {
    for mode in MODES {
        let scene = Scene::of().set("ProofpointMode", mode).start().await;
        let events = scene.give(&messages(), last_hour(), 3);
        scene.simulation.pod.reset_connections(1);
        scene.run_well().await;
        assert_eq!(scene.simulation.pod.counters().resets, 1);
        assert_arrived(&scene, EventType::Message, &events);
    }
}

#[tokio::test]
async fn handshakes_that_are_broken_off_again_and_again_are_told() {
    for (mode, halves) in [("hybrid", 2), ("archive", 1)] {
        let scene = Scene::of().set("ProofpointMode", mode).start().await;
        let events = scene.give(&messages(), last_hour(), 3);
        scene.simulation.pod.reset_connections(halves);
        let text = failure(&scene.run_as(of_one_try(&scene)).await, &messages());
        let told = ["can't be reached", "Connection reset by peer", "the next run tries again"];
        assert_tells(&text, &told);
        // The archive has a try, and then the live stream, if there is still time for it.
        let resets = scene.simulation.pod.counters().resets;
        assert!((1..=halves).contains(&resets), "{mode}: {resets}");

        scene.run_well().await;
        assert_arrived(&scene, EventType::Message, &events);
    }
}

#[tokio::test]
async fn an_untrusted_certificate_is_reported_and_not_retried() {
    for mode in MODES {
        let proxy = ConnectProxy::start("ann", "secret").await;
        let address = format!("http://ann:secret@{}", proxy.address());
        let scene = Scene::of()
            .set("ProofpointMode", mode)
            .set("ProofpointProxy", &address)
            .set("NO_PROXY", "")
            .without_connector_table()
            .start()
            .await;
        let events = scene.give(&messages(), last_hour(), 3);
        let path = scene.directory.path().join("another-authority.pem");
        CertificateAuthority::new().and_then(|authority| authority.write_pem(&path)).unwrap();
        let mut run = scene.a_run();
        run.settings.source.net.extra_roots = Some(path);
        let text = failure(&scene.run_as(run).await, &messages());
        assert_tells(&text, &["no TLS connection with localhost:", "SSL_CERT_FILE"]);
        assert_eq!(proxy.answers(), [(200, 1)].into(), "one connection, not tried again");

        scene.run_well().await;
        assert_arrived(&scene, EventType::Message, &events);
    }
}

/// The answer that opens a session, with another `Connection`.
fn with_connection(head: &str, value: &str) -> String {
    let is_connection = |line: &str| line.to_ascii_lowercase().starts_with("connection:");
    let lines = head.split("\r\n").map(|line| match is_connection(line) {
        true => format!("CONNECTION: {value}"),
        false => line.to_owned(),
    });
    lines.collect::<Vec<_>>().join("\r\n")
}

#[tokio::test]
async fn a_session_is_opened_however_the_upgrade_is_spelt() {
    let spellings: [fn(String) -> String; 4] = [
        |head| with_connection(&head, "keep-alive, Upgrade"),
        |head| with_connection(&head, "uPGRADE , Keep-Alive"),
        |head| with_connection(&head, "keep-alive\r\nConnection: upgrade"),
        |head| format!("HTTP/1.1 103 Early Hints\r\nlink: </a>\r\n\r\n{head}"),
    ];
    for (position, change_head) in spellings.into_iter().enumerate() {
        for mode in MODES {
            let builder = Scene::of().set("ProofpointMode", mode);
            let scene = builder.pod(move |pod| pod.change_head = change_head).start().await;
            let events = scene.give(&messages(), last_hour(), 7);
            scene.run_well().await;
            assert_arrived(&scene, EventType::Message, &events);
            assert!(scene.sessions(&messages()).opened > 0, "spelling {position}");
        }
    }
}

#[tokio::test]
async fn an_answer_that_opens_no_websocket_is_told() {
    let builder = Scene::of().pod(|pod| pod.change_head = |head| with_connection(&head, "close"));
    let scene = builder.start().await;
    scene.give(&messages(), last_hour(), 7);
    let text = failure(&scene.run_as(of_one_try(&scene)).await, &messages());
    assert_tells(&text, &["can't be reached", "its `Connection` does not name `Upgrade`"]);
}

#[tokio::test]
async fn types_of_an_account_with_one_session_take_turns() {
    for (mode, reading, hours) in
        [("archive", "catch-up", 1), ("hybrid", "catch-up", 3), ("hybrid", "continuous", 3)]
    {
        let builder = Scene::of().types("message,maillog,audit").set("ProofpointMode", mode);
        let builder = builder.set("ProofpointLive", reading).lookback(hours);
        let scene = builder.pod(|pod| pod.one_session_per_token = true).start().await;
        let types = [EventType::Message, EventType::Maillog, EventType::Audit];
        for run in 0..3 {
            let due = last_hour().plus(1 - i64::from(hours)).through(last_hour());
            for hour in if run == 0 { due.collect() } else { vec![last_hour().plus(run)] } {
                for event_type in types {
                    scene.give(&feed(event_type), hour, 5);
                }
            }
            let report = scene.run().await;
            for feed in &report.feeds {
                assert_eq!(feed.outcome, FeedOutcome::UpToDate, "{mode}, {reading}: {feed}");
            }
            let rows = usize::try_from(run).unwrap() + hours as usize;
            for event_type in types {
                assert_eq!(scene.rows(event_type).len(), 5 * rows, "{mode}: {event_type}");
            }
            scene.advance(60);
        }
        for event_type in types {
            assert_eq!(scene.sessions(&feed(event_type)).most_open, 1);
        }
    }
}
