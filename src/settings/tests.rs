use std::time::Duration;

use proofpoint_sentinel_core::feed::EventType;

use super::*;

fn vars(pairs: &[(&str, &str)]) -> Vars {
    pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
}

const COMPLETE: [(&str, &str); 5] = [
    ("ProofpointClusterID", "acme_hosted"),
    ("ProofpointToken", "t0ken"),
    ("LogsIngestionEndpoint", "https://rule.westeurope-1.ingest.monitor.azure.com"),
    ("DcrImmutableId", "dcr-0123456789abcdef0123456789abcdef"),
    ("AzureWebJobsStorage__accountName", "acmelogs"),
];

fn complete_with(more: &[(&str, &str)]) -> Vars {
    let mut all = vars(&COMPLETE);
    all.extend(vars(more));
    all
}

fn faults(vars: &Vars) -> Vec<String> {
    let faults = Settings::read(vars).expect_err("the settings are bad").faults;
    faults.into_iter().map(|fault| fault.setting).collect()
}

#[test]
fn defaults() {
    let settings = Settings::read(&vars(&COMPLETE)).unwrap();
    let source = settings.source;
    assert_eq!(source.event_types, [EventType::Message, EventType::Maillog]);
    assert_eq!(source.mode, Mode::Hybrid);
    assert_eq!(source.initial_lookback_hours, 12);
    assert_eq!(source.live_quiet, Duration::from_secs(20));
    assert_eq!(source.second_read, Some(Duration::from_secs(6 * 3600)));
    assert_eq!(source.archive_delay, Duration::from_secs(45 * 60));
    assert_eq!(source.empty_hour_retry, Duration::from_secs(60 * 60));
    assert_eq!(source.log_stream_uri.as_str(), "wss://logstream.proofpoint.com/");
    assert_eq!(source.clusters.len(), 1);
    assert_eq!(source.clusters[0].name, "default");
    assert_eq!(settings.message_text, MessageText::Fit);
    let StateSettings::Identity { blob_service_uri, container, .. } = settings.state else {
        panic!("the host's storage is reached by identity");
    };
    assert_eq!(blob_service_uri.as_str(), "https://acmelogs.blob.core.windows.net/");
    assert_eq!(container, "proofpoint-sentinel");
}

#[test]
fn settings_that_nothing_reads_are_reported() {
    let unknown = |more: &[(&str, &str)]| Settings::read(&complete_with(more)).unwrap().unknown;
    let read = [
        ("ProofpointSchedule", "0 */5 * * * *"),
        ("ProofpointMode", ""),
        ("ProofpointProxy", "http://proxy.example:3128"),
        ("ProofpointClusterID_emea", "emea_hosted"),
        ("ProofpointToken_emea", "t0ken"),
        ("WEBSITE_SITE_NAME", "func-podlogs"),
        ("Proof", "1"),
    ];
    assert_eq!(unknown(&read), [""; 0]);
    let misspelt =
        [("ProofpointSecondReadHour", "0"), ("proofpointmode", "live"), ("ProofpointTokens", "x")];
    assert_eq!(
        unknown(&misspelt),
        ["ProofpointSecondReadHour", "ProofpointTokens", "proofpointmode"]
    );
}

#[test]
fn one_message_names_every_bad_setting_and_no_secret() {
    let error = Settings::read(&vars(&[
        ("ProofpointToken", "hunter2 hunter2"),
        ("ProofpointClusterID_emea", "emea_hosted"),
        ("ProofpointEventTypes", "message,clicks"),
        ("ProofpointInitialLookbackHours", "9000"),
        ("ProofpointArchiveDelayMinutes", "soon"),
        ("ProofpointMode", "telepathy"),
        ("ProofpointLiveQuietSeconds", "0"),
        ("ProofpointSecondReadHours", "72"),
        ("ProofpointMessageText", "keep"),
        ("ProofpointConnectorTable", "maybe"),
        ("ProofpointLogStreamUri", "https://logstream.proofpoint.com"),
        ("WorkspaceID", "my workspace"),
        ("WorkspaceKey", "hunter3!"),
        ("StateStorage", "hunter4"),
        ("StateContainer", "-x"),
        ("AZURE_CLOUD", "mars"),
    ]))
    .unwrap_err();
    let message = error.to_string();
    for name in [
        "ProofpointClusterID:",
        "ProofpointToken:",
        "ProofpointToken_emea:",
        "ProofpointEventTypes: found `clicks`",
        "ProofpointInitialLookbackHours: found 9000, expected a whole number from 1 to 719",
        "ProofpointArchiveDelayMinutes: found `soon`",
        "ProofpointMode: found `telepathy`, expected hybrid or archive",
        "ProofpointLiveQuietSeconds: found 0, expected a whole number from 1 to 280",
        "ProofpointSecondReadHours: found 72, expected a whole number from 0 to 48",
        "ProofpointMessageText: found `keep`, expected fit or drop",
        "ProofpointConnectorTable: found `maybe`, expected on or off",
        "ProofpointLogStreamUri",
        "WorkspaceID: found `my workspace`",
        "WorkspaceKey",
        "StateStorage",
        "StateContainer",
        "AZURE_CLOUD: found `mars`, expected public, usgov or china",
    ] {
        assert!(message.contains(name), "{name} in {message}");
    }
    assert_eq!(error.faults.len(), 17, "{message}");
    assert!(!message.contains("hunter"), "{message}");
}

#[test]
fn without_settings_the_error_names_what_is_needed() {
    assert_eq!(
        faults(&Vars::new()),
        [
            "ProofpointClusterID and ProofpointToken",
            "LogsIngestionEndpoint and DcrImmutableId, or WorkspaceID and WorkspaceKey",
            "StateStorage",
        ]
    );
}

#[test]
fn modes_and_second_reads() {
    let source =
        |name: &str, value: &str| Settings::read(&complete_with(&[(name, value)])).unwrap().source;
    for (text, mode) in [("hybrid", Mode::Hybrid), ("Archive", Mode::Archive)] {
        assert_eq!(source("ProofpointMode", text).mode, mode, "{text}");
    }
    assert_eq!(source("ProofpointMode", "hybrid").live, LiveReading::CatchUp);
    for (text, live) in
        [("catch-up", LiveReading::CatchUp), ("Continuous", LiveReading::Continuous)]
    {
        assert_eq!(source("ProofpointLive", text).live, live, "{text}");
    }
    assert_eq!(source("ProofpointSecondReadHours", "0").second_read, None);
}

#[test]
fn the_mode_live_of_release_0_1_0_is_replaced_and_told() {
    let read = |mode| Settings::read(&complete_with(&[("ProofpointMode", mode)])).unwrap();
    for mode in ["live", "Live"] {
        let settings = read(mode);
        assert_eq!((settings.source.mode, settings.replaced.len()), (Mode::Hybrid, 1), "{mode}");
    }
    assert_eq!(read("hybrid").replaced, [""; 0]);
}

#[test]
fn several_clusters() {
    let settings = Settings::read(&complete_with(&[
        ("ProofpointClusterID_emea", "emea_hosted"),
        ("ProofpointToken_emea", "other"),
    ]))
    .unwrap();
    let clusters: Vec<_> =
        settings.source.clusters.iter().map(|c| (c.name.as_str(), c.id.as_str())).collect();
    assert_eq!(clusters, [("default", "acme_hosted"), ("emea", "emea_hosted")]);
}

#[test]
fn a_cluster_named_twice_is_a_fault() {
    let twice = complete_with(&[
        ("ProofpointClusterID_emea", "acme_hosted"),
        ("ProofpointToken_emea", "other"),
    ]);
    let source = Settings::read(&twice).unwrap().source;
    assert_eq!(source.clusters.len(), 1);
    let [unusable] = &source.unusable_clusters[..] else { panic!("one of them is left out") };
    assert_eq!((unusable.name.as_str(), &unusable.id), ("emea", &None));
    assert_eq!(unusable.faults[0].setting, "ProofpointClusterID_emea");
    assert!(unusable.to_string().contains("which the cluster default has"), "{unusable}");
}

#[test]
fn the_second_of_two_equal_clusters_takes_the_firsts_place() {
    let mut twice = complete_with(&[
        ("ProofpointClusterID_emea", "acme_hosted"),
        ("ProofpointToken_emea", "other"),
    ]);
    twice.remove("ProofpointToken");
    let source = Settings::read(&twice).unwrap().source;
    let names: Vec<_> = source.clusters.iter().map(|cluster| cluster.name.as_str()).collect();
    assert_eq!((names, source.unusable_clusters.len()), (vec!["emea"], 1));
}

#[test]
fn blank_settings_of_a_cluster_are_as_good_as_none() {
    let blank = [("ProofpointClusterID_emea", ""), ("ProofpointToken_emea", "  ")];
    let settings = Settings::read(&complete_with(&blank)).unwrap();
    assert_eq!((settings.source.clusters.len(), settings.source.unusable_clusters.len()), (1, 0));
    assert_eq!(settings.unknown, [""; 0]);
}

#[test]
fn a_run_without_a_usable_cluster_does_not_begin() {
    let mut none = complete_with(&[("ProofpointClusterID_emea", "emea_hosted")]);
    none.remove("ProofpointToken");
    assert_eq!(faults(&none), ["ProofpointToken", "ProofpointToken_emea"]);
}

#[test]
fn what_stands_around_a_token_is_named() {
    for (token, found) in [
        ("\"t0ken\"", "in quotation marks"),
        ("'t0ken'", "in quotation marks"),
        ("Bearer t0ken", "the word Bearer"),
        ("bearer\tt0ken", "the word Bearer"),
        ("Authorization: Bearer t0ken", "the word Bearer"),
        ("t0 ken", "blanks"),
        ("t0k\u{e9}n", "beyond ASCII"),
    ] {
        let error = Settings::read(&complete_with(&[("ProofpointToken", token)])).unwrap_err();
        let text = error.to_string();
        assert!(text.contains(found) && !text.contains("t0"), "{token}: {text}");
    }
}

#[test]
fn an_unresolved_key_vault_reference_is_a_fault() {
    let reference = "@Microsoft.KeyVault(VaultName=v;SecretName=pod)";
    let error = Settings::read(&complete_with(&[("ProofpointToken", reference)])).unwrap_err();
    assert!(error.to_string().contains("Key Vault Secrets User"), "{error}");
}

#[test]
fn two_destinations_need_a_choice() {
    let legacy =
        [("WorkspaceID", "5a1b2c3d-0000-4000-8000-123456789abc"), ("WorkspaceKey", "c2VjcmV0")];
    assert_eq!(faults(&complete_with(&legacy)), ["Destination"]);
    let mut chosen = complete_with(&legacy);
    chosen.insert("Destination".into(), "data-collector".into());
    let settings = Settings::read(&chosen).unwrap();
    let DestinationSettings::DataCollector { uri, .. } = settings.destination else {
        panic!("the choice is followed");
    };
    assert_eq!(
        uri.as_str(),
        "https://5a1b2c3d-0000-4000-8000-123456789abc.ods.opinsights.azure.com/"
    );
}

#[test]
fn log_analytics_uri_is_any_https_url_without_a_path() {
    for (text, good) in [
        ("https://x.ods.opinsights.azure.us", true),
        ("https://proxy.example.com:8443/", true),
        ("http://127.0.0.1:7001", true),
        ("http://x.ods.opinsights.azure.us", false),
        ("https://x.example.com/api/logs", false),
        ("https://user:pw@x.example.com", false),
        ("x.example.com", false),
    ] {
        let legacy = vars(&[
            ("ProofpointClusterID", "acme_hosted"),
            ("ProofpointToken", "t0ken"),
            ("WorkspaceID", "5a1b2c3d-0000-4000-8000-123456789abc"),
            ("WorkspaceKey", "c2VjcmV0"),
            ("StateStorage", "file:///tmp/state"),
            ("logAnalyticsUri", text),
        ]);
        assert_eq!(Settings::read(&legacy).is_ok(), good, "{text}");
    }
}

#[test]
fn a_bad_address_is_reported_without_its_secrets() {
    for (name, text) in [
        ("StateStorage", "https://acmelogs.blob.core.windows.net/?sig=hunter2&sv=2025-01-05"),
        ("StateStorage", "https://acmelogs.blob.core.windows.net/#hunter2"),
        ("LogsIngestionEndpoint", "https://ann:hunter2@rule.ingest.monitor.azure.com"),
        ("ProofpointLogStreamUri", "https://ann:hunter2@logstream.proofpoint.com"),
    ] {
        let message = Settings::read(&complete_with(&[(name, text)])).unwrap_err().to_string();
        assert!(message.contains(&format!("{name}: found an address with a user")), "{message}");
        assert!(!message.contains("hunter2"), "{message}");
    }
}

#[test]
fn the_state_has_its_place_by_the_settings() {
    let state = |more: &[(&str, &str)]| Settings::read(&complete_with(more)).unwrap().state;
    assert!(matches!(
        state(&[("StateStorage", "file:///var/lib/pod")]),
        StateSettings::Directory(path) if path == std::path::Path::new("/var/lib/pod")
    ));
    assert!(matches!(
        state(&[("AzureWebJobsStorage", "UseDevelopmentStorage=true")]),
        StateSettings::ConnectionString { .. }
    ));
    assert!(matches!(
        state(&[("StateStorage", "https://other.blob.core.windows.net")]),
        StateSettings::Identity { blob_service_uri, .. }
            if blob_service_uri.host_str() == Some("other.blob.core.windows.net")
    ));
}

#[test]
fn identities() {
    let identity =
        |more: &[(&str, &str)]| match Settings::read(&complete_with(more)).unwrap().destination {
            DestinationSettings::LogsIngestion { identity, .. } => identity,
            DestinationSettings::DataCollector { .. } => panic!("there is no workspace key"),
        };
    assert_eq!(identity(&[]).credential, Credential::ManagedIdentity { client_id: None });
    assert_eq!(identity(&[("AZURE_CLOUD", "usgov")]).cloud, Cloud::UsGovernment);
    assert_eq!(
        identity(&[("AZURE_CLIENT_ID", "c")]).credential,
        Credential::ManagedIdentity { client_id: Some("c".into()) }
    );
    let principal = [("AZURE_CLIENT_ID", "c"), ("AZURE_TENANT_ID", "t")];
    let with = |name, value| identity(&[principal[0], principal[1], (name, value)]).credential;
    assert!(matches!(with("AZURE_CLIENT_SECRET", "s"), Credential::ClientSecret { .. }));
    assert!(matches!(
        with("AZURE_FEDERATED_TOKEN_FILE", "/token"),
        Credential::WorkloadIdentity { .. }
    ));
    assert_eq!(
        faults(&complete_with(&[("AZURE_CLIENT_SECRET", "s")])),
        ["AZURE_TENANT_ID", "AZURE_CLIENT_ID"]
    );
}

#[test]
fn the_port_comes_from_the_host() {
    let read = |port: &str| HostSettings::read(&vars(&[("FUNCTIONS_CUSTOMHANDLER_PORT", port)]));
    assert_eq!(read("34963").unwrap().port, 34963);
    for bad in ["", "0", "-1", "70000", "http"] {
        let faults = read(bad).unwrap_err().faults;
        assert_eq!(faults.len(), 1, "{bad}");
        assert_eq!(faults[0].setting, "FUNCTIONS_CUSTOMHANDLER_PORT", "{bad}");
    }
}

#[test]
fn the_state_can_be_read_without_the_rest() {
    let state = [("StateStorage", "file:///var/lib/state"), ("SSL_CERT_FILE", "/roots.pem")];
    let directory = StateSettings::read(&vars(&state)).unwrap();
    assert!(matches!(directory, StateSettings::Directory(path) if path.ends_with("state")));
    assert_eq!(NetSettings::read(&vars(&state)).unwrap().extra_roots, Some("/roots.pem".into()));

    let bad = [("AZURE_CLOUD", "mars"), ("StateContainer", "A")];
    let faults = StateSettings::read(&vars(&bad)).unwrap_err().faults;
    let names: Vec<&str> = faults.iter().map(|fault| fault.setting.as_str()).collect();
    assert_eq!(names, ["AZURE_CLOUD", "StateContainer", "StateStorage"]);
}
