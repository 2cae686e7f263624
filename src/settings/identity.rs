//! `AZURE_*`: which identity, in which cloud.

use std::path::PathBuf;

use super::reader::{Reader, quoted};
use super::{AzureIdentity, Cloud, Credential};

pub(super) fn cloud(reader: &mut Reader<'_>) -> Option<Cloud> {
    let name = "AZURE_CLOUD";
    let Some(text) = reader.text(name) else {
        return Some(Cloud::Public);
    };
    match text.to_ascii_lowercase().as_str() {
        "public" => Some(Cloud::Public),
        "usgov" => Some(Cloud::UsGovernment),
        "china" => Some(Cloud::China),
        _ => {
            reader.fault(name, quoted(text), "public, usgov or china");
            None
        }
    }
}

pub(super) fn read(reader: &mut Reader<'_>, cloud: Cloud) -> Option<AzureIdentity> {
    let authority_host = reader.text("AZURE_AUTHORITY_HOST");
    let authority_host = match authority_host {
        Some(text) => Some(reader.base_url("AZURE_AUTHORITY_HOST", text, "https")?),
        None => None,
    };
    Some(AzureIdentity { credential: credential(reader)?, cloud, authority_host })
}

fn credential(reader: &mut Reader<'_>) -> Option<Credential> {
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
