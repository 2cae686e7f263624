//! Credentials of the official SDK, made from settings.

mod token_answer;
mod unexpired;

use std::path::PathBuf;
use std::sync::Arc;

use azure_core::cloud::{CloudConfiguration, CustomConfiguration};
use azure_core::credentials::{Secret as AzureSecret, TokenCredential};
use azure_core::http::{ClientOptions, Transport};
use azure_identity::{
    ClientAssertionCredentialOptions, ClientSecretCredential, ClientSecretCredentialOptions,
    ManagedIdentityCredential, ManagedIdentityCredentialOptions, UserAssignedId,
    WorkloadIdentityCredential, WorkloadIdentityCredentialOptions,
};

use token_answer::TokenTransport;
use unexpired::Unexpired;

use crate::net::Net;
use crate::settings::{AzureIdentity, Cloud, Credential};

impl AzureIdentity {
    /// A credential that asks for tokens over `net`. A new one has an empty token cache.
    pub fn credential(&self, net: &Net) -> azure_core::Result<Arc<dyn TokenCredential>> {
        let client_options = ClientOptions {
            transport: Some(Transport::new(Arc::new(TokenTransport(net.http.clone())))),
            cloud: Some(Arc::new(self.cloud_configuration())),
            ..ClientOptions::default()
        };
        let credential: Arc<dyn TokenCredential> = match &self.credential {
            Credential::ManagedIdentity { client_id } => {
                ManagedIdentityCredential::new(Some(ManagedIdentityCredentialOptions {
                    user_assigned_id: client_id.clone().map(UserAssignedId::ClientId),
                    client_options,
                }))?
            }
            Credential::WorkloadIdentity { tenant_id, client_id, token_file } => {
                WorkloadIdentityCredential::new(Some(WorkloadIdentityCredentialOptions {
                    credential_options: ClientAssertionCredentialOptions { client_options },
                    tenant_id: Some(tenant_id.clone()),
                    client_id: Some(client_id.clone()),
                    token_file_path: Some(PathBuf::from(token_file)),
                }))?
            }
            Credential::ClientSecret { tenant_id, client_id, client_secret } => {
                ClientSecretCredential::new(
                    tenant_id,
                    client_id.clone(),
                    AzureSecret::new(client_secret.reveal().to_owned()),
                    Some(ClientSecretCredentialOptions { client_options }),
                )?
            }
        };
        Ok(Arc::new(Unexpired(credential)))
    }

    fn cloud_configuration(&self) -> CloudConfiguration {
        match (&self.authority_host, self.cloud) {
            (Some(host), _) => {
                let mut custom = CustomConfiguration::default();
                custom.authority_host = host.to_string();
                CloudConfiguration::Custom(custom)
            }
            (None, Cloud::Public) => CloudConfiguration::AzurePublic,
            (None, Cloud::UsGovernment) => CloudConfiguration::AzureGovernment,
            (None, Cloud::China) => CloudConfiguration::AzureChina,
        }
    }
}
