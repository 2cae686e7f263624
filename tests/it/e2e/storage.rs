//! Storage that fails under a run: at each of its steps, for a moment, or for longer than the run
//! has time. What was delivered is not forgotten, and the next run goes on.

use std::os::unix::fs::symlink;
use std::time::Duration;

use proofpoint_sentinel::collect::Run;
use proofpoint_sentinel::state::{Checkpoint, DeadLetterReason};
use proofpoint_sentinel_core::feed::EventType;
use proofpoint_sentinel_simulator::pod::SessionFault;
use proofpoint_sentinel_simulator::workspace::{PostFault, ResponseGate};
use tokio::time::Instant;

use crate::e2e::fixture::{Scene, break_lease, checkpoint_in, failure, last_hour, messages, soon};
use crate::e2e::row_assertions::{arrivals, assert_arrived};
use crate::support::azurite::{ACCOUNT, Azurite, KEY, connection_string};
use crate::support::relay::Relay;

/// Events of an hour, few enough for one batch.
const EVENTS: usize = 20;

/// A scene whose state lies in `container`, with a relay on the way to it.
async fn through_a_relay(container: &str) -> (Scene, Relay) {
    let relay = Relay::before(Azurite::shared().authority(), "").await;
    let storage = connection_string(&relay.address.to_string(), KEY);
    let scene = Scene::of().set("StateStorage", &storage).set("StateContainer", container);
    (scene.start().await, relay)
}

/// A step of a run that is refused by the storage account.
struct Step {
    /// What it is about, which is the container's name as well.
    what: &'static str,
    /// What its requests contain, where `{}` stands for the container.
    marker: &'static str,
    /// What the failure says besides the refusal.
    told: &'static str,
    /// How many rows are delivered before it.
    delivered: u64,
    /// How often they are there in the end.
    times: usize,
}

const STEPS: [Step; 6] = [
    Step { what: "lease", marker: "x-ms-lease-action: acquire", told: "", delivered: 0, times: 1 },
    Step {
        what: "checkpoint-read",
        marker: "GET /{}/checkpoints",
        told: "",
        delivered: 0,
        times: 1,
    },
    Step {
        what: "ledger-read",
        marker: "comp=list",
        told: "the ledger of delivered events can't be used: ",
        delivered: 0,
        times: 1,
    },
    Step {
        what: "ledger-append",
        marker: "comp=appendblock",
        told: "the ledger of delivered events can't be used: ",
        delivered: 0,
        times: 1,
    },
    Step {
        what: "checkpoint-write",
        marker: "PUT /{}/checkpoints",
        told: "",
        delivered: EVENTS as u64,
        times: 1,
    },
    Step {
        what: "dead-letter-write",
        marker: "PUT /{}/dead-letters",
        told: "a dead letter can't be kept: ",
        delivered: 0,
        times: 1,
    },
];

#[tokio::test]
async fn the_next_run_delivers_after_any_refused_storage_step() {
    for Step { what, marker, told, delivered, times } in STEPS {
        let (scene, relay) = through_a_relay(what).await;
        let before = scene.give(&messages(), last_hour(), EVENTS);
        scene.run_well().await;
        scene.advance(60);
        let hour = last_hour().plus(1);
        if what == "dead-letter-write" {
            scene.give_events(&messages(), hour, vec!["no event".into()]);
        }
        let events = scene.give(&messages(), hour, EVENTS);

        let marker = marker.replace("{}", &format!("{ACCOUNT}/{what}"));
        relay.refuse(&marker, "403 Forbidden", "AccountIsDisabled");
        let report = scene.run().await;
        let text = failure(&report, &messages());
        let refused = format!("{told}the storage account at 127.0.0.1 refused access");
        assert!(text.starts_with(&refused) && text.contains("is disabled"), "{what}: {text}");
        assert_eq!(report.feeds[0].counts.delivered, delivered, "{what}");
        let checkpoint = checkpoint_in(what).await;
        assert_eq!(checkpoint.next_hour, hour, "{what}: the hour is not done");

        relay.refuse_nothing();
        let report = scene.run_well().await;
        assert_eq!(report.feeds[0].hours_done, [hour], "{what}");
        let all = [before, events].concat();
        let found = arrivals(&scene, EventType::Message, &all);
        assert_eq!(found, [[1; EVENTS], [times; EVENTS]].concat(), "{what}");
        assert_eq!(report.feeds[0].counts.malformed, u64::from(what == "dead-letter-write"));
    }
}

#[tokio::test]
async fn a_storage_fault_after_an_empty_reading_blames_no_hour() {
    let (scene, relay) = through_a_relay("ledger-after-empty").await;
    relay.refuse("comp=list", "403 Forbidden", "AccountIsDisabled");
    let text = failure(&scene.run().await, &messages());
    assert!(text.starts_with("the ledger of delivered events can't be used: "), "{text}");
    let checkpoint = checkpoint_in("ledger-after-empty").await;
    assert_eq!((checkpoint.retry, checkpoint.next_hour), (vec![], last_hour()));
    relay.refuse_nothing();
    scene.run_well().await;
    assert_eq!(checkpoint_in("ledger-after-empty").await.retry[0].empty_reads, 1);
}

#[tokio::test]
async fn a_status_that_can_not_be_written_fails_nothing() {
    let (scene, relay) = through_a_relay("status-write").await;
    let events = scene.give(&messages(), last_hour(), EVENTS);
    relay.refuse(&format!("PUT /{ACCOUNT}/status-write/status"), "403 Forbidden", "Forbidden");
    assert_eq!(scene.run_well().await.feeds[0].hours_done, [last_hour()]);
    assert_arrived(&scene, EventType::Message, &events);
    assert_eq!(scene.run_well().await.feeds[0].counts.events, 0);
}

#[tokio::test]
async fn a_storage_that_is_busy_for_a_moment_is_waited_for_in_the_run() {
    let (scene, relay) = through_a_relay("busy-for-a-moment").await;
    let events = scene.give(&messages(), last_hour(), EVENTS);
    scene.run_well().await;
    scene.advance(60);
    let more = scene.give(&messages(), last_hour().plus(1), EVENTS);
    relay.refuse("", "503 Busy", "ServerBusy");
    let before = relay.count();
    let moment = async {
        relay.counted(before + 2).await;
        relay.refuse_nothing();
    };
    let (report, ()) = tokio::join!(scene.run_well(), soon(moment));
    assert_eq!(report.feeds[0].hours_done, [last_hour().plus(1)]);
    assert_arrived(&scene, EventType::Message, &[events, more].concat());
}

#[tokio::test]
async fn a_hanging_storage_ends_the_run_in_time() {
    let (scene, relay) = through_a_relay("hangs").await;
    let events = scene.give(&messages(), last_hour(), EVENTS);
    let hanging = relay.hold(&format!("GET /{ACCOUNT}/hangs/checkpoints"));
    let run = Run { all_ends: Instant::now() + Duration::from_secs(2), ..scene.a_run() };
    let (report, held) = tokio::join!(scene.run_as(run), soon(hanging));
    let text = failure(&report, &messages());
    assert_eq!(text, "the run's time was up while the storage did not answer");

    drop(held);
    // As a minute later, when the lease of the run before has run out.
    break_lease("hangs").await;
    assert_eq!(scene.run_well().await.feeds[0].hours_done, [last_hour()]);
    assert_arrived(&scene, EventType::Message, &events);
}

#[tokio::test]
async fn a_checkpoint_that_changed_during_the_run_is_left_as_it_is() {
    let scene = Scene::new().await;
    let events = scene.give(&messages(), last_hour(), EVENTS);
    let gate = ResponseGate::default();
    scene.simulation.workspace.inject([PostFault::Hold(gate.clone())]);
    let other = async {
        scene.simulation.workspace.wait_for(|counters| counters.in_flight == 1).await;
        let state = scene.open_state().await;
        let (read, version) = state.read_checkpoint(&messages()).await.unwrap().unwrap();
        let theirs = Checkpoint { writer: "another".to_owned(), ..read };
        state.write_checkpoint(&messages(), &theirs, Some(&version)).await.unwrap();
        gate.open();
        theirs
    };
    let (report, theirs) = tokio::join!(scene.run(), soon(other));
    let text = failure(&report, &messages());
    assert!(text.contains("was written by another run since this one read it"), "{text}");
    assert!(text.contains("two Function Apps share one StateContainer"), "{text}");
    assert_eq!(scene.checkpoint(&messages()).await, Some(theirs));

    let report = scene.run_well().await;
    assert_eq!(report.feeds[0].counts.duplicates, EVENTS as u64);
    assert_arrived(&scene, EventType::Message, &events);
}

#[tokio::test]
async fn a_damaged_ledger_stops_its_hour_until_deleted() {
    let scene = Scene::new().await;
    let events = scene.give(&messages(), last_hour(), EVENTS);
    scene.simulation.pod.inject(&messages(), [SessionFault::CutAfter(8)]);
    let early = scene.run_well().await.feeds[0].counts.delivered;
    let folder = scene.state_path(&format!("ledger/{}/{}", messages(), last_hour()));
    let segment = std::fs::read_dir(&folder).unwrap().next().unwrap().unwrap().path();
    std::fs::write(&segment, "damaged").unwrap();

    let text = failure(&scene.run().await, &messages());
    let name = segment.file_name().unwrap().to_str().unwrap();
    for told in [name, "the ledger", "delete it: that costs no event"] {
        assert!(text.contains(told), "`{told}` is not in: {text}");
    }
    assert_eq!(std::fs::read(&segment).unwrap(), b"damaged");
    assert_arrived(&scene, EventType::Message, &events[..early as usize]);

    std::fs::remove_file(segment).unwrap();
    scene.advance(5);
    assert_eq!(scene.run_well().await.feeds[0].hours_done, [last_hour()]);
    let times = arrivals(&scene, EventType::Message, &events);
    let twice = times.iter().filter(|times| **times == 2).count() as u64;
    assert!(times.iter().all(|times| (1..=2).contains(times)) && twice == early, "{times:?}");
}

#[tokio::test]
async fn a_full_disk_fails_the_feed_and_loses_no_record() {
    let scene = Scene::new().await;
    let events = scene.give(&messages(), last_hour(), EVENTS);
    let malformed = scene.give_events(&messages(), last_hour(), vec!["no event".into()]);
    // Writing to this file fails as on a full disk.
    let path = scene.checkpoint_path(&messages());
    let temporary = path.with_extension("json.tmp");
    let gate = ResponseGate::default();
    scene.simulation.workspace.inject([PostFault::Hold(gate.clone())]);
    let fills = async {
        scene.simulation.workspace.wait_for(|counters| counters.in_flight == 1).await;
        symlink("/dev/full", &temporary).unwrap();
        gate.open();
    };
    let (report, ()) = tokio::join!(scene.run(), soon(fills));
    let text = failure(&report, &messages());
    assert!(text.contains("The disk is full: make room, and the next run goes on"), "{text}");
    assert_eq!(report.feeds[0].counts.delivered, EVENTS as u64);
    assert_eq!(scene.next_hour(&messages()).await, last_hour(), "the hour is not done");

    std::fs::remove_file(&temporary).unwrap();
    let report = scene.run_well().await;
    assert_eq!(report.feeds[0].counts.duplicates, EVENTS as u64 + 1);
    assert_arrived(&scene, EventType::Message, &events);
    let letters = scene.dead_letters(DeadLetterReason::Malformed, &messages());
    let kept: Vec<_> = letters.iter().map(|letter| &letter.event[..]).collect();
    assert_eq!(kept, [&malformed[0][..]], "the same event is kept once");
}
