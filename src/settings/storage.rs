//! `StateStorage`, or the storage of the Functions host.

use std::path::PathBuf;

use proofpoint_sentinel_core::secret::Secret;
use url::Url;

use super::identity::{AzureIdentity, Cloud, Credential, identity_and_cloud};
use super::reader::{BadSettings, SettingsReader, Vars, quoted};

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

impl StateSettings {
    /// Reads only what concerns the state.
    ///
    /// # Errors
    /// Every one of these settings that is missing or can't be used, in one error.
    pub fn read(vars: &Vars) -> Result<StateSettings, BadSettings> {
        let mut reader = SettingsReader::new(vars);
        let (identity, cloud) = identity_and_cloud(&mut reader);
        let state = read(&mut reader, identity, cloud);
        reader.finish(state)
    }
}

const EXPECTED: &str = "file:///directory, https://account.blob.core.windows.net, or a storage connection string; without it AzureWebJobsStorage, AzureWebJobsStorage__accountName or AzureWebJobsStorage__blobServiceUri is used";

pub(super) fn read(
    reader: &mut SettingsReader<'_>,
    identity: Option<AzureIdentity>,
    cloud: Cloud,
) -> Option<StateSettings> {
    let container = container(reader);
    if let Some(text) = reader.text("StateStorage") {
        return own(reader, text, container, identity);
    }
    if reader.text("AzureWebJobsStorage").is_some() {
        let connection_string = reader.secret("AzureWebJobsStorage", EXPECTED)?;
        return Some(StateSettings::ConnectionString { connection_string, container: container? });
    }
    let blob_service_uri = host_blob_service(reader, cloud)?;
    Some(StateSettings::Identity {
        blob_service_uri,
        container: container?,
        identity: host_identity(reader, identity?),
    })
}

fn own(
    reader: &mut SettingsReader<'_>,
    text: &str,
    container: Option<String>,
    identity: Option<AzureIdentity>,
) -> Option<StateSettings> {
    match Url::parse(text) {
        Ok(url) if url.scheme() == "file" => match url.to_file_path() {
            Ok(path) => Some(StateSettings::Directory(path)),
            Err(()) => {
                reader.invalid("StateStorage", "a file URL without an absolute path", EXPECTED);
                None
            }
        },
        Ok(url) if url.scheme() == "https" => {
            let blob_service_uri = reader.base_url("StateStorage", text, "https")?;
            Some(StateSettings::Identity {
                blob_service_uri,
                container: container?,
                identity: identity?,
            })
        }
        _ if text.contains('=') => {
            let connection_string = reader.secret("StateStorage", EXPECTED)?;
            Some(StateSettings::ConnectionString { connection_string, container: container? })
        }
        // Not quoted: it may be an account's key.
        _ => {
            reader.invalid("StateStorage", "something else", EXPECTED);
            None
        }
    }
}

fn container(reader: &mut SettingsReader<'_>) -> Option<String> {
    let name = "StateContainer";
    let text = reader.text(name).unwrap_or("proofpoint-sentinel");
    let bytes = text.as_bytes();
    let alphanumeric = |byte: &u8| byte.is_ascii_lowercase() || byte.is_ascii_digit();
    let valid = (3..=63).contains(&bytes.len())
        && bytes.iter().all(|byte| alphanumeric(byte) || *byte == b'-')
        && bytes.first().is_some_and(alphanumeric)
        && bytes.last().is_some_and(alphanumeric)
        && !text.contains("--");
    if !valid {
        let expected = "3 to 63 lower-case letters, digits and single hyphens";
        reader.invalid(name, quoted(text), expected);
    }
    valid.then(|| text.to_owned())
}

/// The blob service that the Functions host reaches with an identity.
fn host_blob_service(reader: &mut SettingsReader<'_>, cloud: Cloud) -> Option<Url> {
    let uri = "AzureWebJobsStorage__blobServiceUri";
    if let Some(text) = reader.text(uri) {
        return reader.base_url(uri, text, "https");
    }
    let account = "AzureWebJobsStorage__accountName";
    let Some(text) = reader.text(account) else {
        reader.missing("StateStorage", EXPECTED);
        return None;
    };
    let suffix = match cloud {
        Cloud::Public => "core.windows.net",
        Cloud::UsGovernment => "core.usgovcloudapi.net",
        Cloud::China => "core.chinacloudapi.cn",
    };
    if !text.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit()) {
        reader.invalid(account, quoted(text), "the name of a storage account");
        return None;
    }
    reader.base_url(account, &format!("https://{text}.blob.{suffix}"), "https")
}

/// The identity that the Functions host uses for its storage: the managed identity where
/// `__credential` says so; otherwise, as the host does, what `AZURE_*` gives, and then the managed
/// identity.
fn host_identity(reader: &mut SettingsReader<'_>, given: AzureIdentity) -> AzureIdentity {
    let managed = reader.text("AzureWebJobsStorage__credential").is_some();
    let client_id = reader.text("AzureWebJobsStorage__clientId").map(str::to_owned);
    match given.credential {
        Credential::ManagedIdentity { client_id: other } => AzureIdentity {
            credential: Credential::ManagedIdentity {
                client_id: client_id.or(if managed { None } else { other }),
            },
            ..given
        },
        _ if managed => {
            AzureIdentity { credential: Credential::ManagedIdentity { client_id }, ..given }
        }
        _ => given,
    }
}
