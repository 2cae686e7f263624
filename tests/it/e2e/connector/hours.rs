//! Rows of runs and of hours.

use jiff::SignedDuration;
use proofpoint_sentinel::collect::{Deliver, Run, backfill};
use proofpoint_sentinel_core::feed::EventType;
use proofpoint_sentinel_simulator::pod::{RefusedHandshake, SessionFault, SourceEvent};
use tokio::time::Instant;

use super::{BOTH, connector_rows, feed_of, of_kind, says, told, waiting};
use crate::e2e::fixture::{Scene, SceneBuilder, from_minute, last_hour, messages, soon, this_hour};

#[tokio::test]
async fn a_run_and_a_proved_hour_are_told_in_one_post() {
    for destination in BOTH {
        let scene = Scene::of().destination(destination).start().await;
        scene.give(&messages(), last_hour(), 7);
        scene.run_well().await;
        let rows = connector_rows(&scene);
        assert_eq!(rows.len(), 2, "{rows:#?}");
        let run = &of_kind(&scene, "run")[0];
        for (column, expected) in [
            ("Source", "pod"),
            ("Account", "acme_hosted"),
            ("FeedType", "message"),
            ("RunId", "run"),
            ("Outcome", "up_to_date"),
            ("ConnectorVersion", env!("CARGO_PKG_VERSION")),
        ] {
            assert_eq!(run[column], expected, "{column}");
        }
        assert_eq!((&run["Events"], &run["Delivered"]), (&7.into(), &7.into()));
        assert_eq!((&run["HoursDue"], &run["HoursLost"]), (&0.into(), &0.into()));
        assert_eq!(told(&scene, last_hour()), [says("proved", [0, 7, 0])]);
        assert_eq!(of_kind(&scene, "hour")[0]["Attempts"], 1);
        assert_eq!(waiting(&scene).await, [], "what was taken is forgotten");

        // Nothing changed: only the run is told.
        scene.run_well().await;
        assert_eq!((of_kind(&scene, "run").len(), of_kind(&scene, "hour").len()), (2, 1));
    }
}

#[tokio::test]
async fn what_came_live_from_the_archive_and_late_adds_up() {
    let scene = Scene::hybrid().start().await;
    let of_live = scene.give_events(&messages(), this_hour(), from_minute(this_hour(), 40, 10));
    let missed = from_minute(this_hour(), 30, 3);
    let missed = missed
        .iter()
        .map(|event| SourceEvent { live: false, ..SourceEvent::new(event.clone(), this_hour()) });
    scene.source.add(&messages(), missed);
    scene.run_well().await;
    assert_eq!(told(&scene, this_hour()), [], "it has not ended");
    scene.advance(60);
    scene.run_well().await;
    assert_eq!(told(&scene, this_hour()), [says("proved", [10, 3, 0])]);
    let row = of_kind(&scene, "hour").into_iter().find(|row| row["Live"] == 10).unwrap();
    assert_eq!(row["Duplicates"], of_live.len(), "they came live and by the archive");

    let late = from_minute(this_hour(), 20, 2);
    let arrives_at = scene.now() + SignedDuration::from_mins(100);
    let late = late.iter().map(|event| SourceEvent {
        arrives_at,
        live: false,
        ..SourceEvent::new(event.clone(), this_hour())
    });
    scene.source.add(&messages(), late);
    for _ in 0..7 {
        scene.advance(60);
        scene.give(&messages(), this_hour().plus(20), 1);
        scene.run_well().await;
    }
    let expected = [says("proved", [10, 3, 0]), says("proved", [10, 3, 2])];
    assert_eq!(told(&scene, this_hour()), expected);
}

#[tokio::test]
async fn an_event_that_live_brings_after_its_hour_is_told() {
    let scene = Scene::hybrid().start().await;
    scene.give(&messages(), last_hour(), 5);
    scene.run_well().await;
    let late = from_minute(last_hour(), 20, 2);
    let arrives_at = scene.now() + SignedDuration::from_mins(3);
    let late = late
        .iter()
        .map(|event| SourceEvent { arrives_at, ..SourceEvent::new(event.clone(), last_hour()) });
    scene.source.add(&messages(), late);
    scene.advance(5);
    scene.run_well().await;
    let expected = [says("proved", [0, 5, 0]), says("proved", [2, 5, 0])];
    assert_eq!(told(&scene, last_hour()), expected);
}

#[tokio::test]
async fn a_retried_hour_is_unknown_until_it_is_proved() {
    let scene = Scene::new().await;
    let events = scene.give(&messages(), last_hour(), 50).len() as u64;
    let faults = [20, 20, 30].map(|count| SessionFault::CloseAfter(count, Some(1011)));
    scene.simulation.pod.inject(&messages(), faults);
    let mut known = Vec::new();
    for minutes in [0, 5, 10, 20] {
        scene.advance(minutes);
        scene.run().await;
        known.push(told(&scene, last_hour()));
    }
    let rows = known.last().unwrap();
    let counts: Vec<u64> = rows.iter().map(|(_, [_, archive, _])| *archive).collect();
    assert!(counts.is_sorted(), "{rows:?}");
    assert_eq!(rows.first().unwrap().0, "unknown");
    assert_eq!(*rows.last().unwrap(), says("proved", [0, events, 0]));
    let is_told_twice = rows.windows(2).any(|pair| pair[0] == pair[1]);
    assert!(!is_told_twice, "a retry that changes nothing is not told: {rows:?}");
}

#[tokio::test]
async fn an_hour_without_the_close_code_is_believed() {
    let scene = Scene::new().await;
    scene.give(&messages(), last_hour(), 10);
    scene.simulation.pod.inject(&messages(), [SessionFault::EndByEof, SessionFault::EndByEof]);
    scene.run_well().await;
    scene.run_well().await;
    let expected = [says("unknown", [0, 10, 0]), says("believed", [0, 10, 0])];
    assert_eq!(told(&scene, last_hour()), expected);
    let attempts: Vec<_> =
        of_kind(&scene, "hour").iter().map(|row| row["Attempts"].as_u64().unwrap()).collect();
    assert_eq!(attempts, [1, 2]);
}

#[tokio::test]
async fn an_hour_that_is_gone_is_told_as_lost() {
    let scene = Scene::of().lookback(719).start().await;
    let oldest = last_hour().plus(-718);
    let too_old = SessionFault::Refuse(RefusedHandshake::new(400, "Too old"));
    scene.simulation.pod.inject(&messages(), [SessionFault::FalseEmpty, too_old]);
    let run = scene.a_run();
    let stop = run.stop.clone();
    let stopped = async {
        scene.simulation.pod.wait_for(|counters| counters.feed(&messages()).opened > 1).await;
        stop.cancel();
    };
    tokio::join!(scene.run_as(run), soon(stopped));
    assert_eq!(connector_rows(&scene).len(), 0, "a run that is stopped posts no more");
    assert_eq!(waiting(&scene).await.len(), 2, "the empty hour, and the lost one");
    scene.run_as(Run { reading_ends: Instant::now(), ..scene.a_run() }).await;
    assert_eq!(told(&scene, oldest), [says("lost", [0, 0, 0])]);
    assert_eq!(told(&scene, last_hour()), [says("unknown", [0, 0, 0])]);
}

#[tokio::test]
async fn lost_hours_are_told_the_newest_ones_if_they_are_many() {
    let scene = Scene::new().await;
    scene.give(&messages(), last_hour(), 1);
    scene.run_well().await;
    scene.advance(60 * 24 * 60);
    let report = scene.run_as(Run { reading_ends: Instant::now(), ..scene.a_run() }).await;
    let lost = report.feeds[0].hours_lost.len();
    assert!(lost > 400, "{lost}");
    let rows = of_kind(&scene, "hour").into_iter().filter(|row| row["Completeness"] == "lost");
    assert_eq!(rows.count(), 400);
}

#[tokio::test]
async fn events_that_are_no_rows_or_without_a_time_are_told_apart() {
    let scene = Scene::new().await;
    scene.give(&messages(), last_hour(), 4);
    let undated = r#"{"guid":"undated","ts":"never"}"#;
    let other = "not JSON";
    let events = [undated, other].map(|event| event.as_bytes().to_vec().into());
    scene.give_events(&messages(), last_hour(), events.to_vec());
    scene.run_well().await;
    assert_eq!(told(&scene, last_hour()), [says("proved", [0, 4, 0])]);
    let run = &of_kind(&scene, "run")[0];
    assert_eq!(
        (&run["Events"], &run["Delivered"], &run["DeadLetters"]),
        (&6.into(), &5.into(), &1.into())
    );
    assert_eq!(run["DeadLetterReasons"]["malformed"], 1);
}

#[tokio::test]
async fn a_refused_row_is_an_event_that_the_workspace_lacks() {
    let scene = Scene::new().await;
    scene.give(&messages(), last_hour(), 6);
    scene
        .simulation
        .workspace
        .refuse_rows(|row| row["guid"].as_str().is_some_and(|guid| guid.ends_with("-3")));
    scene.run().await;
    assert_eq!(told(&scene, last_hour()), [says("proved", [0, 5, 0])]);
    let row = &of_kind(&scene, "hour")[0];
    assert_eq!((&row["Events"], &row["DeadLetters"]), (&6.into(), &1.into()));
    let run = &of_kind(&scene, "run")[0];
    assert_eq!((&run["Outcome"], &run["Code"]), (&"failed".into(), &"PPS4103".into()));
    assert!(run["Reason"].as_str().unwrap().contains("dead letters"), "{run}");
}

#[tokio::test]
async fn many_feeds_are_told_in_one_post() {
    let clusters = ["a_hosted", "b_hosted", "c_hosted", "d_hosted", "e_hosted", "f_hosted"];
    let scene = Scene::of().clusters(&clusters).start().await;
    for (count, cluster) in (1..).zip(clusters) {
        scene.give(&feed_of(cluster), last_hour(), count);
    }
    scene.run_well().await;
    let posts = scene.simulation.workspace.rows_with_posts("ProofpointConnector_CL");
    assert_eq!(posts.len(), 12);
    assert!(posts.iter().all(|(post, _)| *post == posts[0].0), "{posts:#?}");
    for (count, cluster) in (1..).zip(clusters) {
        let mut rows = of_kind(&scene, "hour").into_iter();
        let row = rows.find(|row| row["Account"] == cluster).expect("its hour is told");
        assert_eq!(row["Delivered"], count);
    }
}

/// Does what `collect` does.
async fn collect(scene: &Scene, deliver: Deliver) {
    let run = Run { id: "collect 1".to_owned(), ..scene.a_run() };
    let cluster = run.settings.source.clusters[0].clone();
    let collected = backfill(&run, &cluster, EventType::Message, [last_hour()], deliver, |_| {});
    soon(collected).await.expect("the hour can be read");
}

fn without_second_read() -> SceneBuilder {
    Scene::of().set("ProofpointSecondReadHours", "0")
}

#[tokio::test]
async fn collect_is_told_by_the_next_run() {
    for deliver in [Deliver::Missing, Deliver::Everything] {
        let scene = without_second_read().start().await;
        scene.give(&messages(), last_hour(), 5);
        scene.run_well().await;
        scene.give_events(&messages(), last_hour(), from_minute(last_hour(), 50, 2));
        let before = scene.checkpoint(&messages()).await.unwrap();
        collect(&scene, deliver).await;
        let after = scene.checkpoint(&messages()).await.unwrap();
        assert_eq!(after.next_hour, before.next_hour);
        assert_eq!(told(&scene, last_hour()), [says("proved", [0, 5, 0])]);
        scene.run_well().await;
        let expected = [says("proved", [0, 5, 0]), says("proved", [0, 5, 2])];
        assert_eq!(told(&scene, last_hour()), expected, "{deliver:?}");
        assert_eq!(of_kind(&scene, "hour")[1]["RunId"], "collect 1");
    }
}

#[tokio::test]
async fn collect_of_a_feed_that_never_ran_tells_nothing() {
    let scene = without_second_read().start().await;
    scene.give(&messages(), last_hour(), 5);
    collect(&scene, Deliver::Missing).await;
    assert_eq!(scene.checkpoint(&messages()).await, None);
    assert_eq!(connector_rows(&scene).len(), 0);
}

#[tokio::test]
async fn collect_leaves_the_checkpoint_of_an_older_app_alone() {
    let scene = without_second_read().start().await;
    scene.give(&messages(), last_hour(), 5);
    let older = include_bytes!("../../../fixtures/checkpoints/v0.1.0/fresh.json");
    let path = scene.checkpoint_path(&messages());
    std::fs::create_dir_all(path.parent().unwrap()).unwrap();
    std::fs::write(&path, older).unwrap();
    collect(&scene, Deliver::Missing).await;
    assert_eq!(std::fs::read(&path).unwrap(), older);
    assert!(scene.checkpoint(&messages()).await.is_some(), "it is read");
    scene.run().await;
    let rows = told(&scene, last_hour());
    assert_eq!(rows.last().map(|(_, [.., late])| *late), Some(5), "{rows:?}");
}

#[tokio::test]
async fn an_hour_that_collect_proves_is_proved() {
    let scene = without_second_read().start().await;
    scene.give(&messages(), last_hour(), 9);
    scene.simulation.pod.inject(&messages(), [SessionFault::CutAfter(4)]);
    scene.run_well().await;
    assert_eq!(told(&scene, last_hour())[0].0, "unknown");
    collect(&scene, Deliver::Missing).await;
    scene.run_well().await;
    let rows = told(&scene, last_hour());
    let (completeness, counts) = rows.last().unwrap();
    assert_eq!((completeness.as_str(), counts.iter().sum::<u64>()), ("proved", 9), "{rows:?}");
}
