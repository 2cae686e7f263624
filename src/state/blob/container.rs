//! A container and how it is asked.

use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use azure_core::http::Etag;
use azure_storage_blob::BlobContainerClient;

use super::begun::Begun;
use super::error::{BlobError, Place};
use crate::state::object::Version;

/// How long one operation may take with all its tries.
const LONGEST: Duration = Duration::from_secs(90);

/// A container. Cheap to clone.
#[derive(Clone)]
pub(in crate::state) struct BlobObjects(pub(super) Arc<Container>);

/// What clones of [`BlobObjects`] share.
pub(super) struct Container {
    pub(super) client: BlobContainerClient,
    pub(super) host: String,
    pub(super) name: String,
    pub(super) begun: Begun,
}

impl std::fmt::Debug for BlobObjects {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "BlobObjects({} at {})", self.0.name, self.0.host)
    }
}

impl BlobObjects {
    pub(super) fn new(client: BlobContainerClient, host: String, name: String) -> BlobObjects {
        BlobObjects(Arc::new(Container { client, host, name, begun: Begun::default() }))
    }

    /// The SDK bounds the waits between its tries, not the tries themselves.
    pub(super) async fn bounded<T>(
        &self,
        operation: impl Future<Output = azure_core::Result<T>>,
    ) -> Result<azure_core::Result<T>, BlobError> {
        tokio::time::timeout(LONGEST, operation).await.map_err(|_| BlobError::Unreachable {
            host: self.0.host.clone(),
            reason: format!("no answer within {} seconds", LONGEST.as_secs()),
        })
    }

    pub(super) fn version(&self, name: &str, etag: Option<Etag>) -> Result<Version, BlobError> {
        etag.map(|etag| Version(etag.to_string())).ok_or_else(|| BlobError::Service {
            host: self.0.host.clone(),
            name: name.to_owned(),
            status: 200,
            code: "without an ETag, so it is not a blob service".to_owned(),
        })
    }

    pub(super) fn explain(&self, name: &str, error: &azure_core::Error) -> BlobError {
        Place { host: &self.0.host, container: &self.0.name, name }.explain(error)
    }
}
