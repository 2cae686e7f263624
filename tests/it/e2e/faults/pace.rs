//! Sessions that are slow, fall silent, or have to wait for the workspace.

use std::time::Duration;

use proofpoint_sentinel::collect::Run;
use proofpoint_sentinel::pod::SessionTimeouts;
use proofpoint_sentinel_core::feed::EventType;
use proofpoint_sentinel_simulator::pod::SessionFault;
use proofpoint_sentinel_simulator::workspace::{PostFault, ResponseGate};
use tokio::time::{Instant, timeout};

use crate::e2e::fixture::{
    Scene, ends, from_minute, last_hour, messages, of_feed, soon, this_hour,
};
use crate::e2e::row_assertions::assert_arrived;
use crate::e2e::test_events;

#[tokio::test]
async fn a_silent_live_session_looks_quiet_and_the_next_run_goes_on() {
    // Of the second one not even pings are answered, but that is noticed only after minutes.
    for fault in [SessionFault::StallAfter(4), SessionFault::HalfOpenAfter(4)] {
        let scene = Scene::hybrid().start().await;
        let events = scene.give_events(&messages(), this_hour(), from_minute(this_hour(), 40, 10));
        scene.simulation.pod.inject_live(&messages(), [fault]);
        let timeouts =
            SessionTimeouts { close: Duration::from_millis(50), ..SessionTimeouts::default() };
        let report = scene.run_as(Run { timeouts, ..scene.a_run() }).await;
        assert!(report.is_success(), "{report:?}");
        let expected = [("archive closed with 1000", 1), ("live quiet", 1)];
        assert_eq!(ends(of_feed(&report, &messages())), expected);
        assert_arrived(&scene, EventType::Message, &events[..4]);

        let report = scene.run_well().await;
        assert_eq!(of_feed(&report, &messages()).counts.duplicates, 0);
        assert_arrived(&scene, EventType::Message, &events);
    }
}

#[tokio::test]
async fn a_slow_sender_is_listened_to_until_all_is_said() {
    for mode in ["hybrid", "archive"] {
        let scene = Scene::of().set("ProofpointMode", mode).start().await;
        let events = scene.give_events(&messages(), last_hour(), from_minute(last_hour(), 55, 10));
        let bytes: usize = events.iter().map(|event| event.len()).sum();
        // About twenty events in a second.
        let trickle = SessionFault::Trickle(2 * u32::try_from(bytes).unwrap());
        scene.simulation.pod.inject(&messages(), [trickle]);
        let mut run = scene.a_run();
        run.settings.source.live_quiet = Duration::from_secs(1);
        let begun = Instant::now();
        let report = scene.run_as(run).await;
        assert!(begun.elapsed() >= Duration::from_millis(350), "that was not slow");
        let report = of_feed(&report, &messages());
        assert_eq!((report.counts.delivered, report.repaired), (10, 0));
        assert_eq!(report.hours_done, [last_hour()]);
        assert_arrived(&scene, EventType::Message, &events);
    }
}

#[tokio::test]
async fn what_a_live_session_is_too_slow_to_send_is_repaired() {
    let scene = Scene::hybrid().start().await;
    let events = scene.give_events(&messages(), this_hour(), from_minute(this_hour(), 40, 10));
    // An event takes longer than a live session waits for one.
    let bytes = u32::try_from(events[0].len()).unwrap();
    scene.simulation.pod.inject_live(&messages(), [SessionFault::Trickle(bytes / 2)]);
    let timeouts =
        SessionTimeouts { close: Duration::from_millis(50), ..SessionTimeouts::default() };
    let report = scene.run_as(Run { timeouts, ..scene.a_run() }).await;
    let report = of_feed(&report, &messages());
    assert_eq!(ends(report), [("archive closed with 1000", 1), ("live quiet", 1)]);
    let early = report.counts.delivered;
    assert!(early < 10, "{early} events came");

    scene.advance(60);
    let report = scene.run_well().await;
    let report = of_feed(&report, &messages());
    assert_eq!((&report.hours_done[..], report.repaired), (&[this_hour()][..], 10 - early));
    assert_arrived(&scene, EventType::Message, &events);
}

/// Twice as many as may be read while nothing is delivered.
const FLOOD: usize = 200;

/// Of these, 25 and not 26 make a batch of a million bytes.
const FLOOD_EVENT: usize = 39_000;

#[tokio::test]
async fn live_stops_reading_while_the_workspace_does_not_answer() {
    let scene = Scene::hybrid().start().await;
    let events = test_events::large(&messages(), this_hour(), FLOOD, FLOOD_EVENT);
    let events = scene.give_events(&messages(), this_hour(), events);
    let gate = ResponseGate::default();
    let (pod, workspace) = (&scene.simulation.pod, &scene.simulation.workspace);
    workspace.inject(vec![PostFault::Hold(gate.clone()); 4]);
    let run = scene.a_run();
    // Longer than silence lasts until a session counts as quiet.
    let silence = run.settings.source.live_quiet * 2;
    let counters = run.counters.clone();
    let blocked = async {
        workspace.wait_for(|counters| counters.in_flight == 4).await;
        let too_much = async {
            tokio::select! {
                _ = workspace.wait_for(|counters| counters.in_flight > 4) => "posts",
                _ = pod.wait_for(|all| all.open() == 0) => "ends",
            }
        };
        assert_eq!(timeout(silence, too_much).await.ok(), None, "too many of these");
        // Four batches are in flight, and one event made the fourth one full.
        let read = counters.events();
        assert!(read <= 4 * 25 + 1, "{read} events were read");
        assert_eq!(counters.rows(), 0);
        gate.open();
    };
    let (report, ()) = tokio::join!(scene.run_as(run), soon(blocked));
    assert!(report.is_success(), "{report:?}");
    let report = of_feed(&report, &messages());
    assert_eq!(ends(report), [("archive closed with 1000", 1), ("live quiet", 1)]);
    assert_eq!(scene.sessions(&messages()).dropped, 0);
    assert_arrived(&scene, EventType::Message, &events);
}
