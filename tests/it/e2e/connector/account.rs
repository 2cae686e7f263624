//! TAP accounts.

use jiff::{SignedDuration, Timestamp};
use proofpoint_sentinel_core::hour::Hour;
use proofpoint_sentinel_core::tap_kind::TapKind;
use proofpoint_sentinel_simulator::TAP_PRINCIPAL;
use proofpoint_sentinel_simulator::tap::{CallFault, TapResponse};

use super::{of_kind, says, told};
use crate::e2e::fixture::{Scene, hour};
use crate::e2e::tap::{give, record, rows, run_for, service, some, tap_alone, time};

/// How many of the rows of all kinds are of this hour.
fn held(scene: &Scene, hour: Hour) -> u64 {
    let of = |kind| rows(scene, kind).into_iter();
    let all = TapKind::ALL.into_iter().flat_map(of);
    let is_in = |at: &str| at.parse::<Timestamp>().is_ok_and(|at| Hour::containing(at) == hour);
    let times = all.map(|row| row["TimeGenerated"].as_str().expect("it has a time").to_owned());
    times.filter(|at| is_in(at)).count() as u64
}

#[tokio::test]
async fn a_closed_hour_of_an_account_is_told_with_what_arrived() {
    let scene = tap_alone().start().await;
    let at = time("10:30:00");
    give(&scene, &some(TapKind::ClicksBlocked, "c", at, 5));
    run_for(&scene, 60).await;
    // Found only after the current windows were past it.
    let late =
        record(TapKind::MessagesBlocked, "late", at + SignedDuration::from_mins(1), "active");
    give(&scene, &[late]);
    run_for(&scene, 180).await;
    let rows = told(&scene, hour("2026-11-20T10"));
    let (completeness, [live, archive, late]) = rows.last().expect("it is told").clone();
    assert_eq!((completeness.as_str(), live + archive + late), ("proved", 6), "{rows:?}");
    assert_eq!((live, archive), (5, 1), "{rows:?}");
    assert_eq!(held(&scene, hour("2026-11-20T10")), 6);
    let run = of_kind(&scene, "run").pop().unwrap();
    assert_eq!((&run["Source"], &run["FeedType"]), (&"tap".into(), &"tap".into()));
    let calls = run["CallsUsed"].as_u64().unwrap() + run["CallsLeft"].as_u64().unwrap();
    assert_eq!(calls, 1_800);
}

#[tokio::test]
async fn an_hour_that_fails_is_unknown_until_it_is_read() {
    let scene = tap_alone().start().await;
    let due = hour("2026-11-20T10");
    let fault = CallFault::Reply(TapResponse::new(500, "down"));
    service(&scene).set_hour_fault(TAP_PRINCIPAL, due, Some(fault));
    while told(&scene, due).is_empty() {
        assert!(scene.now() < time("13:00:00"), "the hour is tried");
        run_for(&scene, 12).await;
    }
    assert_eq!(told(&scene, due), [says("unknown", [0, 0, 0])]);
    service(&scene).set_hour_fault(TAP_PRINCIPAL, due, None);
    run_for(&scene, 120).await;
    let expected = ["unknown", "proved"].map(|word| says(word, [0, 0, 0]));
    assert_eq!(told(&scene, due), expected);
}

#[tokio::test]
async fn hours_that_an_account_lost_are_told() {
    let scene = tap_alone().start().await;
    run_for(&scene, 60).await;
    scene.advance(9 * 24 * 60);
    let report = scene.run().await;
    let lost = report.feeds[0].hours_lost.len();
    assert!(lost > 40, "{lost}");
    let rows = of_kind(&scene, "hour").into_iter().filter(|row| row["Completeness"] == "lost");
    assert_eq!(rows.count(), lost);
}
