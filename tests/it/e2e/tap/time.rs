//! Outages, and clocks.

use jiff::{SignedDuration, Timestamp};
use proofpoint_sentinel::report::FeedOutcome;
use proofpoint_sentinel_core::clock::Clock;
use proofpoint_sentinel_core::tap_kind::TapKind;
use proofpoint_sentinel_simulator::tap::TapRecord;

use super::{assert_arrived, give, of_account, record, run_for, service, tap_alone};

#[tokio::test]
async fn an_outage_of_days_heals_in_one_run() {
    for hours in [1, 7, 49, 160] {
        let scene = tap_alone().start().await;
        run_for(&scene, 60).await;
        let mut records: Vec<TapRecord> = Vec::new();
        for number in 0..hours * 3 {
            let at = scene.now() + SignedDuration::from_mins(20 * number + 1);
            records.push(record(TapKind::MessagesBlocked, &format!("o-{number}"), at, "active"));
        }
        give(&scene, &records);
        scene.advance(hours * 60);
        let report = scene.run().await;
        let outcome = &of_account(&report).outcome;
        assert!(matches!(outcome, FeedOutcome::UpToDate | FeedOutcome::Unfinished), "{outcome:?}");
        run_for(&scene, 180).await;
        assert_arrived(&scene, &records);
        assert!(service(&scene).calls().len() < 1_800);
    }
}

#[tokio::test]
async fn what_is_older_than_a_week_is_lost_by_name() {
    let scene = tap_alone().start().await;
    run_for(&scene, 60).await;
    let gone = record(TapKind::MessagesBlocked, "gone", scene.now(), "active");
    let since = scene.now() + SignedDuration::from_hours(60);
    let kept = record(TapKind::MessagesBlocked, "kept", since, "active");
    give(&scene, &[gone, kept.clone()]);
    scene.advance(9 * 24 * 60);
    let report = scene.run().await;
    let lost = &of_account(&report).hours_lost;
    assert!((48..53).contains(&lost.len()), "{} hours are lost", lost.len());
    run_for(&scene, 180).await;
    assert_arrived(&scene, &[kept]);
}

#[tokio::test]
async fn runs_at_odd_times_around_midnight_miss_nothing() {
    for second in [1, 30, 59, 90, 3_599] {
        let scene = tap_alone().start().await;
        run_for(&scene, 60).await;
        let midnight: Timestamp = "2026-11-21T00:00:00Z".parse().unwrap();
        let mut records: Vec<TapRecord> = Vec::new();
        for number in 0..40 {
            let at = midnight + SignedDuration::from_secs(30 * (number - 20));
            records.push(record(TapKind::ClicksBlocked, &format!("n-{number}"), at, "active"));
        }
        give(&scene, &records);
        let until = midnight + SignedDuration::from_secs(second);
        scene.clock.advance(until.duration_since(scene.now()));
        scene.run_well().await;
        run_for(&scene, 180).await;
        assert_arrived(&scene, &records);
    }
}

#[tokio::test]
async fn a_clock_that_differs_costs_no_record_once_it_is_right() {
    // Minutes that the clock is ahead, and whether runs then fail.
    for (ahead, fails) in [(2, true), (180, true), (-2, false), (-180, false), (-26 * 60, false)] {
        let scene = tap_alone().start().await;
        run_for(&scene, 60).await;
        let mut records: Vec<TapRecord> = Vec::new();
        for number in 0..60 {
            let at = scene.now() + SignedDuration::from_mins(2 * number);
            records.push(record(TapKind::ClicksBlocked, &format!("k-{number}"), at, "active"));
        }
        give(&scene, &records);
        for _ in 0..6 {
            scene.advance(12);
            let mut run = scene.a_run();
            run.clock = Clock::held(scene.now() + SignedDuration::from_mins(ahead));
            let report = scene.run_as(run).await;
            if let FeedOutcome::Failed { code, .. } = &of_account(&report).outcome {
                assert!(fails, "{ahead}: {code}");
                assert_eq!(code.to_string(), "PPS2102", "{ahead}");
            }
        }
        let asked = service(&scene).calls().len();
        scene.advance(12);
        scene.run().await;
        assert!(
            service(&scene).calls().len() > asked,
            "{ahead}: the right clock waits for nothing"
        );
        run_for(&scene, 240).await;
        assert_arrived(&scene, &records);
    }
}
