//! What the template deploys fits the program: its tables and streams have the columns that rows
//! are sent with, and its settings are ones that the program runs with.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::process::Command;
use std::sync::LazyLock;

use proofpoint_sentinel::settings::{
    Cloud, Cluster, Credential, DestinationSettings, Settings, StateSettings, TapAccount, Vars,
};
use proofpoint_sentinel_core::tables::{ColumnType, Table, tables};
use serde::Deserialize;

/// Types by column, in the words of the Tables API.
type Columns = BTreeMap<String, String>;

/// What one of the deployments that tests/template goes through comes to.
#[derive(Deserialize)]
struct Deployment {
    name: String,
    cloud: String,
    /// What was chosen, such as `destination`.
    names: BTreeMap<String, String>,
    /// The app's settings, Key Vault references resolved.
    environment: Vars,
    tables: BTreeMap<String, Columns>,
    streams: BTreeMap<String, Columns>,
}

static DEPLOYMENTS: LazyLock<Vec<Deployment>> = LazyLock::new(|| {
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/template/evaluate.mjs");
    let evaluated =
        Command::new("node").arg(script).arg("--all").output().expect("node can be run");
    let reason = String::from_utf8_lossy(&evaluated.stderr);
    assert!(evaluated.status.success(), "the template does not evaluate: {reason}");
    serde_json::from_slice(&evaluated.stdout).expect("evaluate.mjs prints deployments")
});

/// All deployments with the choice; there is at least one.
fn deployments(choice: &str, name: &str) -> Vec<&'static Deployment> {
    let with = |deployment: &&Deployment| deployment.names[choice] == name;
    let found: Vec<&Deployment> = DEPLOYMENTS.iter().filter(with).collect();
    assert!(!found.is_empty(), "no deployment has the {choice} {name}");
    found
}

/// The columns of a table, where a time is a `date_time`: tables and streams spell it differently.
fn columns(table: &Table, date_time: &str) -> Columns {
    let named = |column_type| match column_type {
        ColumnType::DateTime => date_time,
        ColumnType::String => "string",
        ColumnType::Dynamic => "dynamic",
        ColumnType::Int => "int",
        ColumnType::Long => "long",
        ColumnType::Real => "real",
        ColumnType::Boolean => "boolean",
    };
    let column = |(name, column_type): (&str, _)| (name.to_owned(), named(column_type).to_owned());
    table.columns.iter().map(|each| column((each.name, each.column_type))).collect()
}

/// The tables to which the program sends rows if it is deployed like this: without TAP not those of records.
fn sent_to(deployment: &Deployment) -> Vec<&'static Table> {
    let has_tap = deployment.environment.contains_key("TapServicePrincipal");
    tables().into_iter().filter(|table| has_tap || !table.name.contains("TAP")).collect()
}

/// What the program sends, by tables, as the Tables API spells types.
fn sent_to_tables(tables: &[&Table]) -> BTreeMap<String, Columns> {
    let named = |table: &&Table| (table.name.to_owned(), columns(table, "dateTime"));
    tables.iter().map(named).collect()
}

/// What the program sends, by streams, as a data collection rule spells types.
fn sent_to_streams(tables: &[&Table]) -> BTreeMap<String, Columns> {
    let named = |table: &&Table| (table.stream.to_owned(), columns(table, "datetime"));
    tables.iter().map(named).collect()
}

/// Every column in which two sets of tables differ.
fn differences(left: &BTreeMap<String, Columns>, right: &BTreeMap<String, Columns>) -> Vec<String> {
    let flat = |tables: &BTreeMap<String, Columns>| -> BTreeSet<String> {
        let column = |table: &str, (name, column_type): (&String, &String)| {
            format!("{table}.{name}: {column_type}")
        };
        tables
            .iter()
            .flat_map(|(table, columns)| columns.iter().map(|each| column(table, each)))
            .collect()
    };
    flat(left).symmetric_difference(&flat(right)).cloned().collect()
}

#[test]
fn tables_and_streams_have_the_columns_that_rows_are_sent_with() {
    for deployment in deployments("destination", "logs-ingestion") {
        let Deployment { name, tables, streams, .. } = deployment;
        let sent = sent_to(deployment);
        assert_eq!(differences(tables, &sent_to_tables(&sent)), [""; 0], "tables of {name}");
        assert_eq!(differences(streams, &sent_to_streams(&sent)), [""; 0], "streams of {name}");
    }
    let with_tap = deployments("sources", "with TAP");
    assert!(with_tap.iter().all(|deployment| sent_to(deployment).len() == 8));
}

#[test]
fn the_data_collector_api_gets_no_tables() {
    for Deployment { name, tables, streams, .. } in deployments("destination", "data-collector") {
        assert!(tables.is_empty() && streams.is_empty(), "{name}");
    }
}

#[test]
fn a_column_that_lacks_or_has_another_type_is_found() {
    let whole = sent_to_tables(&tables());
    assert_eq!(differences(&whole, &whole), [""; 0]);
    let broken = |change: fn(&mut Columns)| {
        let mut broken = whole.clone();
        change(broken.get_mut("ProofpointPODMessage_CL").unwrap());
        differences(&broken, &whole)
    };
    let lacking = broken(|columns| drop(columns.remove("msg")));
    assert_eq!(lacking, ["ProofpointPODMessage_CL.msg: dynamic"]);
    let other = broken(|columns| drop(columns.insert("msg".to_owned(), "string".to_owned())));
    assert_eq!(
        other,
        ["ProofpointPODMessage_CL.msg: dynamic", "ProofpointPODMessage_CL.msg: string"]
    );
    let more = broken(|columns| drop(columns.insert("more".to_owned(), "string".to_owned())));
    assert_eq!(more, ["ProofpointPODMessage_CL.more: string"]);
}

fn settings(deployment: &Deployment) -> Settings {
    Settings::read(&deployment.environment)
        .unwrap_or_else(|error| panic!("{}: {error}", deployment.name))
}

#[test]
fn every_deployment_has_settings_that_the_program_runs_with() {
    for deployment in DEPLOYMENTS.iter() {
        assert_eq!(settings(deployment).unknown, [""; 0], "{}", deployment.name);
    }
}

#[test]
fn each_destination_is_the_one_that_was_chosen() {
    for deployment in deployments("destination", "logs-ingestion") {
        let destination = settings(deployment).destination;
        let DestinationSettings::LogsIngestion { identity, .. } = destination else {
            panic!("{}: {destination:?}", deployment.name);
        };
        assert_eq!(identity.credential, Credential::ManagedIdentity { client_id: None });
        let cloud = match deployment.cloud.as_str() {
            "public" => Cloud::Public,
            "usgov" => Cloud::UsGovernment,
            "china" => Cloud::China,
            other => panic!("there is no cloud {other}"),
        };
        assert_eq!(identity.cloud, cloud, "{}", deployment.name);
    }
    for deployment in deployments("destination", "data-collector") {
        let destination = settings(deployment).destination;
        let collector = matches!(destination, DestinationSettings::DataCollector { .. });
        assert!(collector, "{}: {destination:?}", deployment.name);
    }
}

#[test]
fn every_cluster_comes_with_its_own_token() {
    let clusters = |deployment: &Deployment| -> Vec<(String, String, String)> {
        let cluster = |Cluster { name, id, token }: Cluster| (name, id, token.reveal().to_owned());
        settings(deployment).source.clusters.into_iter().map(cluster).collect()
    };
    for (names, tokens) in [("first", "marker-of-token"), ("again", "kept-token")] {
        for deployment in deployments("deployment", names) {
            let found = clusters(deployment);
            let cluster = |name: &str, id: &str, suffix: &str| {
                (name.to_owned(), id.to_owned(), format!("{tokens}{suffix}"))
            };
            let mut expected = vec![cluster("default", "acme_hosted", "")];
            if deployment.names["sources"] == "TAP alone" {
                expected.clear();
            }
            if deployment.names["sources"] == "three clusters" {
                expected.push(cluster("apac", "acme_apac", "-apac"));
                expected.push(cluster("emea", "acme_emea", "-emea"));
            }
            assert_eq!(found, expected, "{}", deployment.name);
        }
    }
}

#[test]
fn tap_comes_with_its_own_secret() {
    for (names, secret) in [("first", "marker-of-tap-secret"), ("again", "kept-tap-secret")] {
        for deployment in deployments("deployment", names) {
            let has_tap = ["with TAP", "TAP alone"].contains(&&*deployment.names["sources"]);
            let Some(tap) = settings(deployment).tap else {
                assert!(!has_tap, "{}", deployment.name);
                continue;
            };
            assert!(has_tap, "{}", deployment.name);
            let [TapAccount { principal, secret: found, .. }] = &tap.accounts[..] else {
                panic!("{}: {tap:?}", deployment.name);
            };
            assert_eq!((principal.as_str(), found.reveal()), ("a-principal", secret));
        }
    }
}

#[test]
fn state_is_in_the_accounts_blobs_by_identity() {
    let suffixes = [
        ("public", ".blob.core.windows.net"),
        ("usgov", ".blob.core.usgovcloudapi.net"),
        ("china", ".blob.core.chinacloudapi.cn"),
    ];
    for (cloud, suffix) in suffixes {
        for deployment in deployments("cloud", cloud) {
            let state = settings(deployment).state;
            let StateSettings::Identity { blob_service_uri, identity, .. } = state else {
                panic!("{}: {state:?}", deployment.name);
            };
            let host = blob_service_uri.host_str().unwrap();
            assert!(host.ends_with(suffix), "{}: {host}", deployment.name);
            assert_eq!(identity.credential, Credential::ManagedIdentity { client_id: None });
        }
    }
}

#[test]
fn a_proxy_is_used_where_one_was_given() {
    for (name, proxied) in [("direct", false), ("proxy", true)] {
        for deployment in deployments("proxy", name) {
            let net = settings(deployment).source.net;
            assert_eq!(net.proxy.is_some(), proxied, "{}", deployment.name);
            if let Some(proxy) = net.proxy {
                assert_eq!((proxy.setting, proxy.port), ("ProofpointProxy", 3128));
                assert_eq!(proxy.no_proxy, "10.0.0.0/8");
            }
            assert_eq!(net.extra_roots.is_some(), proxied, "{}", deployment.name);
        }
    }
}
