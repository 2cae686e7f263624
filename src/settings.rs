//! Function App settings, typed. Nothing else in the program reads environment variables.

mod clusters;
mod destination;
mod host;
mod identity;
mod proxy;
mod reader;
mod storage;

use std::path::PathBuf;
use std::time::Duration;

use url::Url;

pub use host::HostSettings;
use proofpoint_sentinel_core::feed::EventType;
use proofpoint_sentinel_core::secret::Secret;
pub use proxy::{ProxyCredentials, ProxySettings};
pub use reader::{BadSetting, BadSettings, Vars};
use reader::{Reader, quoted};

/// Everything that one run needs to know.
#[derive(Clone, Debug)]
pub struct Settings {
    /// What is read, and how.
    pub source: SourceSettings,
    /// What happens to the extracted text in message parts.
    pub message_text: MessageText,
    /// Where rows go.
    pub destination: DestinationSettings,
    /// Where leases, checkpoints and dead letters are.
    pub state: StateSettings,
    /// Settings that look like the program's own, and have no effect: a name that is misspelt, or
    /// of another version.
    pub unknown: Vec<String>,
}

/// Read by the Functions host, from `function.json`.
const SCHEDULE: &str = "ProofpointSchedule";

/// What is read from Proofpoint, and how.
#[derive(Clone, Debug)]
pub struct SourceSettings {
    /// At least one.
    pub clusters: Vec<Cluster>,
    /// At least one, each once.
    pub event_types: Vec<EventType>,
    /// Which of the Log API's services is read.
    pub mode: Mode,
    /// How many hours the first run reaches back, 1 to 719.
    pub initial_lookback_hours: i64,
    /// How long after its end a closed hour is read.
    pub archive_delay: Duration,
    /// How long no event comes until a live session is ended.
    pub live_quiet: Duration,
    /// How long after its end an hour that is done is read once more, if at all.
    pub second_read: Option<Duration>,
    /// When an hour that came back empty is read again.
    pub empty_hour_retry: Duration,
    /// Base of the Log API: scheme `wss`, host, optional port.
    pub log_stream_uri: Url,
    /// How its peers are reached.
    pub net: NetSettings,
}

/// How peers are reached, all of them.
#[derive(Clone, Debug, Default)]
pub struct NetSettings {
    /// `SSL_CERT_FILE`: roots to trust beside the system's.
    pub extra_roots: Option<PathBuf>,
    /// The proxy that connections go through.
    pub proxy: Option<ProxySettings>,
}

/// The environment of this process. A name or value that is not Unicode is as good as missing.
pub fn environment() -> Vars {
    std::env::vars_os()
        .filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?)))
        .collect()
}

impl Settings {
    /// Reads all settings.
    ///
    /// # Errors
    /// Every setting that is missing or can't be used, in one error.
    pub fn read(vars: &Vars) -> Result<Settings, BadSettings> {
        let mut reader = Reader::new(vars);
        let settings = Settings::read_with(&mut reader);
        reader.finish(settings)
    }

    fn read_with(reader: &mut Reader<'_>) -> Option<Settings> {
        let source = SourceSettings::read_with(reader);
        let message_text = reader.parsed("ProofpointMessageText", MessageText::Fit, "fit or drop");
        let (identity, cloud) = identity_and_cloud(reader);
        let destination = destination::read(reader, identity.clone(), cloud);
        let state = storage::read(reader, identity, cloud);
        let mut unknown = reader.unasked("proofpoint");
        unknown.retain(|name| name != SCHEDULE);
        Some(Settings {
            source: source?,
            message_text: message_text?,
            destination: destination?,
            state: state?,
            unknown,
        })
    }
}

impl StateSettings {
    /// Reads only what concerns the state.
    ///
    /// # Errors
    /// Every one of these settings that is missing or can't be used, in one error.
    pub fn read(vars: &Vars) -> Result<StateSettings, BadSettings> {
        let mut reader = Reader::new(vars);
        let (identity, cloud) = identity_and_cloud(&mut reader);
        let state = storage::read(&mut reader, identity, cloud);
        reader.finish(state)
    }
}

fn identity_and_cloud(reader: &mut Reader<'_>) -> (Option<AzureIdentity>, Cloud) {
    let cloud = identity::cloud(reader);
    let identity = cloud.and_then(|cloud| identity::read(reader, cloud));
    // A bad cloud is a fault already; the rest is still looked at.
    (identity, cloud.unwrap_or(Cloud::Public))
}

impl SourceSettings {
    /// Reads only what concerns Proofpoint.
    ///
    /// # Errors
    /// Every one of these settings that is missing or can't be used, in one error.
    pub fn read(vars: &Vars) -> Result<SourceSettings, BadSettings> {
        let mut reader = Reader::new(vars);
        let source = SourceSettings::read_with(&mut reader);
        reader.finish(source)
    }

    fn read_with(reader: &mut Reader<'_>) -> Option<SourceSettings> {
        let clusters = clusters::read(reader);
        let event_types = event_types(reader);
        let mode = reader.parsed("ProofpointMode", Mode::Hybrid, "hybrid, live or archive");
        let initial_lookback_hours = reader.number("ProofpointInitialLookbackHours", 12, 1..=719);
        let archive_delay = reader.number("ProofpointArchiveDelayMinutes", 45, 0..=1440);
        let empty_hour_retry = reader.number("ProofpointEmptyHourRetryMinutes", 60, 0..=1440);
        let live_quiet = reader.number("ProofpointLiveQuietSeconds", 20, 1..=280);
        let second_read = reader.number("ProofpointSecondReadHours", 6, 0..=48);
        let name = "ProofpointLogStreamUri";
        let log_stream_uri = reader.text(name).unwrap_or("wss://logstream.proofpoint.com");
        let log_stream_uri = reader.base_url(name, log_stream_uri, "wss");
        let net = NetSettings::read_with(reader);
        let minutes = |number: u32| Duration::from_secs(60 * u64::from(number));
        Some(SourceSettings {
            clusters: clusters?,
            event_types: event_types?,
            mode: mode?,
            initial_lookback_hours: i64::from(initial_lookback_hours?),
            archive_delay: minutes(archive_delay?),
            empty_hour_retry: minutes(empty_hour_retry?),
            live_quiet: Duration::from_secs(live_quiet?.into()),
            second_read: Some(minutes(60 * second_read?)).filter(|after| !after.is_zero()),
            log_stream_uri: log_stream_uri?,
            net: net?,
        })
    }
}

impl NetSettings {
    /// Reads only what concerns connections.
    ///
    /// # Errors
    /// Every one of these settings that can't be used, in one error.
    pub fn read(vars: &Vars) -> Result<NetSettings, BadSettings> {
        let mut reader = Reader::new(vars);
        let net = NetSettings::read_with(&mut reader);
        reader.finish(net)
    }

    fn read_with(reader: &mut Reader<'_>) -> Option<NetSettings> {
        let extra_roots = reader.text("SSL_CERT_FILE").map(PathBuf::from);
        Some(NetSettings { extra_roots, proxy: proxy::read(reader)? })
    }
}

fn event_types(reader: &mut Reader<'_>) -> Option<Vec<EventType>> {
    let name = "ProofpointEventTypes";
    let text = reader.text(name).unwrap_or("message,maillog");
    let mut event_types = Vec::new();
    for part in text.split(',').map(str::trim).filter(|part| !part.is_empty()) {
        match part.parse::<EventType>() {
            Ok(event_type) if event_types.contains(&event_type) => {}
            Ok(event_type) => event_types.push(event_type),
            Err(_) => {
                reader.fault(name, quoted(part), "message, maillog and audit, with commas between");
                return None;
            }
        }
    }
    if event_types.is_empty() {
        reader.fault(name, quoted(text), "at least one of message, maillog and audit");
        return None;
    }
    Some(event_types)
}

/// `ProofpointMode`: which of the Log API's two services are read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mode {
    /// The live stream, and closed hours from the archive for what it lacks.
    Hybrid,
    /// The live stream alone.
    Live,
    /// Closed hours alone, from the archive.
    Archive,
}

impl Mode {
    /// Whether closed hours are read.
    pub fn reads_archive(self) -> bool {
        self != Mode::Live
    }
}

/// The text is not one of the values that the setting takes.
#[derive(Clone, Copy, Debug, thiserror::Error)]
#[error("not one of the values that this setting takes")]
pub struct NotAChoice;

impl std::str::FromStr for Mode {
    type Err = NotAChoice;

    fn from_str(text: &str) -> Result<Mode, NotAChoice> {
        match text.to_ascii_lowercase().as_str() {
            "hybrid" => Ok(Mode::Hybrid),
            "live" => Ok(Mode::Live),
            "archive" => Ok(Mode::Archive),
            _ => Err(NotAChoice),
        }
    }
}

impl std::str::FromStr for MessageText {
    type Err = NotAChoice;

    fn from_str(text: &str) -> Result<MessageText, NotAChoice> {
        match text.to_ascii_lowercase().as_str() {
            "fit" => Ok(MessageText::Fit),
            "drop" => Ok(MessageText::Drop),
            _ => Err(NotAChoice),
        }
    }
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

#[cfg(test)]
mod tests;
