//! The program with a TAP account: a run that is killed, `check` and `support`.

use std::os::unix::process::ExitStatusExt as _;

use jiff::{SignedDuration, Timestamp};
use proofpoint_sentinel_core::feed::Feed;
use proofpoint_sentinel_core::hour::Hour;
use proofpoint_sentinel_core::tables::tap_table;
use proofpoint_sentinel_core::tap_kind::TapKind;
use proofpoint_sentinel_simulator::host::InvocationOutcome;
use proofpoint_sentinel_simulator::tap::{CallFault, CallPool, TapRecord};
use proofpoint_sentinel_simulator::{DestinationApi, TAP_PRINCIPAL};
use serde_json::{Value, json};

use crate::app::{App, fire, succeed};
use crate::cli::check::{Settings, assert_has, check, with};
use crate::cli::program::run;
use crate::cli::services::TestServices;
use crate::cli::support::unpacked;
use crate::soon;

fn account() -> Feed {
    Feed::tap("default")
}

fn settings(services: &TestServices) -> Settings {
    services.settings(DestinationApi::LogsIngestion)
}

/// How many calls the account's checkpoint counts.
fn counted(services: &TestServices) -> u64 {
    let path = services.state_directory().join(format!("checkpoints/{}.json", account()));
    let json = std::fs::read_to_string(path).unwrap();
    let json: Value = serde_json::from_str(&json).unwrap();
    let calls = json["progress"]["calls"].as_object().unwrap();
    calls.values().map(|count| count.as_u64().unwrap()).sum()
}

#[tokio::test]
async fn a_killed_run_loses_no_tap_record() {
    const COUNT: usize = 1_500;
    let services = TestServices::with_tap().await;
    let hour = Hour::containing(Timestamp::now() - SignedDuration::from_hours(3));
    let kind = TapKind::ClicksBlocked;
    let record = |number: usize| {
        let at = hour.start() + SignedDuration::from_secs(number as i64);
        let body = json!({"id": format!("k-{number}"), "clickTime": at, "threatTime": at});
        TapRecord::dated(kind, body.to_string()).unwrap()
    };
    services.records.add(TAP_PRINCIPAL, (0..COUNT).map(record));
    services.tap().set_hour_fault(TAP_PRINCIPAL, hour, Some(CallFault::Trickle(60_000)));
    let settings = with(settings(&services), "TapInitialLookbackHours", Some("4"));
    let app = App::new();
    let host = app.host(settings.clone()).await;
    let kill = async {
        services.tap().wait_for(|counters| counters.body_bytes > 60_000).await;
        soon(host.kill()).await
    };
    let (outcome, status) = tokio::join!(fire(&host), kill);
    assert!(matches!(outcome, InvocationOutcome::Unreachable(_)), "{outcome:?}");
    assert_eq!(status.signal(), Some(9));
    assert!(services.tap().counters().complete < services.tap().counters().all_calls());

    services.tap().set_hour_fault(TAP_PRINCIPAL, hour, None);
    succeed(&app.host(settings).await).await;
    let rows = services.simulation.workspace.rows(tap_table(kind).name);
    let mut ids: Vec<String> = rows
        .iter()
        .map(|row| serde_json::from_str::<Value>(row).unwrap()["id"].to_string())
        .collect();
    ids.sort();
    ids.dedup();
    assert_eq!(ids.len(), COUNT);
}

#[tokio::test]
async fn a_tap_credential_is_tried_only_if_no_run_shows_it() {
    let services = TestServices::with_tap().await;
    let settings = settings(&services);
    let calls = || services.tap().calls_used(TAP_PRINCIPAL, CallPool::Shared) as u64;
    let (findings, code) = check(&settings, &[]).await;
    assert_eq!(code, Some(0), "{findings:#?}");
    assert_has(&findings, "tls", "passed", None, "the TAP API");
    assert_has(&findings, "workspace", "passed", None, "Custom-ProofPointTAPClicksBlockedV2_CL");
    assert_has(&findings, "tap api", "passed", None, "default-tap\" \"the credential is granted");
    let checkpoint = format!("checkpoints/{}.json", account());
    assert!(!services.state_directory().join(checkpoint).exists(), "the first run begins it");
    assert_eq!(calls(), 1);

    let app = App::new();
    succeed(&app.host(settings.clone()).await).await;
    let of_run = calls();
    let (findings, _) = check(&settings, &[]).await;
    assert_has(&findings, "tap api", "passed", None, "so no call was made");
    assert_eq!((calls(), counted(&services)), (of_run, of_run - 1));

    let failed = json!({"finished": Timestamp::now(), "outcome": "failed", "code": "PPS2105"});
    let state = services.state().await;
    state.write_status(&account(), failed.to_string().into()).await.unwrap();
    let (findings, _) = check(&settings, &[]).await;
    assert_has(&findings, "tap api", "passed", None, "the credential is granted");
    assert_eq!((calls(), counted(&services)), (of_run + 1, of_run), "the call is counted");
}

#[tokio::test]
async fn what_is_wrong_with_a_tap_account_is_found() {
    let services = TestServices::with_tap().await;
    let sound = settings(&services);
    for (name, value, kind, code) in [
        ("TapSecret", "another", "tap api", Some("PPS2105")),
        ("TapServicePrincipal", "with:colon", "settings", Some("PPS1002")),
        ("TapBaseUri", "https://127.0.0.1:1", "connection", None),
        ("TapBaseUri", "https://no-such-host.invalid", "dns", None),
        ("TapIntervalSeconds", "5", "settings", Some("PPS1002")),
    ] {
        let (findings, status) = check(&with(sound.clone(), name, Some(value)), &[]).await;
        assert_has(&findings, kind, "failed", code, "");
        assert_eq!(status, Some(1), "{name}: {findings:#?}");
        let others = findings.iter().filter(|it| it["check"] == "tap api").count();
        assert_eq!(others, usize::from(kind == "tap api"), "{name}: {findings:#?}");
    }
}

#[tokio::test]
async fn a_tap_account_that_the_app_works_on_is_left_alone() {
    let services = TestServices::with_tap().await;
    let lease = services.state().await.lease(&account()).await.unwrap();
    let (findings, status) = check(&settings(&services), &[]).await;
    assert_eq!(status, Some(0), "{findings:#?}");
    assert_has(&findings, "tap api", "skipped", None, "default-tap");
    assert_eq!(services.tap().calls(), []);
    lease.release().await.unwrap();
}

#[tokio::test]
async fn tap_alone_is_checked_without_a_cluster() {
    let services = TestServices::with_tap().await;
    let mut settings = settings(&services);
    settings.retain(|(name, _)| {
        !name.starts_with("ProofpointClusterID") && !name.starts_with("ProofpointToken")
    });
    let (findings, status) = check(&settings, &[]).await;
    assert_eq!(status, Some(0), "{findings:#?}");
    assert_has(&findings, "settings", "passed", None, "TAP accounts default");
    assert_has(&findings, "tap api", "passed", None, "default-tap");
    let of_pod = findings.iter().find(|it| it.to_string().contains("ProofpointPOD"));
    assert_eq!(of_pod, None, "tables of clusters are not looked at");
}

#[tokio::test]
async fn the_bundle_has_the_tap_account_without_its_credential() {
    let services = TestServices::with_tap().await;
    let settings = settings(&services);
    succeed(&App::new().host(settings.clone()).await).await;
    let status = json!({"outcome": "failed", "failure": format!("{TAP_PRINCIPAL} is refused")});
    let state = services.state().await;
    state.write_status(&account(), status.to_string().into()).await.unwrap();
    let out = services.file("bundle.zip");
    let ended = run(&["support", "--out", out.to_str().unwrap()], &settings).await;
    assert_eq!(ended.code, Some(0), "{ended:?}");
    let files = unpacked(std::fs::read(out).unwrap());
    assert!(files["checkpoints/default-tap.json"].contains("\"settled\""), "{files:?}");
    assert!(files["status/default-tap.json"].contains("[TapServicePrincipal] is refused"));
    assert!(files["check.json"].contains("tap api"), "{}", files["check.json"]);
    assert!(files["settings.txt"].contains("TapSecret = (set)\n"), "{}", files["settings.txt"]);
    let is_of_tap = |name: &str| name.starts_with("Tap") && name != "TapInitialLookbackHours";
    let values = settings.iter().filter(|(name, _)| is_of_tap(name));
    let forbidden: Vec<&str> = values.map(|(_, value)| value.as_str()).collect();
    assert_eq!(forbidden.len(), 3, "principal, secret and address: {forbidden:?}");
    for (name, text) in &files {
        for word in &forbidden {
            assert!(!text.contains(word), "{word} in {name}: {text}");
        }
    }
}
