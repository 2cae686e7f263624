//! Function App settings, typed. Nothing else in the program reads environment variables.

mod choice;
mod clusters;
mod destination;
mod exposure;
mod host;
mod identity;
mod net;
mod proxy;
mod reader;
mod source;
mod storage;
mod tap;

pub use choice::{LiveReading, MessageText, Mode, NotAChoice};
pub use clusters::{Cluster, UnusableCluster};
pub use destination::DestinationSettings;
pub use exposure::{is_of_the_app, log_folder, may_be_shown};
pub use host::{HostSettings, app_root, plan};
use identity::identity_and_cloud;
pub use identity::{AzureIdentity, Cloud, Credential};
pub use net::NetSettings;
pub use proxy::{ProxyCredentials, ProxySettings};
use reader::SettingsReader;
pub use reader::{BadSetting, BadSettings, Vars};
pub use source::SourceSettings;
pub use storage::StateSettings;
pub use tap::{TapAccount, TapSettings, UnusableAccount};

/// Everything that one run needs to know.
#[derive(Clone, Debug)]
pub struct Settings {
    /// What is read from the Log API, and how.
    pub source: SourceSettings,
    /// What is read from Targeted Attack Protection, and how.
    pub tap: TapSettings,
    /// What happens to the extracted text in message parts.
    pub message_text: MessageText,
    /// How many megabytes events, rows, posts and ledger may take, where that is not left to the
    /// memory of the instance.
    pub memory_megabytes: Option<u32>,
    /// Where rows go.
    pub destination: DestinationSettings,
    /// Where leases, checkpoints and dead letters are.
    pub state: StateSettings,
    /// Settings that look like the program's own, and have no effect: a name that is misspelt, or
    /// of another version.
    pub unknown: Vec<String>,
    /// What takes the place of settings' values that an earlier release knew.
    pub replaced: Vec<&'static str>,
}

/// Read by the Functions host, from `function.json`.
const SCHEDULE: &str = "ProofpointSchedule";

/// The environment of this process. A name or value that is not Unicode is as good as missing.
#[expect(clippy::disallowed_methods, reason = "this is where settings come from")]
pub fn environment() -> Vars {
    std::env::vars_os()
        .filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?)))
        .collect()
}

impl Settings {
    /// Reads all settings.
    ///
    /// # Errors
    /// Every setting that is missing or can't be used, in one error, if one of them concerns all
    /// clusters, or if no cluster is left. What concerns one cluster alone is in
    /// [`SourceSettings::unusable_clusters`].
    pub fn read(vars: &Vars) -> Result<Settings, BadSettings> {
        let mut reader = SettingsReader::new(vars);
        let settings = Settings::read_with(&mut reader);
        reader.finish(settings)
    }

    fn read_with(reader: &mut SettingsReader<'_>) -> Option<Settings> {
        let net = NetSettings::read_with(reader);
        let tap = tap::read(reader);
        let source = source(reader, &tap, net);
        let message_text = reader.parsed("ProofpointMessageText", MessageText::Fit, "fit or drop");
        let memory_megabytes = reader.optional_number("ProofpointMemoryMB", 64..=1_048_576);
        let (identity, cloud) = identity_and_cloud(reader);
        let destination = destination::read(reader, identity.clone(), cloud);
        let state = storage::read(reader, identity, cloud);
        let mut unknown = reader.unasked("proofpoint");
        unknown.retain(|name| name != SCHEDULE);
        unknown.append(&mut reader.unasked("tap"));
        let mode = reader.text("ProofpointMode");
        let is_live = mode.is_some_and(|mode| mode.eq_ignore_ascii_case("live"));
        let replaced = is_live.then_some(
            "ProofpointMode is `live`, which loses events and is no longer there: `hybrid` is used \
             instead. Set it to hybrid",
        );
        Some(Settings {
            source: source?,
            tap,
            message_text: message_text?,
            memory_megabytes: memory_megabytes?,
            destination: destination?,
            state: state?,
            unknown,
            replaced: replaced.into_iter().collect(),
        })
    }
}

/// What is read from the Log API. If a TAP account can be used, nothing that is wrong with the Log API's
/// settings stops it.
fn source(
    reader: &mut SettingsReader<'_>,
    tap: &TapSettings,
    net: Option<NetSettings>,
) -> Option<SourceSettings> {
    let clusters = clusters::read(reader);
    let is_log_named = !clusters.usable.is_empty() || !clusters.unusable.is_empty();
    if tap.accounts.is_empty() && clusters.usable.is_empty() {
        let is_any_named = is_log_named || !tap.unusable_accounts.is_empty();
        clusters::none_is_left(reader, is_any_named, ", or TapServicePrincipal and TapSecret");
        return None;
    }
    if tap.accounts.is_empty() {
        return SourceSettings::read_with(reader, clusters, net);
    }
    let read = |reader: &mut SettingsReader<'_>| {
        SourceSettings::read_with(reader, clusters.clone(), net.clone())
    };
    let (source, faults) = reader.part(read);
    source.or_else(|| Some(SourceSettings::unusable(clusters, faults, net?)))
}

#[cfg(test)]
mod tests;
