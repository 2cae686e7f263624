//! Which hours are read, when, and when one counts as done.

use std::time::Duration;

use bytes::Bytes;
use jiff::SignedDuration;
use proofpoint_sentinel::collect::Run;
use proofpoint_sentinel::pod::SessionTimeouts;
use proofpoint_sentinel::report::FeedOutcome;
use proofpoint_sentinel::state::{HourAttempt, RecordedEnd};
use proofpoint_sentinel_core::feed::{EventType, Feed};
use proofpoint_sentinel_core::hour::Hour;
use proofpoint_sentinel_simulator::pod::{RefusedHandshake, SessionFault};
use proofpoint_sentinel_simulator::workspace::{PostFault, ResponseGate};
use tokio::time::Instant;

use crate::e2e::fixture::{Scene, feed, hour, last_hour, messages, of_feed, soon};
use crate::e2e::row_assertions::{ObjectMembers, assert_arrived};
use crate::e2e::test_events;

/// The hours before the last one that is due, and that one, oldest first.
fn last_hours(count: i64) -> Vec<Hour> {
    last_hour().plus(1 - count).through(last_hour()).collect()
}

fn sorted(hours: &[Hour]) -> Vec<Hour> {
    let mut hours = hours.to_vec();
    hours.sort();
    hours
}

/// Puts `count` events into each of `hours`.
fn fill(scene: &Scene, feed: &Feed, hours: &[Hour], count: usize) -> Vec<Bytes> {
    hours.iter().flat_map(|hour| scene.give(feed, *hour, count)).collect()
}

/// Hours of `feed` that are on record to be read again.
async fn again(scene: &Scene, feed: &Feed) -> Vec<HourAttempt> {
    scene.checkpoint(feed).await.expect("the run wrote it").retry
}

#[tokio::test]
async fn the_first_run_reads_every_due_hour_once_and_the_second_none() {
    let scene = Scene::of().types("message,maillog,audit").lookback(4).start().await;
    let given = EventType::ALL.map(|event_type| {
        let feed = feed(event_type);
        scene.give(&feed, hour("2026-11-20T05"), 3);
        let events = fill(&scene, &feed, &last_hours(4), 7);
        scene.give(&feed, last_hour().plus(1), 3);
        (feed, events)
    });

    let report = scene.run_well().await;
    for (feed, events) in &given {
        assert_arrived(&scene, feed.event_type().unwrap(), events);
        assert_eq!(sorted(&of_feed(&report, feed).hours_done), last_hours(4));
        assert_eq!(of_feed(&report, feed).hours_waiting, 0);
        let sessions = scene.sessions(feed);
        assert_eq!((sessions.opened, sessions.most_open, sessions.closed), (4, 1, 4));
        let checkpoint = scene.checkpoint(feed).await.unwrap();
        assert_eq!(checkpoint.next_hour, last_hour().plus(1));
        assert_eq!((checkpoint.retry, checkpoint.lost), (vec![], vec![]));
    }

    let report = scene.run_well().await;
    for (feed, events) in &given {
        assert_arrived(&scene, feed.event_type().unwrap(), events);
        assert_eq!(of_feed(&report, feed).counts.events, 0);
        assert_eq!(scene.sessions(feed).opened, 4);
    }
}

#[tokio::test]
async fn the_newest_and_the_oldest_hour_take_turns() {
    let scene = Scene::of().lookback(6).start().await;
    fill(&scene, &messages(), &last_hours(6), 2);
    scene.run_well().await;
    let rows = scene.rows(EventType::Message);
    let times =
        rows.iter().map(|row| ObjectMembers::of(row).text("eventTime").unwrap()[..13].to_owned());
    let hours = last_hours(6);
    let expected = [5, 0, 4, 1, 3, 2].into_iter().flat_map(|position| {
        let hour = hours[position].to_string();
        [hour.clone(), hour]
    });
    assert!(times.eq(expected), "{rows:#?}");
}

#[tokio::test]
async fn feeds_are_read_side_by_side() {
    let scene = Scene::of().types("message,maillog,audit").start().await;
    for event_type in EventType::ALL {
        scene.give(&feed(event_type), last_hour(), 3);
    }
    let gate = ResponseGate::default();
    scene.simulation.workspace.inject(vec![PostFault::Hold(gate.clone()); 3]);
    let together = async {
        scene.simulation.workspace.wait_for(|counters| counters.in_flight == 3).await;
        gate.open();
    };
    let (_, ()) = tokio::join!(scene.run_well(), soon(together));
}

#[tokio::test]
async fn an_hour_is_due_45_minutes_after_its_end() {
    let scene = Scene::new().await;
    let first = scene.give(&messages(), last_hour(), 2);
    let second = scene.give(&messages(), last_hour().plus(1), 2);
    scene.run_well().await;
    // From 10:50 to 11:44, and to 11:45.
    scene.advance(54);
    assert_eq!(scene.run_well().await.feeds[0].hours_done, []);
    assert_arrived(&scene, EventType::Message, &first);
    scene.advance(1);
    assert_eq!(scene.run_well().await.feeds[0].hours_done, [last_hour().plus(1)]);
    assert_arrived(&scene, EventType::Message, &[first, second].concat());
}

#[tokio::test]
async fn an_empty_hour_is_read_three_times_an_hour_apart() {
    let scene = Scene::new().await;
    let (empty, full) = (last_hour(), [1, 2, 3].map(|later| last_hour().plus(later)));
    let others = fill(&scene, &messages(), &full, 1);

    let report = scene.run_well().await;
    assert_eq!((&report.feeds[0].hours_done, report.feeds[0].hours_waiting), (&vec![], 1));
    let expected = HourAttempt {
        hour: empty,
        attempts: 1,
        empty_reads: 1,
        not_before: "2026-11-20T11:50:00Z".parse().unwrap(),
        last_events: 0,
        last_end: RecordedEnd::Closed(Some(1000)),
    };
    assert_eq!(again(&scene, &messages()).await, [expected]);
    scene.advance(54);
    let report = scene.run_well().await;
    assert_eq!((scene.sessions(&messages()).opened, report.feeds[0].hours_waiting), (1, 1));

    scene.advance(6);
    assert_eq!(scene.run_well().await.feeds[0].hours_done, [full[0]]);
    assert_eq!(again(&scene, &messages()).await[0].empty_reads, 2);
    scene.advance(60);
    let report = scene.run_well().await;
    assert_eq!(report.feeds[0].hours_done, [empty, full[1]]);
    assert_eq!((scene.sessions(&messages()).opened, report.feeds[0].hours_waiting), (5, 0));
    scene.advance(60);
    assert_eq!(scene.run_well().await.feeds[0].hours_done, [full[2]]);
    assert_arrived(&scene, EventType::Message, &others);
}

#[tokio::test]
async fn an_hour_that_comes_late_into_the_archive_is_read_whole() {
    let settle = jiff::SignedDuration::from_mins(120);
    let scene = Scene::of().pod(move |pod| pod.archive_delay = settle).start().await;
    let events = scene.give(&messages(), last_hour(), 5);
    for _ in 0..2 {
        let report = scene.run_well().await;
        assert_eq!(report.feeds[0].counts.events, 0);
        scene.advance(60);
    }
    let report = scene.run_well().await;
    assert_eq!(report.feeds[0].hours_done, [last_hour()]);
    assert_arrived(&scene, EventType::Message, &events);
}

#[tokio::test]
async fn an_hour_that_only_seemed_empty_is_read_whole() {
    let scene = Scene::of().lookback(2).start().await;
    let events = fill(&scene, &messages(), &last_hours(2), 5);
    scene.simulation.pod.inject(&messages(), [SessionFault::FalseEmpty]);
    let report = scene.run_well().await;
    let other = last_hour().plus(-1);
    assert_eq!(report.feeds[0].hours_done, [other], "the other hour is not held up");
    scene.advance(60);
    let report = scene.run().await;
    assert_eq!(report.feeds[0].hours_done, [last_hour()]);
    assert_arrived(&scene, EventType::Message, &events);
}

#[tokio::test]
async fn clusters_are_read_each_with_its_own_token() {
    let ids = ["acme_hosted", "acme_emea_hosted"];
    let scene = Scene::of().clusters(&ids).lookback(2).start().await;
    let mut all = Vec::new();
    for id in ids {
        let feed = Feed::log(id, EventType::Message);
        all.extend(fill(&scene, &feed, &last_hours(2), 4));
    }
    let report = scene.run_well().await;
    let parts: Vec<_> =
        report.feeds.iter().map(|part| (part.cluster.as_str(), part.counts.delivered)).collect();
    assert_eq!(parts, [("2", 8), ("default", 8)]);
    assert_arrived(&scene, EventType::Message, &all);
}

#[tokio::test]
async fn hours_that_proofpoint_dropped_meanwhile_are_named() {
    let scene = Scene::new().await;
    scene.give(&messages(), last_hour(), 1);
    scene.run_well().await;
    scene.advance(31 * 24 * 60);
    let run = Run { reading_ends: Instant::now(), ..scene.a_run() };
    let report = scene.run_as(run).await;
    // Thirty days before 2026-12-21T10:50 the hour of 10:00 had begun already.
    let lost: Vec<Hour> = hour("2026-11-20T10").through(hour("2026-11-21T10")).collect();
    assert_eq!(report.feeds[0].hours_lost, lost);
    assert_eq!(report.feeds[0].outcome, FeedOutcome::Unfinished);
    assert_eq!(scene.sessions(&messages()).opened, 1);
    let checkpoint = scene.checkpoint(&messages()).await.unwrap();
    assert_eq!((checkpoint.lost, checkpoint.next_hour), (lost, hour("2026-11-21T11")));
}

#[tokio::test]
async fn an_hour_refused_at_the_end_of_retention_is_lost() {
    let scene = Scene::of().lookback(719).start().await;
    let oldest = last_hour().plus(-718);
    let too_old = SessionFault::Refuse(RefusedHandshake::new(400, "Too old"));
    // The newest hour is read first, then the oldest one is refused.
    scene.simulation.pod.inject(&messages(), [SessionFault::FalseEmpty, too_old]);
    let run = scene.a_run();
    let stop = run.stop.clone();
    let stopped = async {
        scene.simulation.pod.wait_for(|counters| counters.feed(&messages()).opened > 1).await;
        stop.cancel();
    };
    let (report, ()) = tokio::join!(scene.run_as(run), soon(stopped));
    assert_eq!(report.feeds[0].hours_lost, [oldest]);
    assert_eq!(scene.checkpoint(&messages()).await.unwrap().lost, [oldest]);
}

#[tokio::test]
async fn the_look_back_counts_from_the_first_run_though_that_failed() {
    let scene = Scene::of().lookback(2).start().await;
    let events = fill(&scene, &messages(), &last_hours(2), 4);
    let refused = || SessionFault::Refuse(RefusedHandshake::new(401, "Unauthorized"));
    scene.simulation.pod.inject(&messages(), [refused(), refused()]);
    for _ in 0..2 {
        assert!(!scene.run().await.is_success());
        scene.advance(24 * 60);
    }
    scene.run().await;
    assert_arrived(&scene, EventType::Message, &events);
}

#[tokio::test]
async fn an_hour_that_is_cut_short_is_on_record_and_read_again() {
    let scene = Scene::new().await;
    let events = scene.give(&messages(), last_hour(), 50);
    scene.simulation.pod.inject(&messages(), [SessionFault::CutAfter(20)]);
    let report = scene.run_well().await;
    assert_eq!((&report.feeds[0].hours_done, report.feeds[0].hours_waiting), (&vec![], 1));
    let attempts = again(&scene, &messages()).await;
    let [HourAttempt { hour, attempts: 1, last_events, last_end, .. }] = &attempts[..] else {
        panic!("{attempts:?}");
    };
    assert_eq!((*hour, last_end), (last_hour(), &RecordedEnd::Cut));

    let report = scene.run_well().await;
    assert_eq!(report.feeds[0].hours_done, [last_hour()]);
    assert_eq!(report.feeds[0].counts.duplicates, *last_events);
    assert_arrived(&scene, EventType::Message, &events);
}

#[tokio::test]
async fn only_code_1000_means_that_all_was_sent() {
    let scene = Scene::of().lookback(3).start().await;
    let events = fill(&scene, &messages(), &last_hours(3), 10);
    let codes = [Some(1001), Some(1011), None];
    scene.simulation.pod.inject(&messages(), codes.map(|code| SessionFault::CloseAfter(5, code)));
    let report = scene.run_well().await;
    let expected = ["closed with 1001", "closed with 1011", "closed without a code"];
    assert_eq!(report.feeds[0].ends, expected.map(|end| (format!("archive {end}"), 1)).into());
    let attempts = again(&scene, &messages()).await;
    let record: Vec<_> =
        attempts.iter().map(|a| (a.hour, a.last_events, a.last_end.clone())).collect();
    let hours = last_hours(3);
    // The newest one is read first, then the oldest one.
    let expected = [(0, codes[1]), (1, codes[2]), (2, codes[0])];
    assert_eq!(record, expected.map(|(at, code)| (hours[at], 5, RecordedEnd::Closed(code))));

    assert_eq!(sorted(&scene.run_well().await.feeds[0].hours_done), hours);
    assert_arrived(&scene, EventType::Message, &events);
}

#[tokio::test]
async fn an_end_without_close_is_accepted_after_two_equal_reads() {
    let scene = Scene::new().await;
    let events = scene.give(&messages(), last_hour(), 10);
    scene.simulation.pod.inject(&messages(), [SessionFault::EndByEof, SessionFault::EndByEof]);
    assert_eq!(scene.run_well().await.feeds[0].hours_done, []);
    let attempts = again(&scene, &messages()).await;
    assert_eq!((attempts[0].last_events, &attempts[0].last_end), (10, &RecordedEnd::Cut));
    assert_eq!(scene.run_well().await.feeds[0].hours_done, [last_hour()]);
    assert_arrived(&scene, EventType::Message, &events);
}

#[tokio::test]
async fn a_stalled_session_is_closed_and_its_hour_read_again() {
    let scene =
        Scene::of().pod(|pod| pod.slot_release_delay = Duration::from_secs(3600)).start().await;
    let events = scene.give(&messages(), last_hour(), 10);
    scene.simulation.pod.inject(&messages(), [SessionFault::StallAfter(4)]);
    let timeouts = SessionTimeouts {
        ping: Duration::from_millis(40),
        no_event: Duration::from_millis(400),
        ..SessionTimeouts::default()
    };
    let report = scene.run_as(Run { timeouts, ..scene.a_run() }).await;
    assert_eq!(report.feeds[0].ends, [("archive stalled".to_owned(), 1)].into());
    assert_eq!(again(&scene, &messages()).await[0].last_events, 4);
    // The server still holds the session: only a close frame frees the token's place.
    let counters = soon(scene.simulation.pod.wait_for(|counters| counters.open() == 0)).await;
    let sessions = counters.feed(&messages());
    assert!(sessions.pings > 0, "the server was asked whether it is there");
    assert_eq!((sessions.closed, sessions.dropped), (1, 0));

    assert_eq!(scene.run_well().await.feeds[0].hours_done, [last_hour()]);
    assert_arrived(&scene, EventType::Message, &events);
}

#[tokio::test]
async fn an_event_that_comes_again_is_delivered_once() {
    let scene = Scene::of().lookback(2).start().await;
    let [first, second] = last_hours(2)[..] else { panic!("two hours were asked for") };
    let events = scene.give(&messages(), first, 8);
    scene.give_events(&messages(), first, events[2..5].to_vec());
    scene.give_events(&messages(), second, events[6..].to_vec());
    let report = scene.run_well().await;
    let counts = &report.feeds[0].counts;
    assert_eq!((counts.events, counts.duplicates, counts.delivered), (13, 5, 8));
    assert_arrived(&scene, EventType::Message, &events);
}

#[tokio::test]
async fn the_ledger_is_kept_for_72_hours_after_an_hour() {
    let scene = Scene::new().await;
    scene.give(&messages(), last_hour(), 3);
    scene.run_well().await;
    let segments = |scene: &Scene| {
        let hour = scene.state_path(&format!("ledger/{}/{}", messages(), last_hour()));
        std::fs::read_dir(hour).map_or(0, Iterator::count)
    };
    // The hours in between are empty, and read three times. Till then the first of them is
    // unfinished, and may have events of the hour before it.
    for (hours, expected) in [(71, 1), (2, 1), (2, 0)] {
        scene.advance(hours * 60);
        let newest = Hour::newest_due(scene.now(), SignedDuration::from_mins(45));
        scene.give(&messages(), newest, 1);
        scene.run_well().await;
        assert_eq!(segments(&scene), expected, "{hours} hours later");
    }
}

#[tokio::test]
async fn archive_accepts_binary_empty_and_line_feed_frames_and_pings() {
    let scene = Scene::of().lookback(4).start().await;
    let events = fill(&scene, &messages(), &last_hours(4), 12);
    let faults = [
        SessionFault::BinaryFrames,
        SessionFault::EmptyFrames,
        SessionFault::TrailingNewline,
        SessionFault::PingEvery(3),
    ];
    scene.simulation.pod.inject(&messages(), faults);
    assert_eq!(sorted(&scene.run_well().await.feeds[0].hours_done), last_hours(4));
    assert_arrived(&scene, EventType::Message, &events);
    assert_eq!(scene.sessions(&messages()).pongs, 4);
}

#[tokio::test]
async fn a_message_over_a_mebibyte_is_an_event_like_any_other() {
    let scene = Scene::new().await;
    let large = test_events::with_parts("large", &format!("[\"{}\"]", "x".repeat(2 << 20)));
    let small = test_events::small(&messages(), last_hour(), 3);
    scene.give_events(&messages(), last_hour(), vec![large]);
    scene.give_events(&messages(), last_hour(), small.clone());
    let report = scene.run_well().await;
    assert_eq!(report.feeds[0].hours_done, [last_hour()]);
    assert_eq!((report.feeds[0].counts.events, report.feeds[0].counts.oversize), (4, 1));
    let ids: Vec<_> = scene
        .rows(EventType::Message)
        .iter()
        .map(|row| ObjectMembers::of(row).text("guid").unwrap())
        .collect();
    assert_eq!(ids.len(), 4);
    assert!(ids.contains(&"large".to_owned()), "{ids:?}");
}
