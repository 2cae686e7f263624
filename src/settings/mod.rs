//! Function App settings, typed. Nothing else in the program reads environment variables.

use std::path::PathBuf;
use std::time::Duration;

use url::Url;

use crate::feed::EventType;
use crate::secret::Secret;

/// Everything that one run needs to know.
#[derive(Clone, Debug)]
pub struct Settings {
    /// At least one.
    pub clusters: Vec<Cluster>,
    /// At least one, each once.
    pub event_types: Vec<EventType>,
    /// How many hours the first run reaches back, 1 to 719.
    pub initial_lookback_hours: i64,
    /// How long after its end a closed hour is read.
    pub archive_delay: Duration,
    /// When an hour that came back empty is read again.
    pub empty_hour_retry: Duration,
    /// What happens to the extracted text in message parts.
    pub message_text: MessageText,
    /// Base of the Log API: scheme `wss`, host, optional port.
    pub log_stream_uri: Url,
    /// Where rows go.
    pub destination: DestinationSettings,
    /// Where leases, checkpoints and dead letters are.
    pub state: StateSettings,
    /// `SSL_CERT_FILE`: roots to trust beside the system's.
    pub extra_roots: Option<PathBuf>,
}

/// A Proofpoint on Demand cluster and the token that opens its log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cluster {
    /// The suffix of its settings' names (`emea` of `ProofpointClusterID_emea`), `default` where
    /// there is none.
    pub name: String,
    /// The cluster id, such as `acme_hosted`.
    pub id: String,
    /// The bearer token.
    pub token: Secret,
}

/// `ProofpointMessageText`: whether text that Proofpoint extracted from mail reaches the workspace.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MessageText {
    /// Dropped only where the row would not fit otherwise.
    Fit,
    /// Always dropped: mail content stays out of the workspace.
    Drop,
}

/// Where rows go.
#[derive(Clone, Debug)]
pub enum DestinationSettings {
    /// The Logs Ingestion API.
    LogsIngestion {
        /// Logs ingestion endpoint of the data collection rule, or a data collection endpoint.
        endpoint: Url,
        /// Immutable id of the rule, `dcr-` and 32 hexadecimal digits.
        dcr_immutable_id: String,
        /// Who posts.
        identity: AzureIdentity,
    },
    /// The HTTP Data Collector API.
    DataCollector {
        /// Workspace id, a GUID.
        workspace_id: String,
        /// Primary or secondary key of the workspace, base64.
        workspace_key: Secret,
        /// Such as `https://<workspace id>.ods.opinsights.azure.com`, without a path.
        uri: Url,
    },
}

/// Where leases, checkpoints and dead letters are.
#[derive(Clone, Debug)]
#[expect(clippy::large_enum_variant, reason = "there is one of these in a run")]
pub enum StateSettings {
    /// A container of a storage account, opened with the account's key.
    ConnectionString {
        /// A storage connection string, or `UseDevelopmentStorage=true`.
        connection_string: Secret,
        /// Name of the container; created on first use.
        container: String,
    },
    /// A container of a storage account, opened with an identity.
    Identity {
        /// Such as `https://account.blob.core.windows.net`.
        blob_service_uri: Url,
        /// Name of the container; created on first use.
        container: String,
        /// Who reads and writes.
        identity: AzureIdentity,
    },
    /// A directory, for the demo, for tests and for a single machine.
    Directory(PathBuf),
}

/// A Microsoft Entra identity and the cloud that it belongs to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AzureIdentity {
    /// How it proves itself.
    pub credential: Credential,
    /// Which of Azure's clouds.
    pub cloud: Cloud,
    /// `AZURE_AUTHORITY_HOST`, where it is not the cloud's own.
    pub authority_host: Option<Url>,
}

/// How an identity proves itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Credential {
    /// The Function App's own identity, or a user-assigned one by its client id.
    ManagedIdentity {
        /// Client id of a user-assigned identity.
        client_id: Option<String>,
    },
    /// A token file that a federated identity provider keeps fresh.
    WorkloadIdentity {
        /// Directory (tenant) id.
        tenant_id: String,
        /// Application (client) id.
        client_id: String,
        /// The file, `AZURE_FEDERATED_TOKEN_FILE`.
        token_file: PathBuf,
    },
    /// A service principal with a client secret.
    ClientSecret {
        /// Directory (tenant) id.
        tenant_id: String,
        /// Application (client) id.
        client_id: String,
        /// The secret.
        client_secret: Secret,
    },
}

/// Azure's clouds. `AZURE_CLOUD`: `public`, `usgov`, `china`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Cloud {
    /// Azure.
    Public,
    /// Azure US Government.
    UsGovernment,
    /// Azure operated by 21Vianet.
    China,
}
