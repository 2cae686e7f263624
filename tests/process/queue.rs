//! Queue mode: the timer plans, and instances take messages from a real queue service.

mod scene;

use futures_util::future::join_all;
use proofpoint_sentinel::host::FEED_FUNCTION;
use proofpoint_sentinel_simulator::host::{InvocationOutcome, WorkedMessage};
use serde_json::json;

use crate::app::{App, fire, succeed};
use crate::queue::scene::{QueueScene, drain};
use crate::soon;

/// What is logged of a message whose work was done.
const DONE_BEFORE: &str = "a run has done this since it was planned";

#[track_caller]
fn logs(worked: &WorkedMessage) -> &[String] {
    match &worked.outcome {
        InvocationOutcome::Success { logs, .. } => logs,
        other => panic!("{other:?}"),
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn many_instances_bring_each_event_once() {
    let scene = QueueScene::start("many-instances", Some(60)).await;
    let app = scene.app();
    let hosts = [scene.host(&app).await, scene.host(&app).await, scene.host(&app).await];
    assert_eq!(succeed(&hosts[0]).await, ["8 feeds planned"]);
    assert_eq!(succeed(&hosts[1]).await, ["8 feeds planned"]);
    let texts = scene.send_again_in_another_order(hosts.len()).await;
    assert_eq!(texts.len(), 16, "each feed has a message of each tick");

    let worked = join_all(hosts.iter().map(drain)).await.concat();
    assert_eq!(worked.len(), 16 * hosts.len());
    let runs = worked.iter().filter(|it| logs(it)[0].contains("30 rows delivered")).count();
    assert_eq!(runs, 8, "{worked:#?}");
    scene.assert_delivered_once();
    scene.assert_one_session_at_a_time();
    assert_eq!(scene.queue().length().await.unwrap(), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_killed_instance_loses_nothing_and_its_messages_do_no_harm() {
    let scene = QueueScene::start("killed-instance", Some(40)).await;
    let app = scene.app();
    let host = scene.host(&app).await;
    succeed(&host).await;
    let kill = async {
        let is_reading = |sent: u64| sent >= 5;
        soon(scene.simulation.pod.wait_for(|all| {
            all.feeds.values().filter(|feed| is_reading(feed.events_sent)).count() >= 4
        }))
        .await;
        soon(host.kill()).await
    };
    let (batch, _) = tokio::join!(host.work_on_batch(FEED_FUNCTION), kill);
    let batch = batch.unwrap();
    let is_cut = |it: &&WorkedMessage| matches!(it.outcome, InvocationOutcome::Unreachable(_));
    let cut: Vec<WorkedMessage> = batch.iter().filter(is_cut).cloned().collect();
    assert!(!cut.is_empty(), "{batch:#?}");
    soon(scene.simulation.pod.wait_for(|all| all.open() == 0)).await;

    let host = scene.host(&app).await;
    succeed(&host).await;
    drain(&host).await;
    scene.assert_nothing_is_missing();
    let hidden = scene.queue().length().await.unwrap();
    assert_eq!(hidden as usize, cut.len(), "messages of the killed instance come later");

    let before = scene.rows();
    for WorkedMessage { message, .. } in &cut {
        scene.queue().send(&message.text).await.unwrap();
    }
    for worked in drain(&host).await {
        assert!(logs(&worked)[0].ends_with(DONE_BEFORE), "{worked:?}");
    }
    assert_eq!(scene.rows(), before);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_failure_is_shown_once_and_makes_no_poison() {
    let scene = QueueScene::start("failure", None).await;
    let app = scene.app();
    let mut settings = scene.settings();
    for (name, value) in &mut settings {
        if name == "ProofpointToken" {
            "refused".clone_into(value);
        }
    }
    let host = scene.host_with(&app, settings).await;
    succeed(&host).await;
    let worked = drain(&host).await;
    let of_feed = |feed: &str| {
        let feed = format!("\"{feed}\"");
        worked.iter().filter(move |it| it.message.text.contains(&feed)).collect::<Vec<_>>()
    };
    for feed in ["cluster_1-message", "cluster_1-maillog"] {
        let [failed, done] = of_feed(feed)[..] else { panic!("{worked:#?}") };
        match &failed.outcome {
            InvocationOutcome::Failed { status: 500, body } => {
                assert!(body.contains("PPS2002"), "{body}");
            }
            other => panic!("{other:?}"),
        }
        assert!(logs(done)[0].ends_with(DONE_BEFORE), "{done:?}");
        assert_eq!(done.message.dequeue_count, 2);
    }
    for feed in ["cluster_2-message", "cluster_4-maillog"] {
        let [done] = of_feed(feed)[..] else { panic!("{worked:#?}") };
        assert!(logs(done)[0].contains("30 rows delivered"), "{done:?}");
    }
    assert_eq!(scene.poison_length().await, 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_message_that_is_not_known_becomes_poison_with_its_code() {
    let scene = QueueScene::start("unknown-message", None).await;
    let app = scene.app();
    let host = scene.host(&app).await;
    scene.queue().create().await.unwrap();
    let bad = ["aGVsbG8=", "work please", r#"{"version":2,"unit":"x"}"#, "[]"];
    for text in bad {
        scene.queue().send(text).await.unwrap();
    }
    succeed(&host).await;
    let worked = drain(&host).await;
    for text in bad {
        let tries = worked.iter().filter(|it| it.message.text == text);
        let codes = tries.map(|it| match &it.outcome {
            InvocationOutcome::Failed { status: 500, body } => body.contains("PPS7006"),
            other => panic!("{other:?}"),
        });
        assert_eq!(codes.collect::<Vec<_>>(), [true; 5], "{text}");
    }
    scene.assert_delivered_once();
    assert_eq!(scene.poison_length().await, bad.len() as u32, "nothing is thrown away");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_message_of_a_feed_that_is_gone_is_done() {
    let scene = QueueScene::start("feed-is-gone", None).await;
    let app = scene.app();
    let host = scene.host(&app).await;
    scene.queue().create().await.unwrap();
    let gone = json!({"version": 1, "feed": "gone-message", "planned": "2026-11-20T10:45:00Z"});
    scene.queue().send(&gone.to_string()).await.unwrap();
    // By hand, without a time.
    let by_hand = json!({"version": 1, "feed": "cluster_1-message"});
    scene.queue().send(&by_hand.to_string()).await.unwrap();
    let worked = drain(&host).await;
    let said: Vec<&str> = worked.iter().map(|it| logs(it)[0].as_str()).collect();
    assert!(said.contains(&"gone-message: no setting names this feed any more"), "{said:?}");
    assert!(said.iter().any(|line| line.contains("30 rows delivered")), "{said:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_ordinary_package_refuses_queue_mode() {
    let scene = QueueScene::start("ordinary-package", None).await;
    let app = App::new();
    let host = app.host(scene.settings()).await;
    match fire(&host).await {
        InvocationOutcome::Failed { status: 500, body } => {
            assert!(body.contains("PPS7007: ProofpointScale is queue, but"), "{body}");
        }
        other => panic!("{other:?}"),
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_queue_package_collects_inline_if_the_settings_say_so() {
    let scene = QueueScene::start("inline", None).await;
    let mut settings = scene.settings();
    settings.retain(|(name, _)| name != "ProofpointScale");
    let app = scene.app();
    let host = scene.host_with(&app, settings).await;
    assert_eq!(succeed(&host).await.len(), 8);
    scene.assert_delivered_once();
}
