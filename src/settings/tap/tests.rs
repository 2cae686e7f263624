use proofpoint_sentinel_core::threat_status::ThreatStatus;

use super::*;
use crate::error_code;
use crate::settings::{BadSettings, Mode, Settings, Vars};

const BASE: [(&str, &str); 3] = [
    ("LogsIngestionEndpoint", "https://rule.westeurope-1.ingest.monitor.azure.com"),
    ("DcrImmutableId", "dcr-0123456789abcdef0123456789abcdef"),
    ("AzureWebJobsStorage__accountName", "acmelogs"),
];
const POD: [(&str, &str); 2] =
    [("ProofpointClusterID", "acme_hosted"), ("ProofpointToken", "t0ken")];
const TAP: [(&str, &str); 2] = [("TapServicePrincipal", "a-principal"), ("TapSecret", "hunter2")];

fn read(parts: &[&[(&str, &str)]]) -> Result<Settings, BadSettings> {
    let pairs = BASE.iter().chain(parts.iter().copied().flatten());
    let vars: Vars = pairs.map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
    Settings::read(&vars)
}

fn names(faults: &[BadSetting]) -> Vec<&str> {
    faults.iter().map(|fault| fault.setting.as_str()).collect()
}

#[track_caller]
fn refused(parts: &[&[(&str, &str)]]) -> Vec<String> {
    let error = read(parts).unwrap_err();
    names(&error.faults).into_iter().map(str::to_owned).collect()
}

#[test]
fn defaults() {
    let tap = read(&[&POD, &TAP]).unwrap().tap.unwrap();
    assert_eq!((tap.accounts.len(), tap.unusable_accounts.len()), (1, 0));
    let account = &tap.accounts[0];
    assert_eq!((account.name.as_str(), account.principal.as_str()), ("default", "a-principal"));
    assert_eq!(account.secret.reveal(), "hunter2");
    assert_eq!(tap.base_uri.as_str(), "https://tap-api-v2.proofpoint.com/");
    assert_eq!((tap.interval, tap.initial_lookback_hours), (Duration::from_secs(300), 12));
    assert_eq!(tap.statuses, ThreatStatuses { main: None, false_positives: true });
}

#[test]
fn each_source_works_alone_and_none_does_not() {
    assert!(read(&[&POD]).unwrap().tap.is_none());
    let alone = read(&[&TAP]).unwrap();
    assert_eq!((alone.source.clusters.len(), alone.tap.unwrap().accounts.len()), (0, 1));
    assert_eq!(refused(&[]), ["ProofpointClusterID and ProofpointToken"]);
    let text = read(&[]).unwrap_err().to_string();
    assert!(text.contains("or TapServicePrincipal and TapSecret"), "{text}");
}

#[test]
fn a_fault_of_one_source_does_not_stop_the_other() {
    // Of TAP: of one account, and of what accounts share.
    for (bad, setting) in [
        (("TapSecret", ""), "TapSecret"),
        (("TapServicePrincipal", "a:b"), "TapServicePrincipal"),
        (("TapIntervalSeconds", "59"), "TapIntervalSeconds"),
        (("TapInitialLookbackHours", "168"), "TapInitialLookbackHours"),
        (("TapThreatStatus", "expired"), "TapThreatStatus"),
        (("TapBaseUri", "http://tap.example.com"), "TapBaseUri"),
    ] {
        let settings = read(&[&POD, &TAP, &[bad]]).unwrap();
        assert_eq!(settings.source.clusters.len(), 1);
        let tap = settings.tap.unwrap();
        let [unusable] = &tap.unusable_accounts[..] else { panic!("{setting}: {tap:?}") };
        assert_eq!((names(&unusable.faults), tap.accounts.len()), (vec![setting], 0));
        assert!(unusable.to_string().contains("the TAP account default"), "{unusable}");
    }
    // Of the clusters: of one, and of what they share.
    for (bad, setting) in [
        (("ProofpointToken", ""), "ProofpointToken"),
        (("ProofpointMode", "fast"), "ProofpointMode"),
        (("ProofpointMessageText", "all"), "ProofpointMessageText"),
        (("ProofpointEventTypes", "mail"), "ProofpointEventTypes"),
    ] {
        let settings = read(&[&POD, &TAP, &[bad]]).unwrap();
        assert_eq!(settings.tap.unwrap().accounts.len(), 1);
        let source = settings.source;
        let [unusable] = &source.unusable_clusters[..] else { panic!("{setting}: {source:?}") };
        assert_eq!((names(&unusable.faults), source.clusters.len()), (vec![setting], 0));
        assert_eq!(source.mode, Mode::Hybrid);
    }
}

#[test]
fn faults_of_both_sources_are_named_together() {
    let bad = [("ProofpointToken", ""), ("TapSecret", ""), ("TapIntervalSeconds", "x")];
    let mut faults = refused(&[&POD, &TAP, &bad]);
    faults.sort();
    assert_eq!(faults, ["ProofpointToken", "TapIntervalSeconds", "TapSecret"]);
    // Who collects TAP alone is not asked for a cluster.
    assert_eq!(refused(&[&TAP, &[("TapSecret", "")]]), ["TapSecret"]);
    // What all of it needs stops all of it.
    assert_eq!(refused(&[&POD, &TAP, &[("ProofpointMemoryMB", "1")]]), ["ProofpointMemoryMB"]);
}

#[test]
fn more_accounts_have_suffixes_and_each_principal_is_there_once() {
    let more = [
        ("TapServicePrincipal_emea", "another"),
        ("TapSecret_emea", "s"),
        ("TapServicePrincipal_twice", "a-principal"),
        ("TapSecret_twice", "s"),
        ("TapSecret_", "ignored"),
    ];
    let tap = read(&[&TAP, &more]).unwrap().tap.unwrap();
    let usable: Vec<&str> = tap.accounts.iter().map(|account| account.name.as_str()).collect();
    assert_eq!(usable, ["default", "emea"]);
    let [twice] = &tap.unusable_accounts[..] else { panic!("{tap:?}") };
    assert_eq!((twice.name.as_str(), twice.code()), ("twice", error_code::SETTING_INVALID));
    assert!(twice.to_string().contains("that of the TAP account default"), "{twice}");
}

#[test]
fn choices_are_followed() {
    let choices = [
        ("TapIntervalSeconds", "60"),
        ("TapInitialLookbackHours", "167"),
        ("TapThreatStatus", "active"),
        ("TapBaseUri", "http://127.0.0.1:8080"),
    ];
    let tap = read(&[&TAP, &choices]).unwrap().tap.unwrap();
    assert_eq!((tap.interval, tap.initial_lookback_hours), (Duration::from_secs(60), 167));
    assert_eq!(tap.statuses.main, Some(ThreatStatus::Active));
    assert_eq!((tap.statuses.false_positives, tap.base_uri.port()), (false, Some(8080)));
}

#[test]
fn a_bad_secret_is_not_told() {
    for secret in
        ["\"hunter2\"", "hun ter2", "hunt\u{e9}r2", "@Microsoft.KeyVault(VaultName=hunter2)"]
    {
        let tap = read(&[&POD, &TAP, &[("TapSecret", secret)]]).unwrap().tap.unwrap();
        let text = format!("{} {tap:?}", tap.unusable_accounts[0]);
        assert!(text.contains("TapSecret") && !text.contains("ter2"), "{text}");
    }
}

#[test]
fn names_that_nothing_reads_are_reported() {
    let more = [
        ("TapSecrets", "s"),
        ("tapSecret", "s"),
        ("TapBaseUri", "https://tap.example.com"),
        ("TAPE_DRIVE", "x"),
        ("Taproot", "x"),
    ];
    let unknown = read(&[&POD, &TAP, &more]).unwrap().unknown;
    assert_eq!(unknown, ["TapSecrets", "tapSecret"]);
}
