//! A fault of an hour is the hour's: other hours of the feed go on, in every run.

use jiff::SignedDuration;
use proofpoint_sentinel::report::FeedOutcome;
use proofpoint_sentinel::state::{HourAttempt, RecordedEnd};
use proofpoint_sentinel_core::feed::EventType;
use proofpoint_sentinel_core::hour::Hour;
use proofpoint_sentinel_simulator::pod::{RefusedHandshake, SessionFault};

use crate::e2e::fixture::{Scene, assert_tells, failure, last_hour, messages};
use crate::e2e::row_assertions::assert_arrived;

const MODES: [&str; 2] = ["hybrid", "archive"];

fn refuse(status: u16) -> SessionFault {
    // The wait is longer than a run, so that nothing is tried twice in it.
    let refusal = RefusedHandshake::new(status, "No").with_header("retry-after", "3600");
    SessionFault::Refuse(refusal)
}

/// Gives every archive session of these hours the fault, or none any more.
fn set_fault(scene: &Scene, hours: &[Hour], fault: Option<SessionFault>) {
    for hour in hours {
        scene.simulation.pod.set_hour_fault(&messages(), *hour, fault.clone());
    }
}

/// The newest hours that are due, oldest first.
fn last_hours(count: i64) -> Vec<Hour> {
    last_hour().plus(1 - count).through(last_hour()).collect()
}

async fn attempt(scene: &Scene, hour: Hour) -> HourAttempt {
    let checkpoint = scene.checkpoint(&messages()).await.unwrap();
    checkpoint.retry.into_iter().find(|attempt| attempt.hour == hour).expect("it is on record")
}

#[tokio::test]
async fn an_hour_that_can_not_be_opened_holds_nothing_up_in_any_run() {
    for (status, code) in [(400, "PPS2001"), (404, "PPS2004"), (503, "PPS2007")] {
        for (mode, count, position) in
            [("archive", 1, 0), ("hybrid", 7, 3), ("archive", 7, 6), ("hybrid", 15, 14)]
        {
            let scene = Scene::of().set("ProofpointMode", mode).lookback(count).start().await;
            let oldest = last_hour().plus(1 - i64::from(count));
            let bad = oldest.plus(position);
            scene.simulation.pod.set_hour_fault(&messages(), bad, Some(refuse(status)));
            let mut others = Vec::new();
            let mut kept = Vec::new();
            for hour in oldest.through(last_hour()) {
                let events = scene.give(&messages(), hour, 5);
                if hour == bad { kept = events } else { others.extend(events) }
            }
            for run in 1..=5 {
                let report = scene.run().await;
                let text = failure(&report, &messages());
                assert_tells(
                    &text,
                    &[&format!("the hour {bad} can't be read"), "other hours go on"],
                );
                assert_arrived(&scene, EventType::Message, &others);
                let attempt = attempt(&scene, bad).await;
                let expected = (run, RecordedEnd::Failed(code.to_owned()));
                assert_eq!((attempt.attempts, attempt.last_end), expected);
                // The next run has one more hour to read, and the bad one is due again.
                scene.advance(60);
                let newest = last_hour().plus(i64::from(run));
                others.extend(scene.give(&messages(), newest, 5));
            }
            scene.simulation.pod.set_hour_fault(&messages(), bad, None);
            scene.run_well().await;
            assert_arrived(&scene, EventType::Message, &[others, kept].concat());
        }
    }
}

#[tokio::test]
async fn an_hour_that_fails_backs_off_up_to_an_hour() {
    let scene = Scene::new().await;
    scene.give(&messages(), last_hour(), 5);
    scene.simulation.pod.set_hour_fault(&messages(), last_hour(), Some(refuse(500)));
    let asked = |scene: &Scene| scene.simulation.pod.counters().refused[&500];
    scene.run().await;
    for (attempts, wait) in [0, 5, 10, 20, 40].into_iter().enumerate() {
        let before = asked(&scene);
        assert_eq!(before, attempts as u64 + 1);
        if wait > 0 {
            scene.advance(wait - 1);
            scene.run().await;
            assert_eq!(asked(&scene), before, "not before {wait} minutes");
            scene.advance(1);
        }
        scene.run().await;
    }
}

#[tokio::test]
async fn hours_that_all_fail_alike_are_the_feeds_fault() {
    for mode in MODES {
        let scene = Scene::of().set("ProofpointMode", mode).lookback(24).start().await;
        let hours = last_hours(24);
        let events: Vec<_> =
            hours.iter().flat_map(|hour| scene.give(&messages(), *hour, 2)).collect();
        set_fault(&scene, &hours, Some(refuse(503)));
        for _ in 0..4 {
            let report = scene.run().await;
            assert_tells(&failure(&report, &messages()), &["3 hours can't be read", "503"]);
            let checkpoint = scene.checkpoint(&messages()).await.unwrap();
            assert_eq!((checkpoint.retry, checkpoint.lost), (vec![], vec![]), "no hour is blamed");
        }
        assert_eq!(scene.simulation.pod.counters().refused[&503], 12);
        set_fault(&scene, &hours, None);
        scene.run_well().await;
        assert_arrived(&scene, EventType::Message, &events);
    }
}

#[tokio::test]
async fn a_cluster_that_proofpoint_does_not_know_loses_no_hour() {
    let scene = Scene::of().lookback(48).start().await;
    let hours = last_hours(48);
    let events: Vec<_> = hours.iter().flat_map(|hour| scene.give(&messages(), *hour, 1)).collect();
    set_fault(&scene, &hours, Some(refuse(400)));
    for _ in 0..3 {
        let report = scene.run().await;
        assert_tells(&failure(&report, &messages()), &["400", "ProofpointClusterID"]);
        assert_eq!(report.feeds[0].hours_lost, []);
    }
    set_fault(&scene, &hours, None);
    scene.run_well().await;
    assert_arrived(&scene, EventType::Message, &events);
}

#[tokio::test]
async fn a_shorter_retention_is_found_and_all_that_is_kept_is_read() {
    for (mode, days, lookback) in [("archive", 14, 719), ("hybrid", 2, 60), ("archive", 1, 26)] {
        let retention = SignedDuration::from_hours(24 * days);
        let scene = Scene::of()
            .set("ProofpointMode", mode)
            .lookback(lookback)
            .pod(move |pod| pod.retention = retention)
            .start()
            .await;
        let oldest = last_hour().plus(1 - i64::from(lookback));
        // The archive begins at 10:50 of its first day.
        let first_kept = Hour::containing(scene.now() - retention).plus(1);
        let mut kept = Vec::new();
        for hour in oldest.through(last_hour()).step_by(7).chain([last_hour(), first_kept]) {
            let events = scene.give(&messages(), hour, 1);
            if hour >= first_kept {
                kept.extend(events)
            }
        }
        kept.sort();
        kept.dedup();
        let report = scene.run().await;
        assert_eq!(report.feeds[0].outcome, FeedOutcome::UpToDate, "{}", report.feeds[0]);
        let lost: Vec<Hour> = oldest.through(first_kept.plus(-1)).collect();
        assert_eq!(report.feeds[0].hours_lost, lost);
        assert_arrived(&scene, EventType::Message, &kept);
        let refused = scene.simulation.pod.counters().refused[&400];
        assert!(refused <= 12, "{refused} questions");
        // Hours that were empty are read again; nothing else is asked for.
        scene.run_well().await;
        assert_eq!(scene.simulation.pod.counters().refused[&400], refused);
    }
}

#[tokio::test]
async fn a_damaged_part_of_the_ledger_stops_its_hour_alone() {
    let scene = Scene::of().lookback(7).start().await;
    let bad = last_hour().plus(-3);
    let folder = scene.state_path(&format!("ledger/{}/{bad}", messages()));
    std::fs::create_dir_all(&folder).unwrap();
    std::fs::write(folder.join("2026-11-20T09-damaged.ids"), "damaged").unwrap();
    let (mut others, mut kept) = (Vec::new(), Vec::new());
    for hour in last_hour().plus(-6).through(last_hour()) {
        let events = scene.give(&messages(), hour, 5);
        if hour == bad { kept = events } else { others.extend(events) }
    }
    for _ in 0..3 {
        let text = failure(&scene.run().await, &messages());
        assert_tells(&text, &[&format!("the hour {bad} can't be read"), "damaged.ids"]);
        assert_arrived(&scene, EventType::Message, &others);
        scene.advance(20);
    }
    std::fs::remove_dir_all(&folder).unwrap();
    scene.run_well().await;
    assert_arrived(&scene, EventType::Message, &[others, kept].concat());
}
