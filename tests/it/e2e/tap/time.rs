//! Outages, and clocks.

use jiff::SignedDuration;
use proofpoint_sentinel::report::FeedOutcome;
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
