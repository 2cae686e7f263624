//! A lease that is lost during a run.

use std::time::Duration;

use bytes::Bytes;
use proofpoint_sentinel::collect::{Deliver, Run, backfill};
use proofpoint_sentinel::pod::SessionTimeouts;
use proofpoint_sentinel::state::LeaseTimes;
use proofpoint_sentinel_core::feed::EventType;
use proofpoint_sentinel_simulator::workspace::{PostFault, ResponseGate};

use crate::e2e::fixture::{Scene, break_lease, checkpoint_in, failure, last_hour, messages, soon};
use crate::e2e::row_assertions::{arrivals, assert_arrived};
use crate::e2e::test_events;
use crate::support::azurite::Azurite;

/// Lease times with which a loss is noticed soon. The service allows no shorter length.
const QUICK: LeaseTimes = LeaseTimes {
    length: Duration::from_secs(15),
    renew_every: Duration::from_millis(50),
    retry_every: Duration::from_millis(50),
    give_up_after: Duration::from_secs(15),
};

/// Batches of a feed that are in flight at once.
const UNDER_WAY: usize = 4;

/// The size of an event: 25 of them fit into a batch of a million bytes, 26 do not.
const EVENT: usize = 39_000;
const EVENTS: usize = 200;
const BATCH: usize = 25;

/// A scene with its state in `container`, and an hour of several batches. The first posts are held.
async fn held(container: &str) -> (Scene, Vec<Bytes>, ResponseGate) {
    let scene = Scene::of()
        .without_connector_table()
        .set("StateStorage", &Azurite::shared().connection_string())
        .set("StateContainer", container)
        .start()
        .await;
    let events = test_events::large(&messages(), last_hour(), EVENTS, EVENT);
    scene.give_events(&messages(), last_hour(), events.clone());
    let gate = ResponseGate::default();
    scene.simulation.workspace.inject(vec![PostFault::Hold(gate.clone()); UNDER_WAY]);
    (scene, events, gate)
}

fn owner(scene: &Scene) -> Run {
    // The server's pending events fill the connection, so no close frame gets through.
    let timeouts =
        SessionTimeouts { close: Duration::from_millis(100), ..SessionTimeouts::default() };
    Run { id: "owner".to_owned(), timeouts, lease_times: QUICK, ..scene.a_run() }
}

/// Breaks the lease while posts are held, and waits until its owner notices.
async fn break_lease_of_owner(scene: &Scene, container: &str) {
    let all_held = scene.simulation.workspace.wait_for(|all| all.in_flight == UNDER_WAY as u64);
    soon(all_held).await;
    break_lease(container).await;
    soon(scene.simulation.pod.wait_for(|all| all.open() == 0)).await;
}

#[tokio::test]
async fn after_lease_loss_a_run_posts_no_more() {
    let (scene, events, gate) = held("stolen-run").await;
    let next = async {
        break_lease_of_owner(&scene, "stolen-run").await;
        let report = scene.run_as(Run { id: "next".to_owned(), ..scene.a_run() }).await;
        gate.open();
        report
    };
    let (lost, next) = tokio::join!(scene.run_as(owner(&scene)), next);
    assert_eq!(
        failure(&lost, &messages()),
        "the feed's lease was lost: another run may have it; the next run goes on"
    );
    assert_eq!(next.feeds[0].hours_done, [last_hour()]);
    assert_eq!(next.feeds[0].counts.delivered, EVENTS as u64);
    let posts = scene.simulation.workspace.counters().posts;
    assert_eq!(posts, UNDER_WAY as u64 + next.feeds[0].counts.posts, "none after the loss");
    let stored = checkpoint_in("stolen-run").await;
    assert_eq!((stored.writer.as_str(), stored.next_hour), ("next", last_hour().plus(1)));

    let times = arrivals(&scene, EventType::Message, &events);
    assert!(times.iter().all(|times| (1..=2).contains(times)), "{times:?}");
    let twice = times.iter().filter(|times| **times == 2).count();
    assert_eq!(twice as u64, lost.feeds[0].counts.delivered, "{times:?}");
    assert!(twice <= UNDER_WAY * BATCH, "{twice} events are there twice");
}

#[tokio::test]
async fn after_lease_loss_collect_posts_no_more() {
    let (scene, events, gate) = held("stolen-collect").await;
    let run = owner(&scene);
    let cluster = run.settings.source.clusters[0].clone();
    let message = EventType::Message;
    let collected = backfill(&run, &cluster, message, [last_hour()], Deliver::Missing, |_| {
        panic!("it is not done")
    });
    let taken = async {
        break_lease_of_owner(&scene, "stolen-collect").await;
        gate.open();
    };
    let (collected, ()) = tokio::join!(soon(collected), taken);
    assert_eq!(
        collected.unwrap_err().to_string(),
        "the feed's lease was lost: a run of the Function App may have it"
    );
    assert_eq!(scene.simulation.workspace.counters().posts, UNDER_WAY as u64);

    let report = scene.run_well().await;
    assert_eq!(report.feeds[0].hours_done, [last_hour()]);
    assert_eq!(report.feeds[0].counts.duplicates, (UNDER_WAY * BATCH) as u64);
    assert_arrived(&scene, EventType::Message, &events);
}
