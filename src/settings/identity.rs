//! `AZURE_*`: which identity, in which cloud.

use std::path::PathBuf;

use proofpoint_sentinel_core::secret::Secret;
use url::Url;

use super::reader::{SettingsReader, quoted};

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

pub(super) fn identity_and_cloud(
    reader: &mut SettingsReader<'_>,
) -> (Option<AzureIdentity>, Cloud) {
    let cloud = cloud(reader);
    let identity = cloud.and_then(|cloud| read(reader, cloud));
    // A bad cloud is a fault already; the rest is still looked at.
    (identity, cloud.unwrap_or(Cloud::Public))
}

fn cloud(reader: &mut SettingsReader<'_>) -> Option<Cloud> {
    let name = "AZURE_CLOUD";
    let Some(text) = reader.text(name) else {
        return Some(Cloud::Public);
    };
    match text.to_ascii_lowercase().as_str() {
        "public" => Some(Cloud::Public),
        "usgov" => Some(Cloud::UsGovernment),
        "china" => Some(Cloud::China),
        _ => {
            reader.invalid(name, quoted(text), "public, usgov or china");
            None
        }
    }
}

fn read(reader: &mut SettingsReader<'_>, cloud: Cloud) -> Option<AzureIdentity> {
    let authority_host = reader.text("AZURE_AUTHORITY_HOST");
    let authority_host = match authority_host {
        Some(text) => Some(reader.base_url("AZURE_AUTHORITY_HOST", text, "https")?),
        None => None,
    };
    Some(AzureIdentity { credential: credential(reader)?, cloud, authority_host })
}

fn credential(reader: &mut SettingsReader<'_>) -> Option<Credential> {
    let client_id = reader.text("AZURE_CLIENT_ID").map(str::to_owned);
    let with_secret = reader.text("AZURE_CLIENT_SECRET").is_some();
    let token_file = reader.text("AZURE_FEDERATED_TOKEN_FILE").map(PathBuf::from);
    if !with_secret && token_file.is_none() {
        return Some(Credential::ManagedIdentity { client_id });
    }
    let tenant_id = reader.required("AZURE_TENANT_ID", "the directory (tenant) id");
    let client_id = reader.required("AZURE_CLIENT_ID", "the application (client) id");
    if with_secret {
        let client_secret = reader.secret("AZURE_CLIENT_SECRET", "a client secret's value");
        return Some(Credential::ClientSecret {
            tenant_id: tenant_id?.to_owned(),
            client_id: client_id?.to_owned(),
            client_secret: client_secret?,
        });
    }
    Some(Credential::WorkloadIdentity {
        tenant_id: tenant_id?.to_owned(),
        client_id: client_id?.to_owned(),
        token_file: token_file?,
    })
}
