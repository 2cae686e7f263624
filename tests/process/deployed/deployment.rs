//! A Function App deployed by the template, with mail traffic.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};
use proofpoint_sentinel::settings::Vars;
use proofpoint_sentinel_core::feed::{EventType, Feed};
use proofpoint_sentinel_core::hour::Hour;
use proofpoint_sentinel_core::secret::Secret;
use proofpoint_sentinel_core::tables::table;
use proofpoint_sentinel_simulator::host::FunctionsHost;
use proofpoint_sentinel_simulator::mail::MailTraffic;
use proofpoint_sentinel_simulator::pod::{EventSource, GeneratedEvents, MailVolume, PodCluster};
use serde_json::{Value, json};

use crate::app::App;
use crate::deployed::azure::{Azure, Company, WORKSPACE_ID};
use crate::deployed::template::Deployed;
use crate::soon;

/// The cluster that every deployment has, and its token.
pub(crate) const CLUSTER: (&str, &str) = ("acme_hosted", "token-of-acme");

const WORKSPACE: &str = "/subscriptions/11111111-1111-1111-1111-111111111111/resourceGroups/security-operations/providers/Microsoft.OperationalInsights/workspaces/soc-workspace";

const LOOKBACK_HOURS: i64 = 3;
const VOLUME: MailVolume = MailVolume { messages: 30, audits: 10, daily: false, bulk: false };

/// The options of a deployment.
pub(crate) struct DeploymentOptions {
    /// Parameters of the template, besides those that all deployments here have.
    pub parameters: Value,
    /// Additional clusters, each with its token.
    pub more_clusters: &'static [(&'static str, &'static str)],
    pub event_types: &'static [EventType],
}

pub(crate) struct Deployment {
    pub azure: Azure,
    pub deployed: Deployed,
    pub feeds: Vec<Feed>,
    app: App,
    source: Arc<GeneratedEvents>,
    began: Timestamp,
}

impl Deployment {
    pub(crate) async fn of(options: DeploymentOptions) -> Deployment {
        let company = Company::new().await;
        let app = App::new();
        let certificate = root(&app).join("company-ca.pem");
        std::fs::write(&certificate, company.certificate()).unwrap();
        let deployed = Deployed::with(&parameters(&options, &company, &certificate));

        let clusters = [&[CLUSTER], options.more_clusters].concat();
        let traffic = clusters.iter().map(|(id, _)| ((*id).to_owned(), MailTraffic::new(1, id)));
        let source = Arc::new(GeneratedEvents::new(traffic, VOLUME));
        let known = clusters
            .iter()
            .map(|(id, token)| PodCluster { id: (*id).to_owned(), token: Secret::new(*token) });
        let settings = deployed.settings();
        let rule = settings.get("DcrImmutableId");
        let ingestion = match settings.get("LogsIngestionEndpoint") {
            Some(endpoint) => endpoint.trim_start_matches("https://").to_owned(),
            None => format!("{WORKSPACE_ID}.ods.opinsights.azure.com"),
        };
        let events = Arc::clone(&source) as Arc<dyn EventSource>;
        let azure =
            Azure::start(company, &deployed, known.collect(), events, &ingestion, rule).await;
        let feeds = clusters.iter().flat_map(|(id, _)| {
            let feed = |event_type: &EventType| Feed::log(*id, *event_type);
            options.event_types.iter().map(feed)
        });
        let feeds = feeds.collect();
        Deployment { azure, deployed, feeds, app, source, began: Timestamp::now() }
    }

    /// The environment that the platform gives the Functions host.
    pub(crate) fn environment(&self) -> Vars {
        self.deployed.environment().into_iter().chain(self.azure.identity_settings()).collect()
    }

    /// A Functions host that has started the program.
    pub(crate) async fn host(&self, environment: Vars) -> FunctionsHost {
        soon(FunctionsHost::start(&root(&self.app), environment)).await.unwrap()
    }

    /// Asserts that every event of the due hours was delivered exactly once.
    #[track_caller]
    pub(crate) fn assert_delivered(&self, table_of: impl Fn(EventType) -> String) {
        let newest = Hour::newest_due(self.began, SignedDuration::from_mins(45));
        let oldest = Hour::containing(self.began).plus(1 - LOOKBACK_HOURS);
        for feed in &self.feeds {
            let table = table_of(feed.event_type().unwrap());
            let rows = self.azure.workspace.rows(&table);
            let ids: BTreeSet<String> = rows.iter().map(|row| id(feed, row.as_bytes())).collect();
            assert_eq!(ids.len(), rows.len(), "{table}: a row came twice");
            let due = oldest.through(newest).flat_map(|hour| self.source.events(feed, hour));
            let due: Vec<String> = due.map(|event| id(feed, &event)).collect();
            assert!(!due.is_empty(), "{feed}");
            let missing: Vec<&String> = due.iter().filter(|id| !ids.contains(*id)).collect();
            assert!(missing.is_empty(), "{feed}: {table} lacks {missing:?}");
        }
        assert_eq!(self.azure.workspace.violations(), []);
    }
}

fn parameters(options: &DeploymentOptions, company: &Company, certificate: &Path) -> Value {
    let mut parameters = json!({
        "clusterId": CLUSTER.0,
        "proofpointToken": CLUSTER.1,
        "workspaceResourceId": WORKSPACE,
        "proxy": company.proxy(),
        "companyCaFile": certificate,
        "initialLookbackHours": LOOKBACK_HOURS,
        "liveQuietSeconds": 1,
    });
    let all = parameters.as_object_mut().expect("it is an object");
    all.extend(options.parameters.as_object().expect("it is an object").clone());
    parameters
}

/// The app's directory.
fn root(app: &App) -> PathBuf {
    app.host_json().with_file_name("")
}

/// The id of an event or of its row.
fn id(feed: &Feed, json: &[u8]) -> String {
    let value: Value = serde_json::from_slice(json).expect("it is JSON");
    value[table(feed.event_type().unwrap()).id].as_str().expect("it has an id").to_owned()
}
