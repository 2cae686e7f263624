//! Leases on blobs.

use std::time::Duration;

use azure_core::Uuid;
use azure_core::http::StatusCode;
use azure_storage_blob::models::BlobClientAcquireLeaseOptions;
use bytes::Bytes;
use tokio::time::Instant;

use super::container::BlobObjects;
use super::error::{BlobError, error_code};
use crate::state::object::{Condition, ObjectError};

/// How one renewal went.
pub(in crate::state) enum Renewal {
    /// The lease runs its full length again.
    Done,
    /// It belongs to someone else, or to nobody.
    Refused,
    /// Nobody knows: the service could not be asked.
    Failed(BlobError),
}

impl BlobObjects {
    /// Takes a lease of `length` (15 to 60 seconds) on a blob, which is created where it is
    /// missing.
    pub(in crate::state) async fn acquire(
        &self,
        name: &str,
        length: Duration,
    ) -> Result<BlobLease, BlobError> {
        // Proposing the id makes a second try of the same request harmless.
        let id = Uuid::new_v4().to_string();
        if let Some(lease) = self.try_acquire(name, &id, length).await? {
            return Ok(lease);
        }
        match self.put(name, Bytes::new(), Condition::Absent).await {
            Ok(_) | Err(BlobError::Object(ObjectError::Conflict { .. })) => {}
            Err(error) => return Err(error),
        }
        let lease = self.try_acquire(name, &id, length).await?;
        lease.ok_or_else(|| ObjectError::conflict(name).into())
    }

    /// `None` where there is no such blob.
    async fn try_acquire(
        &self,
        name: &str,
        id: &str,
        length: Duration,
    ) -> Result<Option<BlobLease>, BlobError> {
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
                Err(ObjectError::LeaseHeld { name: name.to_owned() }.into())
            }
            Err(error) => Err(self.explain(name, &error)),
        }
    }
}

/// A lease on a blob, as it was acquired.
#[derive(Clone, Debug)]
pub(in crate::state) struct BlobLease {
    objects: BlobObjects,
    /// Name of the blob.
    pub name: String,
    id: String,
    /// It runs from this moment or a later one.
    pub since: Instant,
}

impl BlobLease {
    /// Makes the lease run its full length from now.
    pub(in crate::state) async fn renew(&self) -> Renewal {
        let client = self.objects.0.client.blob_client(&self.name);
        match client.renew_lease(self.id.clone(), None).await {
            Ok(_) => Renewal::Done,
            Err(error) if is_gone(&error) => Renewal::Refused,
            Err(error) => Renewal::Failed(self.objects.explain(&self.name, &error)),
        }
    }

    /// Lets others have it at once. A lease that is lost already counts as released.
    pub(in crate::state) async fn release(&self) -> Result<(), BlobError> {
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
