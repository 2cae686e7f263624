//! Opening a container.

use std::sync::Arc;

use azure_core::credentials::TokenCredential;
use azure_core::http::policies::Policy;
use azure_core::http::{
    ClientOptions, ExponentialRetryOptions, RetryOptions, StatusCode, Transport,
};
use azure_storage_blob::{BlobContainerClient, BlobContainerClientOptions};
use proofpoint_sentinel_core::secret::Secret;
use url::Url;

use super::connection_string::BlobAccount;
use super::container::BlobObjects;
use super::error::{BlobError, error_code, innermost};
use crate::net::Net;
use crate::settings::AzureIdentity;

/// Asked for where creating the container is refused: whether it can be read tells whether it is
/// there.
const PROBE: &str = "checkpoints/.probe";

impl BlobObjects {
    /// Opens the container with what a connection string grants.
    pub(in crate::state) async fn with_connection_string(
        connection_string: &Secret,
        container: &str,
        net: &Net,
    ) -> Result<BlobObjects, BlobError> {
        let BlobAccount { service, key } = BlobAccount::parse(connection_string)?;
        let sign = key.map(|key| Arc::new(key) as Arc<dyn Policy>);
        BlobObjects::open(&service, container, None, sign, net).await
    }

    /// Opens the container as an identity.
    pub(in crate::state) async fn with_identity(
        service: &Url,
        container: &str,
        identity: &AzureIdentity,
        net: &Net,
    ) -> Result<BlobObjects, BlobError> {
        let credential = identity.credential(net).map_err(|error| BlobError::Credential {
            host: host_of(service),
            reason: innermost(&error),
        })?;
        BlobObjects::open(service, container, Some(credential), None, net).await
    }

    async fn open(
        service: &Url,
        container: &str,
        credential: Option<Arc<dyn TokenCredential>>,
        sign: Option<Arc<dyn Policy>>,
        net: &Net,
    ) -> Result<BlobObjects, BlobError> {
        let options = BlobContainerClientOptions {
            client_options: ClientOptions {
                per_try_policies: sign.into_iter().collect(),
                retry: retries(),
                transport: Some(Transport::new(Arc::new(net.http.clone()))),
                ..ClientOptions::default()
            },
            ..BlobContainerClientOptions::default()
        };
        let (host, name) = (host_of(service), container.to_owned());
        let address = container_address(service, container)?;
        let client = BlobContainerClient::new(address, credential, Some(options))
            .map_err(|error| BlobError::Settings { reason: innermost(&error) })?;
        let this = BlobObjects::new(client, host, name);
        this.create_container().await?;
        Ok(this)
    }

    /// Who may not create containers may still use one that is there.
    async fn create_container(&self) -> Result<(), BlobError> {
        match self.bounded(self.0.client.create(None)).await? {
            Ok(_) => Ok(()),
            Err(error) if error_code(&error) == "ContainerAlreadyExists" => Ok(()),
            Err(error) if error.http_status() == Some(StatusCode::Forbidden) => {
                self.get(PROBE).await.map(drop)
            }
            Err(error) => Err(self.explain(&self.0.name, &error)),
        }
    }
}

fn retries() -> RetryOptions {
    RetryOptions::exponential(ExponentialRetryOptions {
        max_retries: 6,
        max_total_elapsed: azure_core::time::Duration::seconds(30),
        ..ExponentialRetryOptions::default()
    })
}

fn host_of(service: &Url) -> String {
    service.host_str().unwrap_or_default().to_owned()
}

/// The address of a container; the query, if any, stays.
fn container_address(service: &Url, container: &str) -> Result<Url, BlobError> {
    let legal = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
    if !(3..=63).contains(&container.len()) || !container.bytes().all(legal) {
        let reason = format!(
            "`{container}` is not a container name: 3 to 63 lower-case letters, digits and hyphens"
        );
        return Err(BlobError::Settings { reason });
    }
    let mut address = service.clone();
    match address.path_segments_mut() {
        Ok(mut segments) => segments.pop_if_empty().push(container),
        Err(()) => {
            let reason = "the address of the blob service is not a web address".to_owned();
            return Err(BlobError::Settings { reason });
        }
    };
    Ok(address)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn address(service: &str, container: &str) -> Result<String, BlobError> {
        container_address(&service.parse().unwrap(), container).map(String::from)
    }

    #[test]
    fn the_container_comes_after_the_path_and_before_the_signature() {
        for (service, expected) in [
            ("https://a.blob.core.windows.net", "https://a.blob.core.windows.net/state"),
            ("http://127.0.0.1:1/a/", "http://127.0.0.1:1/a/state"),
            ("https://a.example/?sig=b%2B", "https://a.example/state?sig=b%2B"),
        ] {
            assert_eq!(address(service, "state").unwrap(), expected);
        }
    }

    #[test]
    fn a_container_needs_a_legal_name() {
        for name in ["", "ab", "State", "a/b", "st_ate", &"a".repeat(64)] {
            let error = address("https://a.example", name).unwrap_err();
            assert!(error.to_string().contains("StateContainer"), "{error}");
        }
    }
}
