//! Stand-ins for everything the connector talks to, for the demo, the tests and the benchmark:
//!
//! - [`pod`]: the Log API of Proofpoint on Demand, with mail traffic made up by [`mail`];
//! - [`workspace`]: the two APIs through which rows reach Log Analytics;
//! - [`identity`]: those who issue Azure's tokens;
//! - [`host`]: the Functions host that runs the connector.
//!
//! They are strict: what the real ones refuse, they refuse, and what the real ones swallow in
//! silence, they put on record. They listen on loopback, on free ports, and end when dropped.
//! Nothing outside of this module knows them: the connector finds them through its settings.
#![expect(
    clippy::disallowed_methods,
    reason = "stand-ins have the time of the machine and write small files"
)]

pub mod certificates;
pub mod host;
pub mod identity;
pub mod mail;
pub mod pod;
mod serve;
#[cfg(test)]
mod test_util;
mod watched;
pub mod workspace;

use std::io;
use std::path::PathBuf;
use std::sync::Arc;

use certificates::Authority;
use identity::{Identity, IdentitySettings};
use mail::Traffic;
use pod::{EventSource, GeneratedEvents, Pod, PodCluster, PodSettings, Volume};
use proofpoint_sentinel_core::clock::Clock;
use proofpoint_sentinel_core::secret::Secret;
use workspace::{Keep, Workspace, WorkspaceSettings};

/// What a simulation is made of.
#[derive(Clone)]
pub struct SimulationSettings {
    /// An existing directory, into which the certificate that has to be trusted is written.
    pub directory: PathBuf,
    /// Where accepted rows go.
    pub keep: Keep,
    /// The Log API: its clusters, events and manners.
    pub pod: PodSettings,
}

impl SimulationSettings {
    /// Clusters with events from `source`, and rows kept in memory.
    pub fn new(
        directory: impl Into<PathBuf>,
        clock: Clock,
        cluster_ids: &[&str],
        source: Arc<dyn EventSource>,
    ) -> SimulationSettings {
        let cluster = |id: &&str| PodCluster {
            id: (*id).to_owned(),
            token: Secret::new(format!("simulated-token-of-{id}")),
        };
        let clusters = cluster_ids.iter().map(cluster).collect();
        let pod = PodSettings::new(clock, clusters, source);
        SimulationSettings { directory: directory.into(), keep: Keep::Memory, pod }
    }

    /// Clusters with made-up mail traffic, the same for the same `seed`.
    pub fn generated(
        directory: impl Into<PathBuf>,
        clock: Clock,
        cluster_ids: &[&str],
        seed: u64,
        volume: Volume,
    ) -> SimulationSettings {
        let traffic = cluster_ids.iter().map(|id| ((*id).to_owned(), Traffic::new(seed, id)));
        let source = Arc::new(GeneratedEvents::new(traffic, volume));
        SimulationSettings::new(directory, clock, cluster_ids, source)
    }
}

/// Which of the workspace's APIs the connector is to use.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DestinationApi {
    /// The Logs Ingestion API, with the tokens of a managed identity.
    LogsIngestion,
    /// The HTTP Data Collector API, with the workspace's key.
    DataCollector,
}

/// Everything that the connector talks to, running.
pub struct Simulation {
    /// The Log API.
    pub pod: Pod,
    /// The workspace.
    pub workspace: Workspace,
    /// The issuers of tokens.
    pub identity: Identity,
    clusters: Vec<PodCluster>,
    certificate: PathBuf,
}

impl Simulation {
    /// Starts it all.
    ///
    /// # Errors
    /// Where no port can be had or the certificate can't be written.
    pub async fn start(settings: SimulationSettings) -> io::Result<Simulation> {
        let authority = Authority::new()?;
        let certificate = settings.directory.join("simulated-authority.pem");
        authority.write_pem(&certificate)?;
        let identity = Identity::start(&authority, IdentitySettings::default()).await?;
        let clock = settings.pod.clock.clone();
        let workspace = WorkspaceSettings::new(clock, identity.tokens().clone());
        let workspace =
            Workspace::start(WorkspaceSettings { keep: settings.keep, ..workspace }).await?;
        let clusters = settings.pod.clusters.clone();
        let pod = Pod::start(&authority, settings.pod).await?;
        Ok(Simulation { pod, workspace, identity, clusters, certificate })
    }

    /// The Function App settings with which the connector talks to this simulation. The first
    /// cluster's have no suffix, the others' are numbered from 2. Where state is kept is left to
    /// the caller.
    pub fn app_settings(&self, destination: DestinationApi) -> Vec<(String, String)> {
        let mut settings = vec![
            ("ProofpointLogStreamUri", self.pod.uri().as_str().trim_end_matches('/').to_owned()),
            ("SSL_CERT_FILE", self.certificate.display().to_string()),
            // A proxy of this machine's environment is not for peers on this machine.
            ("NO_PROXY", "localhost,127.0.0.1".to_owned()),
        ];
        let workspace = self.workspace.settings();
        match destination {
            DestinationApi::LogsIngestion => settings.extend([
                ("LogsIngestionEndpoint", self.workspace.uri()),
                ("DcrImmutableId", workspace.dcr_immutable_id.clone()),
                ("IDENTITY_ENDPOINT", self.identity.endpoint()),
                ("IDENTITY_HEADER", self.identity.settings().identity_header.reveal().to_owned()),
            ]),
            DestinationApi::DataCollector => settings.extend([
                ("WorkspaceID", workspace.workspace_id.clone()),
                ("WorkspaceKey", workspace.workspace_key.reveal().to_owned()),
                ("logAnalyticsUri", self.workspace.uri()),
            ]),
        }
        let own = settings.into_iter().map(|(name, value)| (name.to_owned(), value));
        own.chain(self.cluster_settings()).collect()
    }

    fn cluster_settings(&self) -> impl Iterator<Item = (String, String)> {
        self.clusters.iter().zip(1..).flat_map(|(cluster, number)| {
            let suffix = if number == 1 { String::new() } else { format!("_{number}") };
            [
                (format!("ProofpointClusterID{suffix}"), cluster.id.clone()),
                (format!("ProofpointToken{suffix}"), cluster.token.reveal().to_owned()),
            ]
        })
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashMap;

    use super::*;
    use crate::test_util::TestClient;

    async fn simulation(directory: &std::path::Path) -> Simulation {
        let volume = Volume { messages: 10, audits: 1, daily: false, bulk: false };
        let clusters = ["acme_hosted", "acme_emea_hosted"];
        let settings =
            SimulationSettings::generated(directory, Clock::system(), &clusters, 1, volume);
        Simulation::start(settings).await.unwrap()
    }

    fn settings(simulation: &Simulation, destination: DestinationApi) -> HashMap<String, String> {
        simulation.app_settings(destination).into_iter().collect()
    }

    #[tokio::test]
    async fn the_settings_lead_to_the_stand_ins() {
        let directory = tempfile::tempdir().unwrap();
        let simulation = simulation(directory.path()).await;
        let settings = settings(&simulation, DestinationApi::LogsIngestion);
        assert_eq!(settings["ProofpointClusterID"], "acme_hosted");
        assert_eq!(settings["ProofpointToken_2"], "simulated-token-of-acme_emea_hosted");
        assert!(settings["ProofpointLogStreamUri"].starts_with("wss://localhost:"));
        assert!(!settings.contains_key("WorkspaceKey"));

        let pem = std::fs::read_to_string(&settings["SSL_CERT_FILE"]).unwrap();
        let client = TestClient::trusting(&pem);
        let url = format!(
            "{}?api-version=2019-08-01&resource=https%3A%2F%2Fmonitor.azure.com",
            settings["IDENTITY_ENDPOINT"]
        );
        let asked = client.http.get(url).header("x-identity-header", &settings["IDENTITY_HEADER"]);
        let token = asked.send().await.unwrap().bytes().await.unwrap();
        let token: serde_json::Value = serde_json::from_slice(&token).unwrap();
        let url = format!(
            "{}/dataCollectionRules/{}/streams/Custom-ProofpointPODAudit_CL?api-version=2023-01-01",
            settings["LogsIngestionEndpoint"], settings["DcrImmutableId"]
        );
        let posted = client
            .http
            .post(url)
            .bearer_auth(token["access_token"].as_str().unwrap())
            .header("content-type", "application/json")
            .body(r#"[{"TimeGenerated":"2026-11-20T06:00:00Z"}]"#);
        assert_eq!(posted.send().await.unwrap().status(), 204);
        assert_eq!(simulation.workspace.counters().rows, 1);
    }

    #[tokio::test]
    async fn the_legacy_destination_has_settings_of_its_own() {
        let directory = tempfile::tempdir().unwrap();
        let simulation = simulation(directory.path()).await;
        let settings = settings(&simulation, DestinationApi::DataCollector);
        for name in ["WorkspaceID", "WorkspaceKey", "logAnalyticsUri"] {
            assert!(settings.contains_key(name), "{name}");
        }
        assert!(!settings.contains_key("LogsIngestionEndpoint"));
    }
}
