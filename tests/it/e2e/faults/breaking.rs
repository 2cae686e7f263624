//! Sessions that break: a live one is followed by another in the same run, and the hour of one with
//! the archive is read again.

use std::time::Duration;

use proofpoint_sentinel::collect::Run;
use proofpoint_sentinel::pod::SessionTimeouts;
use proofpoint_sentinel::report::FeedOutcome;
use proofpoint_sentinel_core::feed::EventType;
use proofpoint_sentinel_simulator::pod::SessionFault;

use crate::e2e::fixture::{
    Scene, assert_tells, ends, failure, from_minute, last_hour, messages, of_feed, soon, this_hour,
};
use crate::e2e::row_assertions::assert_arrived;

/// How many events come before a session breaks.
const EARLY: u64 = 10;

const NOT_UTF8: &str = "invalid data: UTF-8 encoding error: invalid utf-8 sequence";
const TOO_LONG: &str = "invalid data: a message of 68157440 bytes, over the limit of 67108864";

fn as_it_is(_: &mut Run) {}

/// Gives up a connection soon that nothing comes over, and before it counts as quiet.
fn impatiently(run: &mut Run) {
    run.timeouts = SessionTimeouts {
        ping: Duration::from_millis(50),
        silence: Duration::from_millis(700),
        close: Duration::from_millis(50),
        ..SessionTimeouts::default()
    };
    run.settings.source.live_quiet = Duration::from_millis(1500);
}

/// A run whose first live session does as `fault` says and is then over, which the report calls
/// `end`. Another session of the same run goes on. What the first one took with it comes when the
/// hour is closed, and nothing else does; how much it was is given back.
async fn broken_live(fault: SessionFault, end: &str, change: fn(&mut Run)) -> u64 {
    let scene = Scene::hybrid().start().await;
    let mut events = scene.give_events(&messages(), this_hour(), from_minute(this_hour(), 10, 11));
    scene.simulation.pod.inject_live(&messages(), [fault]);
    let another = async {
        let pod = &scene.simulation.pod;
        soon(pod.wait_for(|all| all.feed(&messages()).live_opened == 2)).await;
        scene.give_events(&messages(), this_hour(), from_minute(this_hour(), 20, 10))
    };
    let mut run = scene.a_run();
    change(&mut run);
    let (report, later) = tokio::join!(scene.run_as(run), another);
    events.extend(later);
    let report = of_feed(&report, &messages());
    assert_eq!(report.outcome, FeedOutcome::UpToDate);
    let mut live = ends(report);
    live.retain(|(end, _)| end.starts_with("live"));
    live.sort_by_key(|(end, _)| *end == "live quiet");
    let [(broken, 1), ("live quiet", 1)] = live[..] else { panic!("{live:?}") };
    assert!(broken.starts_with(&format!("live {end}")), "{broken}");
    let taken = events.len() as u64 - report.counts.delivered;

    scene.advance(60);
    let report = scene.run_well().await;
    let report = of_feed(&report, &messages());
    assert_eq!((&report.hours_done[..], report.repaired), (&[this_hour()][..], taken));
    assert_arrived(&scene, EventType::Message, &events);
    taken
}

#[tokio::test]
async fn live_goes_on_after_a_cut() {
    assert_eq!(broken_live(SessionFault::CutAfter(EARLY), "cut", as_it_is).await, 0);
}

#[tokio::test]
async fn live_goes_on_after_a_reset_and_what_that_took_is_repaired() {
    let taken = broken_live(SessionFault::ResetAfter(EARLY), "cut", as_it_is).await;
    assert!(taken <= EARLY, "{taken}");
}

#[tokio::test]
async fn live_goes_on_after_a_cut_event_and_a_repair_brings_it() {
    assert_eq!(broken_live(SessionFault::CutWithinEvent(EARLY), "cut", as_it_is).await, 1);
}

#[tokio::test]
async fn live_goes_on_after_a_close_with_an_error() {
    let fault = SessionFault::CloseAfter(EARLY, Some(1011));
    assert_eq!(broken_live(fault, "closed with 1011", as_it_is).await, 0);
}

#[tokio::test]
async fn live_goes_on_after_a_connection_that_went_dead() {
    assert_eq!(broken_live(SessionFault::HalfOpenAfter(EARLY), "stalled", impatiently).await, 0);
}

#[tokio::test]
async fn live_goes_on_after_text_that_is_not_utf8() {
    // The event behind it was on its way when the session had to be ended.
    assert_eq!(broken_live(SessionFault::NotUtf8After(EARLY), NOT_UTF8, as_it_is).await, 1);
}

#[tokio::test]
async fn live_goes_on_behind_a_message_over_the_limit() {
    assert_eq!(broken_live(SessionFault::OversizedAfter(EARLY), TOO_LONG, as_it_is).await, 0);
}

/// A run whose session for an hour does as `fault` says and is then over, which the report calls
/// `end`. What came is delivered at once, and the next run reads the hour again. How much came is
/// given back.
async fn broken_archive(fault: SessionFault, end: &str, change: fn(&mut Run)) -> u64 {
    let scene = Scene::new().await;
    let events = scene.give(&messages(), last_hour(), 20);
    scene.simulation.pod.inject(&messages(), [fault]);
    let mut run = scene.a_run();
    change(&mut run);
    let report = scene.run_as(run).await;
    let report = of_feed(&report, &messages());
    assert_eq!((&report.outcome, &report.hours_done[..]), (&FeedOutcome::UpToDate, &[][..]));
    let [(broken, 1)] = ends(report)[..] else { panic!("{:?}", report.ends) };
    assert!(broken.starts_with(&format!("archive {end}")), "{broken}");
    let early = report.counts.delivered;
    assert_arrived(&scene, EventType::Message, &events[..usize::try_from(early).unwrap()]);

    let report = scene.run_well().await;
    let report = of_feed(&report, &messages());
    assert_eq!((&report.hours_done[..], report.counts.duplicates), (&[last_hour()][..], early));
    assert_arrived(&scene, EventType::Message, &events);
    early
}

#[tokio::test]
async fn an_hour_is_read_again_after_a_reset() {
    let early = broken_archive(SessionFault::ResetAfter(EARLY), "cut", as_it_is).await;
    assert!(early <= EARLY, "{early}");
}

#[tokio::test]
async fn an_hour_is_read_again_after_a_cut_within_an_event() {
    assert_eq!(broken_archive(SessionFault::CutWithinEvent(EARLY), "cut", as_it_is).await, EARLY);
}

#[tokio::test]
async fn an_hour_is_read_again_after_a_connection_that_went_dead() {
    assert_eq!(
        broken_archive(SessionFault::HalfOpenAfter(EARLY), "stalled", impatiently).await,
        EARLY
    );
}

#[tokio::test]
async fn an_hour_is_read_again_after_a_frame_that_can_not_be_read() {
    assert_eq!(broken_archive(SessionFault::NotUtf8After(EARLY), NOT_UTF8, as_it_is).await, EARLY);
    assert_eq!(
        broken_archive(SessionFault::OversizedAfter(EARLY), TOO_LONG, as_it_is).await,
        EARLY
    );
}

#[tokio::test]
async fn an_hour_that_breaks_every_session_is_named() {
    let faults = [
        (SessionFault::CloseAfter(EARLY, Some(1011)), "closed with 1011"),
        (SessionFault::NotUtf8After(EARLY), NOT_UTF8),
        (SessionFault::OversizedAfter(EARLY), TOO_LONG),
    ];
    for (fault, end) in faults {
        let scene = Scene::of().lookback(2).start().await;
        let (broken, other) = (last_hour(), last_hour().plus(-1));
        let events = scene.give(&messages(), broken, 20);
        let others = scene.give(&messages(), other, 5);
        let again = async || {
            scene.simulation.pod.inject(&messages(), [fault.clone()]);
            scene.run().await
        };
        assert_eq!(again().await.feeds[0].hours_done, [other], "others are not held up");
        assert!(again().await.is_success(), "twice is no reason for an alarm");
        scene.advance(5);
        let text = failure(&again().await, &messages());
        let named = format!("the hour {broken} could not be read to its end in 3 tries");
        assert_tells(&text, &[&named, &format!("the last one was {end}"), "at most hourly"]);
        assert_arrived(&scene, EventType::Message, &[&events[..10], &others].concat());

        scene.advance(10);
        assert_eq!(scene.run_well().await.feeds[0].hours_done, [broken]);
        assert_arrived(&scene, EventType::Message, &[events, others].concat());
    }
}

#[tokio::test]
async fn an_hour_cut_twice_at_one_event_is_believed_for_a_while() {
    for fault in [SessionFault::CutAfter(EARLY), SessionFault::CutWithinEvent(EARLY)] {
        let scene = Scene::new().await;
        let events = scene.give(&messages(), last_hour(), 20);
        scene.simulation.pod.inject(&messages(), [fault.clone(), fault]);
        assert_eq!(scene.run_well().await.feeds[0].hours_done, []);
        let report = scene.run_well().await;
        assert_eq!(report.feeds[0].hours_done, [last_hour()]);
        assert_eq!(report.feeds[0].hours_believed, [last_hour()]);
        assert_arrived(&scene, EventType::Message, &events[..10]);
        // Six hours after its end hours are read a second time.
        scene.advance(5 * 60 + 9);
        assert_eq!(scene.run_well().await.feeds[0].hours_checked, []);
        scene.advance(1);
        let report = scene.run_well().await;
        assert_eq!(report.feeds[0].hours_checked, [last_hour()]);
        assert_eq!((report.feeds[0].repaired, report.feeds[0].counts.duplicates), (10, EARLY));
        assert_arrived(&scene, EventType::Message, &events);
    }
}

#[tokio::test]
async fn only_live_brings_events_after_a_breaking_archive_frame() {
    let scene = Scene::hybrid().start().await;
    let events = scene.give_events(&messages(), this_hour(), from_minute(this_hour(), 10, 20));
    scene.run_well().await;
    scene.simulation.pod.inject_archive(&messages(), vec![SessionFault::NotUtf8After(EARLY); 2]);
    // The hour before it, which is empty, is not due by then.
    scene.advance(55);
    scene.run_well().await;
    scene.run_well().await;
    let waiting = scene.checkpoint(&messages()).await.unwrap().retry;
    assert!(waiting.iter().any(|attempt| attempt.hour == this_hour()), "{waiting:?}");
    assert_arrived(&scene, EventType::Message, &events);
}
