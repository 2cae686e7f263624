//! Runs of an app deployed by the template.

use std::collections::BTreeSet;

use proofpoint_sentinel::host::FUNCTION;
use proofpoint_sentinel::settings::Vars;
use proofpoint_sentinel_core::feed::EventType;
use proofpoint_sentinel_core::tables::table;
use proofpoint_sentinel_simulator::host::{
    FunctionsHost, FunctionsHostError, InvocationOutcome, TimerTrigger,
};
use serde_json::json;

use crate::app::{fire, succeed};
use crate::deployed::azure::{LOG_API, PASSWORD, WORKSPACE_ID, WORKSPACE_KEY};
use crate::deployed::deployment::{Deployment, DeploymentOptions};
use crate::deployed::identity::TokenRequest;
use crate::soon;

const STORAGE: &str = "https://storage.azure.com";
const MONITOR: &str = "https://monitor.azure.com";

fn flex() -> DeploymentOptions {
    DeploymentOptions {
        parameters: json!({"hostingPlan": "FlexConsumption"}),
        more_clusters: &[],
        event_types: &[EventType::Message, EventType::Maillog],
    }
}

fn premium_with_two_clusters() -> DeploymentOptions {
    const EMEA: (&str, &str) = ("acme_emea_hosted", "token-of-emea");
    DeploymentOptions {
        parameters: json!({
            "hostingPlan": "ElasticPremium",
            "eventTypes": "message,maillog,audit",
            "messageText": "drop",
            "additionalClusters": {
                "clusters": [{"name": "emea", "clusterId": EMEA.0, "token": EMEA.1}],
            },
        }),
        more_clusters: &[EMEA],
        event_types: &EventType::ALL,
    }
}

fn legacy() -> DeploymentOptions {
    DeploymentOptions {
        parameters: json!({
            "destination": "data-collector",
            "legacyWorkspaceId": WORKSPACE_ID,
            "legacyWorkspaceKey": WORKSPACE_KEY,
            "eventTypes": "message,maillog,audit",
        }),
        more_clusters: &[],
        event_types: &EventType::ALL,
    }
}

/// Runs the app twice, the second time in a new process. Asserts that it reaches exactly Proofpoint,
/// `ingestion` and its storage, and requests tokens for exactly `resources`.
async fn assert_works(deployment: &Deployment, ingestion: &str, resources: &[&str]) {
    let host = deployment.host(deployment.environment()).await;
    succeed(&host).await;
    assert_tells_no_secret(deployment, &host);
    host.kill().await;
    let host = deployment.host(deployment.environment()).await;
    succeed(&host).await;
    assert_tells_no_secret(deployment, &host);

    let azure = &deployment.azure;
    let storage = azure.blob_service();
    let peers = [LOG_API, ingestion, &storage].map(|name| format!("{name}:443"));
    assert_eq!(azure.peers(), peers.into());
    let asked = azure.tokens().into_iter().map(|TokenRequest { resource, client_id }| {
        assert_eq!(client_id, None, "the app has no identity but the system's");
        resource.trim_end_matches('/').to_owned()
    });
    assert_eq!(
        asked.collect::<BTreeSet<_>>(),
        resources.iter().copied().map(str::to_owned).collect()
    );

    let made: BTreeSet<String> = deployment.deployed.containers().into_iter().collect();
    assert_eq!(azure.containers().await, made, "state is where the template made room for it");
    for feed in &deployment.feeds {
        let checkpoint = azure.checkpoint("proofpoint-sentinel", feed).await;
        assert!(checkpoint.is_some(), "{feed}");
    }
}

fn assert_tells_no_secret(deployment: &Deployment, host: &FunctionsHost) {
    let secrets = [deployment.deployed.secrets(), vec![PASSWORD.to_owned()]].concat();
    assert!(secrets.len() > 2, "the token, the proxy and its password at least");
    for line in host.lines() {
        let told = secrets.iter().find(|secret| line.text.contains(*secret));
        assert!(told.is_none(), "{}", line.text);
    }
}

fn new_table(event_type: EventType) -> String {
    table(event_type).name.to_owned()
}

fn legacy_table(event_type: EventType) -> String {
    format!("{}_CL", table(event_type).log_type)
}

fn ingestion(deployment: &Deployment) -> String {
    let settings = deployment.deployed.settings();
    settings["LogsIngestionEndpoint"].trim_start_matches("https://").to_owned()
}

#[tokio::test(flavor = "multi_thread")]
async fn on_flex_consumption_rows_arrive() {
    let deployment = Deployment::of(flex()).await;
    assert_works(&deployment, &ingestion(&deployment), &[STORAGE, MONITOR]).await;
    deployment.assert_delivered(new_table);
}

#[tokio::test(flavor = "multi_thread")]
async fn on_premium_rows_of_all_clusters_and_types_arrive() {
    let deployment = Deployment::of(premium_with_two_clusters()).await;
    assert_eq!(deployment.feeds.len(), 6);
    assert_works(&deployment, &ingestion(&deployment), &[STORAGE, MONITOR]).await;
    deployment.assert_delivered(new_table);
}

#[tokio::test(flavor = "multi_thread")]
async fn with_the_data_collector_api_rows_arrive() {
    let deployment = Deployment::of(legacy()).await;
    let ingestion = format!("{WORKSPACE_ID}.ods.opinsights.azure.com");
    assert_works(&deployment, &ingestion, &[STORAGE]).await;
    deployment.assert_delivered(legacy_table);
}

#[tokio::test(flavor = "multi_thread")]
async fn without_a_required_setting_the_tick_fails_and_names_it() {
    for (options, required) in [
        (flex(), vec!["LogsIngestionEndpoint", "DcrImmutableId"]),
        (legacy(), vec!["WorkspaceID", "WorkspaceKey"]),
        (premium_with_two_clusters(), vec!["ProofpointClusterID_emea", "ProofpointToken_emea"]),
    ] {
        let has_other_cluster = !options.more_clusters.is_empty();
        let deployment = Deployment::of(options).await;
        let state = [("AzureWebJobsStorage__blobServiceUri", "StateStorage")];
        let source = ["ProofpointClusterID", "ProofpointToken"];
        let named_as_they_are = required.into_iter().chain(source).map(|name| (name, name));
        for (setting, named) in named_as_they_are.chain(state) {
            let host = deployment.host(without(&deployment, setting)).await;
            match fire(&host).await {
                InvocationOutcome::Failed { status: 500, body } => {
                    let named = format!("{named}: found nothing");
                    assert!(body.contains(&named), "{setting}: {body}");
                }
                other => panic!("{setting}: {other:?}"),
            }
        }
        let host = deployment.host(without(&deployment, "ProofpointSchedule")).await;
        let refused = soon(host.fire(FUNCTION, &TimerTrigger::default())).await;
        assert!(matches!(refused, Err(FunctionsHostError::InvalidApp { .. })), "{refused:?}");
        // What one cluster lacks stops no other.
        let has_rows = deployment.azure.workspace.counters().rows > 0;
        assert_eq!(has_rows, has_other_cluster);
    }
}

#[track_caller]
fn without(deployment: &Deployment, setting: &str) -> Vars {
    let mut environment = deployment.environment();
    environment.remove(setting).unwrap_or_else(|| panic!("the template does not set {setting}"));
    environment
}
