//! The live stream: what it brings, what the archive adds, and how the two share a run.

use std::time::Duration;

use bytes::Bytes;
use jiff::{SignedDuration, Timestamp};
use proofpoint_sentinel::collect::Run;
use proofpoint_sentinel::report::FeedOutcome;
use proofpoint_sentinel::state::{DeadLetterReason, RecordedEnd};
use proofpoint_sentinel_core::feed::EventType;
use proofpoint_sentinel_core::hour::Hour;
use proofpoint_sentinel_simulator::pod::{RefusedHandshake, SessionFault, SourceEvent};
use tokio::time::Instant;

use crate::e2e::fixture::{
    Scene, ends, failure, from_minute, last_hour, messages, of_feed, soon, this_hour,
};
use crate::e2e::row_assertions::{ObjectMembers, assert_arrived};
use crate::e2e::test_events;

#[tokio::test]
async fn a_first_run_reads_the_archive_and_then_the_live_stream() {
    let scene = Scene::hybrid().start().await;
    let (hour, messages) = (last_hour(), messages());
    // The live stream reaches back to 09:50, and the hour 09 is due.
    let early = scene.give_events(&messages, hour, from_minute(hour, 20, 30));
    let both = scene.give_events(&messages, hour, from_minute(hour, 55, 20));
    let newest = scene.give_events(&messages, this_hour(), from_minute(this_hour(), 40, 10));
    let report = scene.run_well().await;
    assert_arrived(&scene, EventType::Message, &[&early[..], &both, &newest].concat());
    // A first run reads the archive first, so the live stream brings only the newest.
    assert_eq!(rows_by(&scene, "live").len(), newest.len());
    assert_eq!(rows_by(&scene, "archive").len(), early.len() + both.len());

    let report = of_feed(&report, &messages);
    let counts = &report.counts;
    assert_eq!((counts.events, counts.delivered, counts.duplicates), (80, 60, 20));
    assert_eq!(report.repaired, 0, "the live stream had not had its turn");
    assert_eq!(report.hours_done, [hour]);
    assert_eq!(ends(report), [("archive closed with 1000", 1), ("live quiet", 1)]);
    assert_eq!(report.lag.map(|lag| lag.as_secs()), Some(10 * 60 - 10));
    let sessions = scene.sessions(&messages);
    assert_eq!((sessions.live_opened, sessions.archive_opened), (1, 1));
    assert_eq!((sessions.most_open, sessions.closed, sessions.dropped), (1, 2, 0));
    let live = scene.checkpoint(&messages).await.unwrap().live.unwrap();
    assert_eq!((live.ended, live.end), (scene.now(), RecordedEnd::Quiet));
}

/// The rows that say that they were collected in this way.
fn rows_by(scene: &Scene, by: &str) -> Vec<ObjectMembers> {
    let rows = scene.rows(EventType::Message).into_iter().map(|row| ObjectMembers::of(&row));
    rows.filter(|row| row.text("CollectedBy").as_deref() == Some(by)).collect()
}

#[tokio::test]
async fn the_next_run_goes_on_where_the_last_one_ended() {
    let scene = Scene::hybrid().start().await;
    let first = scene.give_events(&messages(), this_hour(), from_minute(this_hour(), 40, 10));
    scene.run_well().await;
    scene.advance(5);
    let second = scene.give_events(&messages(), this_hour(), from_minute(this_hour(), 52, 10));
    let report = scene.run_well().await;
    let counts = &of_feed(&report, &messages()).counts;
    assert_eq!((counts.events, counts.delivered), (10, 10));
    assert_arrived(&scene, EventType::Message, &[first, second].concat());
}

#[tokio::test]
async fn what_live_lacks_is_repaired_when_the_hour_is_closed() {
    let scene = Scene::hybrid().start().await;
    let seen = scene.give_events(&messages(), this_hour(), from_minute(this_hour(), 40, 10));
    let missing: Vec<Bytes> = from_minute(this_hour(), 30, 3);
    scene.source.add(
        &messages(),
        missing.iter().map(|event| SourceEvent {
            live: false,
            ..SourceEvent::new(event.clone(), this_hour())
        }),
    );
    scene.run_well().await;
    assert_eq!(scene.rows(EventType::Message).len(), 10);
    scene.advance(60);
    let report = scene.run_well().await;
    let report = of_feed(&report, &messages());
    assert_eq!((report.repaired, report.counts.duplicates), (3, 10));
    assert_eq!(report.hours_done, [this_hour()]);
    assert_arrived(&scene, EventType::Message, &[seen, missing].concat());
}

#[tokio::test]
async fn live_delivers_an_event_that_comes_after_its_hour() {
    let scene = Scene::hybrid().start().await;
    scene.give(&messages(), last_hour(), 5);
    scene.run_well().await;
    let late = from_minute(last_hour(), 20, 2);
    let arrives = scene.now() + SignedDuration::from_mins(3);
    scene.source.add(
        &messages(),
        late.iter().map(|event| SourceEvent {
            arrives_at: arrives,
            ..SourceEvent::new(event.clone(), last_hour())
        }),
    );
    scene.advance(5);
    let report = scene.run_well().await;
    let report = of_feed(&report, &messages());
    assert_eq!((report.counts.delivered, report.repaired), (2, 0));
}

#[tokio::test]
async fn the_second_read_finds_what_came_while_live_was_unread() {
    let scene = Scene::hybrid().start().await;
    scene.give(&messages(), last_hour(), 5);
    scene.run_well().await;
    let late = from_minute(last_hour(), 20, 2);
    let arrives = scene.now() + SignedDuration::from_mins(30);
    scene.source.add(
        &messages(),
        late.iter().map(|event| SourceEvent {
            arrives_at: arrives,
            ..SourceEvent::new(event.clone(), last_hour())
        }),
    );
    // Away for longer than the live stream reaches back.
    scene.advance(7 * 60);
    let report = scene.run_well().await;
    let report = of_feed(&report, &messages());
    assert_eq!(report.hours_checked, [last_hour()]);
    assert_eq!((report.counts.delivered, report.repaired), (2, 2));
    assert_eq!(scene.rows(EventType::Message).len(), 7);
    assert_eq!(scene.checkpoint(&messages()).await.unwrap().second.first(), None);
}

#[tokio::test]
async fn a_second_reading_that_is_falsely_empty_is_not_believed() {
    let scene = Scene::hybrid().start().await;
    let timely = scene.give(&messages(), last_hour(), 5);
    scene.run_well().await;
    let late = from_minute(last_hour(), 20, 2);
    let arrives = scene.now() + SignedDuration::from_mins(30);
    let event = |event: &Bytes| SourceEvent {
        arrives_at: arrives,
        ..SourceEvent::new(event.clone(), last_hour())
    };
    scene.source.add(&messages(), late.iter().map(event));
    scene.advance(7 * 60);
    // The seven hours since then are truly empty, and are read before.
    scene.simulation.pod.inject_archive(&messages(), vec![SessionFault::FalseEmpty; 8]);
    let report = scene.run_well().await;
    assert_eq!(of_feed(&report, &messages()).hours_checked, []);
    assert_arrived(&scene, EventType::Message, &timely);
    scene.advance(60);
    let report = scene.run_well().await;
    assert_eq!(of_feed(&report, &messages()).hours_done, [last_hour()]);
    assert_arrived(&scene, EventType::Message, &[timely, late].concat());
}

#[tokio::test]
async fn the_archive_knows_an_undated_event_that_live_brought() {
    let scene = Scene::hybrid().start().await;
    // It arrives with the last second of the hour, and is read live in the next one.
    let event = Bytes::from(r#"{"guid":"g","msgParts":[]}"#);
    scene.give_events(&messages(), last_hour(), vec![event.clone()]);
    let report = scene.run_well().await;
    let counts = &of_feed(&report, &messages()).counts;
    assert_eq!((counts.events, counts.duplicates), (2, 1));
    assert_arrived(&scene, EventType::Message, &[event]);
}

#[tokio::test]
async fn an_event_that_can_be_no_row_is_kept_once() {
    let scene = Scene::hybrid().start().await;
    let events = vec![Bytes::from("no event"), Bytes::from_static(b"{\"guid\":\"\xff\"")];
    scene.give_events(&messages(), last_hour(), events);
    let report = scene.run_well().await;
    let counts = &of_feed(&report, &messages()).counts;
    assert_eq!((counts.events, counts.malformed, counts.duplicates), (4, 2, 2));
    // The second reading.
    scene.advance(7 * 60);
    let report = scene.run_well().await;
    let report = of_feed(&report, &messages());
    assert_eq!(report.hours_checked, [last_hour()]);
    assert_eq!((report.counts.malformed, report.counts.duplicates), (0, 2));
    assert_eq!(scene.dead_letters(DeadLetterReason::Malformed, &messages()).len(), 2);
}

#[tokio::test]
async fn sessions_that_end_are_followed_by_others_in_the_same_run() {
    let scene = Scene::hybrid().start().await;
    let events = scene.give_events(&messages(), this_hour(), from_minute(this_hour(), 10, 60));
    let faults = [
        SessionFault::CloseAfter(10, Some(1000)),
        SessionFault::CloseAfter(10, Some(1001)),
        SessionFault::CloseAfter(10, None),
        SessionFault::CutAfter(10),
    ];
    scene.simulation.pod.inject_live(&messages(), faults);
    let report = scene.run_well().await;
    let report = of_feed(&report, &messages());
    assert_arrived(&scene, EventType::Message, &events);
    let live: Vec<_> =
        ends(report).into_iter().filter(|(end, _)| end.starts_with("live")).collect();
    let expected = [
        ("live closed with 1000", 1),
        ("live closed with 1001", 1),
        ("live closed without a code", 1),
        ("live cut", 1),
        ("live quiet", 1),
    ];
    assert_eq!(live, expected);
}

#[tokio::test]
async fn a_ghost_of_our_own_is_waited_for() {
    let ghost = Duration::from_secs(3);
    let scene = Scene::hybrid().pod(move |pod| pod.slot_release_delay = ghost).start().await;
    let events = scene.give_events(&messages(), this_hour(), from_minute(this_hour(), 10, 20));
    scene.simulation.pod.inject_live(&messages(), [SessionFault::CutAfter(10)]);
    scene.run_well().await;
    assert_arrived(&scene, EventType::Message, &events);
    assert!(scene.sessions(&messages()).refused > 0, "the ghost was met");
}

#[tokio::test]
async fn a_token_that_stays_busy_leaves_the_feed_to_the_next_run() {
    let scene = Scene::hybrid().start().await;
    let events = scene.give(&messages(), last_hour(), 5);
    let busy = || SessionFault::Refuse(RefusedHandshake::second_session());
    // One try at once and one two seconds later; the next would come after the time is up.
    scene.simulation.pod.inject(&messages(), [busy(), busy()]);
    let reading_ends = Instant::now() + Duration::from_secs(5);
    let report = scene.run_as(Run { reading_ends, ..scene.a_run() }).await;
    let failure = failure(&report, &messages());
    assert!(failure.contains("one of ours whose end the server has not noticed yet"), "{failure}");
    assert_eq!(scene.sessions(&messages()).opened, 0);
    scene.run_well().await;
    assert_arrived(&scene, EventType::Message, &events);
}

#[tokio::test]
async fn the_archive_is_read_while_the_live_service_alone_is_down() {
    let scene = Scene::hybrid().start().await;
    let events = scene.give(&messages(), last_hour(), 5);
    let cut = || SessionFault::CutAfter(0);
    scene.simulation.pod.inject_live(&messages(), [cut(), cut(), cut(), cut()]);
    let reading_ends = Instant::now() + Duration::from_secs(60);
    let report = scene.run_as(Run { reading_ends, ..scene.a_run() }).await;
    let failure = failure(&report, &messages());
    assert!(failure.contains("live sessions end as soon as they begin"), "{failure}");
    assert!(failure.contains("until then events come from the archive"), "{failure}");
    assert_arrived(&scene, EventType::Message, &events);
}

#[tokio::test]
async fn after_an_outage_live_comes_first_and_then_newest_and_oldest() {
    let scene = Scene::hybrid().start().await;
    scene.run_well().await;
    let hours: Vec<Hour> = this_hour().through(this_hour().plus(4)).collect();
    let given: Vec<Bytes> =
        hours.iter().flat_map(|hour| scene.give(&messages(), *hour, 10)).collect();
    let now = this_hour().plus(5);
    let newest = scene.give_events(&messages(), now, from_minute(now, 10, 10));
    scene.advance(5 * 60);
    let report = scene.run_well().await;
    let report = of_feed(&report, &messages());
    assert_eq!(report.hours_done, [4, 0, 3, 1, 2].map(|position| hours[position]));
    assert_arrived(&scene, EventType::Message, &[given, newest.clone()].concat());
    let rows = scene.rows(EventType::Message);
    let first = test_events::id(&messages(), now, 10 * 60);
    assert!(rows[0].contains(&first), "{}", rows[0]);
}

#[tokio::test]
async fn a_stream_that_is_never_quiet_leaves_time_for_the_archive() {
    let scene = Scene::hybrid().pod(|pod| pod.events_per_second = Some(40)).start().await;
    let old = scene.give_events(&messages(), last_hour(), from_minute(last_hour(), 10, 5));
    scene.give_events(&messages(), this_hour(), from_minute(this_hour(), 5, 2_000));
    let reading_ends = Instant::now() + Duration::from_secs(6);
    let report = scene.run_as(Run { reading_ends, ..scene.a_run() }).await;
    let report = of_feed(&report, &messages());
    assert_eq!(report.hours_done, [last_hour()]);
    assert!(report.counts.delivered > old.len() as u64, "live had its turn too: {report:?}");
    assert!(report.ends.contains_key("live out of time"), "{report:?}");
}

#[tokio::test]
async fn rows_of_a_slow_stream_do_not_wait_for_a_full_batch() {
    let scene = Scene::hybrid().without_connector_table().start().await;
    // The first run reads the archive before, which is empty.
    scene.run_well().await;
    scene.give_events(&messages(), this_hour(), from_minute(this_hour(), 10, 3));
    let mut run = scene.a_run();
    run.settings.source.live_quiet = Duration::from_secs(280);
    let stop = run.stop.clone();
    let delivered = async {
        soon(scene.simulation.workspace.wait_for(|counters| counters.rows == 3)).await;
        stop.cancel();
    };
    let (report, ()) = tokio::join!(scene.run_as(run), delivered);
    assert_eq!(of_feed(&report, &messages()).outcome, FeedOutcome::Unfinished);
    assert_eq!(scene.sessions(&messages()).closed, 3);
}

#[tokio::test]
async fn the_mode_live_of_release_0_1_0_reads_the_archive_too() {
    let scene = Scene::hybrid().set("ProofpointMode", "live").start().await;
    let older = scene.give(&messages(), last_hour(), 5);
    let newest = scene.give_events(&messages(), this_hour(), from_minute(this_hour(), 40, 10));
    scene.run_well().await;
    assert_eq!(scene.sessions(&messages()).archive_opened, 1);
    assert_arrived(&scene, EventType::Message, &[older, newest].concat());
}

#[tokio::test]
async fn the_status_of_a_feed_lies_beside_its_checkpoint() {
    let scene = Scene::hybrid().start().await;
    scene.give(&messages(), last_hour(), 5);
    scene.run_well().await;
    let path = scene.state_path(&format!("status/{}.json", messages()));
    let status: serde_json::Value = serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap();
    assert_eq!((&status["delivered"], &status["outcome"]), (&5.into(), &"up_to_date".into()));
    let finished: Timestamp = status["finished"].as_str().unwrap().parse().unwrap();
    assert_eq!(finished, scene.now());
}
