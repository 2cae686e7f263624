//! `check`: each fault that it names, and an app that has none.

use proofpoint_sentinel_simulator::DestinationApi;
use serde_json::Value;

use crate::app::App;
use crate::cli::program::{Ended, run};
use crate::cli::services::{TestServices, feeds};

pub(crate) type Settings = Vec<(String, String)>;

/// Settings with one of them changed, or removed.
pub(crate) fn with(mut settings: Settings, name: &str, value: Option<&str>) -> Settings {
    settings.retain(|(other, _)| other != name);
    settings.extend(value.map(|value| (name.to_owned(), value.to_owned())));
    settings
}

/// Runs `check --json`, and gives the findings and the exit status.
pub(crate) async fn check(settings: &Settings, more: &[&str]) -> (Vec<Value>, Option<i32>) {
    let ended = run(&[&["check", "--json"], more].concat(), settings).await;
    let findings = serde_json::from_str(&ended.stdout);
    (findings.unwrap_or_else(|error| panic!("{error}: {ended:?}")), ended.code)
}

#[track_caller]
pub(crate) fn assert_has(
    findings: &[Value],
    check: &str,
    mark: &str,
    code: Option<&str>,
    told: &str,
) {
    let is_it = |it: &&Value| {
        it["check"] == check && it["mark"] == mark && it["code"].as_str() == code && {
            let text = format!("{} {}", it["subject"], it["text"]);
            text.contains(told)
        }
    };
    let found = findings.iter().find(is_it);
    let found = found.unwrap_or_else(|| panic!("{check} {mark} {code:?} {told}: {findings:#?}"));
    let needs_remedy = mark == "failed" || mark == "attention";
    assert_eq!(found["remedy"].is_string(), needs_remedy, "{found:#}");
}

#[tokio::test]
async fn an_app_without_a_fault_passes_and_nothing_is_changed() {
    for destination in [DestinationApi::LogsIngestion, DestinationApi::DataCollector] {
        let services = TestServices::new(&[5], None).await;
        let app = App::new();
        let root = app.host_json().parent().unwrap().display().to_string();
        let settings = services.settings(destination);
        let (findings, code) = check(&settings, &["--app", &root]).await;
        assert_eq!(code, Some(0), "{findings:#?}");
        assert!(findings.iter().all(|it| it["mark"] == "passed"), "{findings:#?}");
        assert_has(&findings, "host.json", "passed", None, "10 min");
        assert_has(&findings, "tls", "passed", None, "its certificate is issued by CN=");
        assert_has(&findings, "storage", "passed", None, "each works");
        for feed in feeds() {
            assert_has(&findings, "log api", "passed", None, &feed.to_string());
            assert!(services.delivered(&feed).is_empty());
            services.state().await.lease(&feed).await.unwrap();
        }
        let left = std::fs::read_dir(services.state_directory().join("checks"));
        assert_eq!(left.map_or(0, Iterator::count), 0, "nothing is left behind");
    }
}

#[tokio::test]
async fn a_person_gets_a_line_and_a_remedy_for_each() {
    let services = TestServices::new(&[1], None).await;
    let settings = services.settings(DestinationApi::LogsIngestion);
    let settings = with(settings, "ProofpointToken", Some("refused"));
    let Ended { code, stdout, stderr } = run(&["check"], &settings).await;
    assert_eq!((code, stderr.as_str()), (Some(1), ""), "{stdout}");
    assert!(
        stdout.contains("ok    storage     lease, write, read, delete: each works\n"),
        "{stdout}"
    );
    assert!(stdout.contains("FAIL  log api     acme_hosted-message: PPS2002: "), "{stdout}");
    assert!(stdout.contains("\n                  Remedy: "), "{stdout}");
    assert!(stdout.ends_with(" checks, 2 failed.\n"), "{stdout}");
    assert!(!stdout.contains('\u{1b}'), "no colours where there is no terminal");
}

/// A setting, the value that is wrong (or that it is missing), and what is then found.
type Fault = (&'static str, Option<&'static str>, &'static str, &'static str, Option<&'static str>);

const FAULTS: [Fault; 11] = [
    ("ProofpointToken", None, "settings", "failed", Some("PPS1001")),
    ("ProofpointMode", Some("fast"), "settings", "failed", Some("PPS1002")),
    (
        "ProofpointToken",
        Some("@Microsoft.KeyVault(SecretUri=https://a.vault.azure.net/secrets/b)"),
        "key vault",
        "failed",
        Some("PPS1003"),
    ),
    ("ProofpointSecondReadHour", Some("0"), "settings", "attention", Some("PPS1004")),
    ("ProofpointToken", Some("refused"), "log api", "failed", Some("PPS2002")),
    ("SSL_CERT_FILE", None, "tls", "failed", None),
    ("LogsIngestionEndpoint", Some("https://no-such-host.invalid"), "dns", "failed", None),
    ("LogsIngestionEndpoint", Some("https://127.0.0.1:1"), "connection", "failed", None),
    (
        "DcrImmutableId",
        Some("dcr-00000000000000000000000000000000"),
        "workspace",
        "failed",
        Some("PPS4004"),
    ),
    ("IDENTITY_HEADER", Some("a-wrong-header"), "token", "failed", Some("PPS4001")),
    ("StateStorage", Some("file:///proc/no-such-folder"), "storage", "failed", Some("PPS5201")),
];

#[tokio::test]
async fn each_wrong_setting_is_found() {
    let services = TestServices::new(&[1], None).await;
    let sound = services.settings(DestinationApi::LogsIngestion);
    for (name, value, kind, mark, code) in FAULTS {
        let (findings, status) = check(&with(sound.clone(), name, value), &[]).await;
        assert_has(&findings, kind, mark, code, "");
        assert_eq!(status, Some(i32::from(mark == "failed")), "{name}: {findings:#?}");
    }
}

#[tokio::test]
async fn who_issued_a_certificate_that_is_not_trusted_is_told() {
    let services = TestServices::new(&[1], None).await;
    let settings = services.settings(DestinationApi::LogsIngestion);
    let (findings, _) = check(&with(settings, "SSL_CERT_FILE", None), &[]).await;
    assert_has(&findings, "tls", "failed", None, "it is issued by CN=Simulated authority");
    let is_session = |it: &&Value| it["check"] == "log api";
    assert_eq!(findings.iter().find(is_session), None, "no token is sent to such a peer");
}

#[tokio::test]
async fn a_proxy_that_is_not_there_is_found() {
    let services = TestServices::new(&[1], None).await;
    let settings = with(services.settings(DestinationApi::LogsIngestion), "NO_PROXY", None);
    let settings = with(settings, "ProofpointProxy", Some("http://127.0.0.1:1"));
    let (findings, status) = check(&settings, &[]).await;
    assert_eq!(status, Some(1));
    assert_has(&findings, "proxy", "failed", Some("PPS3001"), "the Log API");
}

#[tokio::test]
async fn host_json_is_held_against_the_plan() {
    let services = TestServices::new(&[1], None).await;
    let settings = services.settings(DestinationApi::LogsIngestion);
    let plan = |plan| with(settings.clone(), "WEBSITE_SKU", Some(plan));
    let app = App::with_timeout("01:00:00");
    let root = app.host_json().parent().unwrap().display().to_string();
    let (findings, _) = check(&plan("Dynamic"), &["--app", &root]).await;
    assert_has(&findings, "host.json", "failed", None, "60 min on the plan Dynamic");
    let (findings, _) = check(&plan("FlexConsumption"), &["--app", &root]).await;
    assert_has(&findings, "host.json", "passed", None, "60 min on the plan FlexConsumption");
    std::fs::write(app.host_json(), "{").unwrap();
    let (findings, _) = check(&settings, &["--app", &root]).await;
    assert_has(&findings, "host.json", "failed", Some("PPS1009"), "host.json");
}

#[tokio::test]
async fn a_feed_that_the_app_works_on_is_left_alone() {
    let services = TestServices::new(&[1], None).await;
    let settings = services.settings(DestinationApi::LogsIngestion);
    let state = services.state().await;
    let [feed, _] = feeds();
    let lease = state.lease(&feed).await.unwrap();
    let text = format!("{feed}");
    let (findings, status) = check(&settings, &[]).await;
    assert_eq!(status, Some(0), "{findings:#?}");
    assert_has(&findings, "log api", "skipped", None, &text);

    let status = r#"{"finished":"2026-11-20T10:00:00Z","outcome":"failed","code":"PPS2002","failure":"refused"}"#;
    state.write_status(&feed, status.into()).await.unwrap();
    let (findings, status) = check(&settings, &[]).await;
    assert_eq!(status, Some(1), "{findings:#?}");
    assert_has(&findings, "log api", "failed", Some("PPS2002"), &text);
    assert!(services.simulation.pod.counters().feeds.get(&feed).is_none_or(|it| it.opened == 0));
    lease.release().await.unwrap();
}
