//! Many feeds share the memory, the posts and the time of one process.

use proofpoint_sentinel::collect::{MemoryPool, Run};
use proofpoint_sentinel::report::FeedOutcome;
use proofpoint_sentinel_core::feed::{EventType, Feed};
use proofpoint_sentinel_core::hour::Hour;

use crate::e2e::fixture::{Scene, last_hour};
use crate::e2e::row_assertions::assert_arrived;
use crate::e2e::test_events;

const CLUSTERS: [&str; 12] = [
    "a_hosted", "b_hosted", "c_hosted", "d_hosted", "e_hosted", "f_hosted", "g_hosted", "h_hosted",
    "i_hosted", "j_hosted", "k_hosted", "l_hosted",
];

fn messages_of(cluster_id: &str) -> Feed {
    Feed::log(cluster_id, EventType::Message)
}

/// Runs with `megabytes` for all feeds.
async fn run_with(scene: &Scene, megabytes: usize) {
    let report =
        scene.run_as(Run { memory: MemoryPool::new(megabytes << 20), ..scene.a_run() }).await;
    for feed in &report.feeds {
        assert_eq!(feed.outcome, FeedOutcome::UpToDate, "{feed}");
    }
}

#[tokio::test]
async fn feeds_that_do_not_fit_into_memory_take_turns() {
    // Less than a feed needs, room for one, and for three at a time.
    for (mode, megabytes) in [("archive", 1), ("hybrid", 12), ("archive", 36)] {
        let builder = Scene::of().clusters(&CLUSTERS).set("ProofpointMode", mode).lookback(3);
        let scene = builder.start().await;
        let mut events = Vec::new();
        for run in 0..2 {
            let newest = last_hour().plus(run);
            let oldest: Hour = if run == 0 { newest.plus(-2) } else { newest };
            for cluster in CLUSTERS {
                for hour in oldest.through(newest) {
                    events.extend(scene.give(&messages_of(cluster), hour, 7));
                }
            }
            run_with(&scene, megabytes).await;
            assert_arrived(&scene, EventType::Message, &events);
            scene.advance(60);
        }
    }
}

#[tokio::test]
async fn an_hour_larger_than_the_memory_is_delivered_whole() {
    let scene = Scene::of().clusters(&CLUSTERS[..3]).start().await;
    let mut events = Vec::new();
    for cluster in &CLUSTERS[..3] {
        let feed = messages_of(cluster);
        // Fillers of 60 kB fit into a column, which longer ones would not.
        let long = test_events::large(&feed, last_hour(), 200, 60_000);
        events.extend(scene.give_events(&feed, last_hour(), long));
    }
    run_with(&scene, 13).await;
    assert_arrived(&scene, EventType::Message, &events);
}
