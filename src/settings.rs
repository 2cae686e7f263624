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
mod suffixed;
mod tap;
mod telemetry;

pub use choice::{ConnectorTable, LiveReading, MessageText, Mode, NotAChoice};
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
pub use tap::{TapAccount, TapSettings, UnusableTapAccount};
pub use telemetry::TelemetrySettings;

/// Everything that one run needs to know.
#[derive(Clone, Debug)]
pub struct Settings {
    /// What is read of Proofpoint on Demand, and how.
    pub source: SourceSettings,
    /// What is read of Targeted Attack Protection; `None` if no account is named.
    pub tap: Option<TapSettings>,
    /// What happens to the extracted text in message parts.
    pub message_text: MessageText,
    /// Whether the workspace is told what runs did.
    pub connector_table: ConnectorTable,
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
    /// Every setting that is missing or can't be used, in one error, if one of them concerns all that
    /// is read, or if neither a cluster nor a TAP account is left. What concerns some alone is in
    /// [`SourceSettings::unusable_clusters`] and [`TapSettings::unusable_accounts`].
    pub fn read(vars: &Vars) -> Result<Settings, BadSettings> {
        let mut reader = SettingsReader::new(vars);
        let settings = Settings::read_with(&mut reader);
        reader.finish(settings)
    }

    fn read_with(reader: &mut SettingsReader<'_>) -> Option<Settings> {
        let tap = tap::read(reader);
        let is_tap_usable = tap.as_ref().is_some_and(|tap| !tap.accounts.is_empty());
        let (source, message_text) = if is_tap_usable {
            let source = SourceSettings::read_beside(reader);
            let (text, faults) = reader.part(message_text);
            let failed = source.map(|mut source| {
                source.fail_clusters(&faults);
                source
            });
            (failed, Some(text.unwrap_or(MessageText::Fit)))
        } else {
            (SourceSettings::read_with(reader, tap.is_some()), message_text(reader))
        };
        let connector_table =
            reader.parsed("ProofpointConnectorTable", ConnectorTable::On, "on or off");
        let memory_megabytes = reader.optional_number("ProofpointMemoryMB", 64..=1_048_576);
        let (identity, cloud) = identity_and_cloud(reader);
        let destination = destination::read(reader, identity.clone(), cloud);
        let state = storage::read(reader, identity, cloud);
        let mut unknown = reader.unasked("proofpoint");
        unknown.extend(reader.unasked("tap").into_iter().filter(|name| is_camel_case(name)));
        unknown.retain(|name| name != SCHEDULE);
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
            connector_table: connector_table?,
            memory_megabytes: memory_megabytes?,
            destination: destination?,
            state: state?,
            unknown,
            replaced: replaced.into_iter().collect(),
        })
    }
}

fn message_text(reader: &mut SettingsReader<'_>) -> Option<MessageText> {
    reader.parsed("ProofpointMessageText", MessageText::Fit, "fit or drop")
}

/// Whether a name that begins with `Tap` is like those of the program, and not like `TAPE_DRIVE`.
fn is_camel_case(name: &str) -> bool {
    let mut rest = name.bytes().skip(1);
    rest.any(|byte| byte.is_ascii_lowercase())
        && name.as_bytes().get(3).is_none_or(u8::is_ascii_uppercase)
}

#[cfg(test)]
mod tests;
