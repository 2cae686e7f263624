//! Objects in a container of Azure Blob storage.

mod append;
mod names;

use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use azure_core::Uuid;
use azure_core::credentials::TokenCredential;
use azure_core::http::policies::Policy;
use azure_core::http::{
    ClientOptions, Etag, ExponentialRetryOptions, RetryOptions, StatusCode, Transport,
};
use azure_storage_blob::models::{
    BlobClientAcquireLeaseOptions, BlobClientDownloadOptions, BlobClientUploadOptions,
};
use azure_storage_blob::{BlobContainerClient, BlobContainerClientOptions};
use bytes::Bytes;
use proofpoint_sentinel_core::secret::Secret;
use tokio::time::Instant;
use url::Url;

use self::append::Begun;
use super::connection_string::BlobAccount;
use super::error::{Place, StateError, error_code, innermost};
use super::lease::Renewal;
use super::objects::{Condition, LARGEST, Version};
use crate::net::Net;
use crate::settings::AzureIdentity;

/// How long one operation may take with all its tries.
const LONGEST: Duration = Duration::from_secs(90);

/// How often a blob is read that is written to meanwhile.
const MOST_READS: u32 = 5;

/// Asked for where creating the container is refused: whether it can be read tells whether it is
/// there.
const PROBE: &str = "checkpoints/.probe";

/// A container.
#[derive(Clone)]
pub(super) struct BlobObjects(Arc<Container>);

struct Container {
    client: BlobContainerClient,
    host: String,
    name: String,
    begun: Begun,
}

impl std::fmt::Debug for BlobObjects {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "BlobObjects({} at {})", self.0.name, self.0.host)
    }
}

impl BlobObjects {
    /// Opens the container with what a connection string grants.
    pub(super) async fn with_connection_string(
        connection_string: &Secret,
        container: &str,
        net: &Net,
    ) -> Result<BlobObjects, StateError> {
        let BlobAccount { service, key } = BlobAccount::parse(connection_string)?;
        let sign = key.map(|key| Arc::new(key) as Arc<dyn Policy>);
        BlobObjects::open(&service, container, None, sign, net).await
    }

    /// Opens the container as an identity.
    pub(super) async fn with_identity(
        service: &Url,
        container: &str,
        identity: &AzureIdentity,
        net: &Net,
    ) -> Result<BlobObjects, StateError> {
        let credential = identity.credential(net).map_err(|error| StateError::Credential {
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
    ) -> Result<BlobObjects, StateError> {
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
            .map_err(|error| StateError::Settings { reason: innermost(&error) })?;
        let begun = Begun::default();
        let this = BlobObjects(Arc::new(Container { client, host, name, begun }));
        this.create_container().await?;
        Ok(this)
    }

    /// Who may not create containers may still use one that is there.
    async fn create_container(&self) -> Result<(), StateError> {
        match self.bounded(self.0.client.create(None)).await? {
            Ok(_) => Ok(()),
            Err(error) if error_code(&error) == "ContainerAlreadyExists" => Ok(()),
            Err(error) if error.http_status() == Some(StatusCode::Forbidden) => {
                self.get(PROBE).await.map(drop)
            }
            Err(error) => Err(self.explain(&self.0.name, &error)),
        }
    }

    /// Reads again where somebody wrote meanwhile: a large blob is read in several requests, which
    /// all have to find the same version of it.
    pub(super) async fn get(&self, name: &str) -> Result<Option<(Bytes, Version)>, StateError> {
        let mut tries = 1;
        let read = loop {
            match self.bounded(self.download(name)).await? {
                Err(error) if is_changed(&error) && tries < MOST_READS => tries += 1,
                read => break read,
            }
        };
        match read {
            Ok((bytes, _)) if bytes.len() as u64 > LARGEST => {
                Err(StateError::TooLarge { name: name.to_owned(), limit: LARGEST })
            }
            Ok((bytes, etag)) => Ok(Some((bytes, self.version(name, etag)?))),
            Err(error) if error_code(&error) == "BlobNotFound" => Ok(None),
            Err(error) => Err(self.explain(name, &error)),
        }
    }

    async fn download(&self, name: &str) -> azure_core::Result<(Bytes, Option<Etag>)> {
        let client = self.0.client.blob_client(name);
        let range = Some((0..LARGEST + 1).into());
        let options = BlobClientDownloadOptions { range, ..BlobClientDownloadOptions::default() };
        let result = client.download(Some(options)).await?;
        let etag = result.properties.etag;
        Ok((result.body.collect().await?, etag))
    }

    pub(super) async fn put(
        &self,
        name: &str,
        bytes: Bytes,
        condition: Condition<'_>,
    ) -> Result<Version, StateError> {
        let mut options = BlobClientUploadOptions::default();
        match condition {
            Condition::Absent => options.if_none_match = Some(Etag::from("*")),
            Condition::Match(version) => options.if_match = Some(Etag::from(version.0.as_str())),
            Condition::Any => {}
        }
        let client = self.0.client.blob_client(name);
        let content = Bytes::clone(&bytes).into();
        match self.bounded(client.upload(content, Some(options))).await? {
            Ok(result) => self.version(name, result.etag),
            Err(error) if condition != Condition::Any && is_unmet_condition(&error) => {
                self.written_after_all(name, &bytes).await
            }
            Err(error) => Err(self.explain(name, &error)),
        }
    }

    /// A try whose answer was lost may have been the one that wrote; the try after it then finds
    /// its condition unmet. So what is stored decides.
    async fn written_after_all(&self, name: &str, bytes: &[u8]) -> Result<Version, StateError> {
        match self.get(name).await? {
            Some((stored, version)) if stored == bytes => Ok(version),
            _ => Err(StateError::Conflict { name: name.to_owned() }),
        }
    }

    /// Takes a lease of `length` (15 to 60 seconds) on a blob, which is created where it is
    /// missing.
    pub(super) async fn acquire(
        &self,
        name: &str,
        length: Duration,
    ) -> Result<BlobLease, StateError> {
        // Proposing the id makes a second try of the same request harmless.
        let id = Uuid::new_v4().to_string();
        if let Some(lease) = self.try_acquire(name, &id, length).await? {
            return Ok(lease);
        }
        match self.put(name, Bytes::new(), Condition::Absent).await {
            Ok(_) | Err(StateError::Conflict { .. }) => {}
            Err(error) => return Err(error),
        }
        let lease = self.try_acquire(name, &id, length).await?;
        lease.ok_or_else(|| StateError::Conflict { name: name.to_owned() })
    }

    /// `None` where there is no such blob.
    async fn try_acquire(
        &self,
        name: &str,
        id: &str,
        length: Duration,
    ) -> Result<Option<BlobLease>, StateError> {
        let options = BlobClientAcquireLeaseOptions {
            proposed_lease_id: Some(id.to_owned()),
            ..BlobClientAcquireLeaseOptions::default()
        };
        let since = Instant::now();
        let client = self.0.client.blob_client(name);
        let seconds = i32::try_from(length.as_secs()).unwrap_or(i32::MAX);
        match self.bounded(client.acquire_lease(seconds, Some(options))).await? {
            Ok(_) => {
                let (objects, name, id) = (self.clone(), name.to_owned(), id.to_owned());
                Ok(Some(BlobLease { objects, name, id, since }))
            }
            Err(error) if error_code(&error) == "BlobNotFound" => Ok(None),
            Err(error) if error.http_status() == Some(StatusCode::Conflict) => {
                Err(StateError::LeaseHeld { name: name.to_owned() })
            }
            Err(error) => Err(self.explain(name, &error)),
        }
    }

    /// The SDK bounds the waits between its tries, not the tries themselves.
    async fn bounded<T>(
        &self,
        operation: impl Future<Output = azure_core::Result<T>>,
    ) -> Result<azure_core::Result<T>, StateError> {
        tokio::time::timeout(LONGEST, operation).await.map_err(|_| StateError::Unreachable {
            host: self.0.host.clone(),
            reason: format!("no answer within {} seconds", LONGEST.as_secs()),
        })
    }

    fn version(&self, name: &str, etag: Option<Etag>) -> Result<Version, StateError> {
        etag.map(|etag| Version(etag.to_string())).ok_or_else(|| StateError::Service {
            host: self.0.host.clone(),
            name: name.to_owned(),
            status: 200,
            code: "without an ETag, so it is no blob service".to_owned(),
        })
    }

    fn explain(&self, name: &str, error: &azure_core::Error) -> StateError {
        Place { host: &self.0.host, container: &self.0.name, name }.explain(error)
    }
}

/// A lease on a blob, as it was acquired.
#[derive(Clone, Debug)]
pub(super) struct BlobLease {
    objects: BlobObjects,
    /// Name of the blob.
    pub name: String,
    id: String,
    /// It runs from this moment or a later one.
    pub since: Instant,
}

impl BlobLease {
    /// Makes the lease run its full length from now.
    pub(super) async fn renew(&self) -> Renewal {
        let client = self.objects.0.client.blob_client(&self.name);
        match client.renew_lease(self.id.clone(), None).await {
            Ok(_) => Renewal::Done,
            Err(error) if is_gone(&error) => Renewal::Refused,
            Err(error) => Renewal::Failed(self.objects.explain(&self.name, &error)),
        }
    }

    /// Lets others have it at once. A lease that is lost already counts as released.
    pub(super) async fn release(&self) -> Result<(), StateError> {
        let client = self.objects.0.client.blob_client(&self.name);
        let released = client.release_lease(self.id.clone(), None);
        match self.objects.bounded(released).await? {
            Ok(_) => Ok(()),
            Err(error) if is_gone(&error) => Ok(()),
            Err(error) => Err(self.objects.explain(&self.name, &error)),
        }
    }
}

/// The service says that the lease is not ours (any more).
fn is_gone(error: &azure_core::Error) -> bool {
    use StatusCode::{Conflict, NotFound, PreconditionFailed};
    matches!(error.http_status(), Some(Conflict | NotFound | PreconditionFailed))
}

/// What is read is not the version any more that reading began with.
fn is_changed(error: &azure_core::Error) -> bool {
    error.http_status() == Some(StatusCode::PreconditionFailed)
}

fn is_unmet_condition(error: &azure_core::Error) -> bool {
    is_changed(error) || matches!(error_code(error), "BlobAlreadyExists" | "BlobNotFound")
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
fn container_address(service: &Url, container: &str) -> Result<Url, StateError> {
    let legal = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
    if !(3..=63).contains(&container.len()) || !container.bytes().all(legal) {
        let reason = format!(
            "`{container}` is no name of a container: 3 to 63 lower-case letters, digits and hyphens"
        );
        return Err(StateError::Settings { reason });
    }
    let mut address = service.clone();
    match address.path_segments_mut() {
        Ok(mut segments) => segments.pop_if_empty().push(container),
        Err(()) => {
            let reason = "the address of the blob service is none of a web server".to_owned();
            return Err(StateError::Settings { reason });
        }
    };
    Ok(address)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn address(service: &str, container: &str) -> Result<String, StateError> {
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
