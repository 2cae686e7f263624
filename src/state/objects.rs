//! Named objects with conditional writes and appends: what the rest of the state is built on, the same
//! over a blob container and over a directory.

use bytes::Bytes;

use super::blob::BlobObjects;
use super::directory::DirectoryObjects;
use super::error::StateError;
use super::lease::{Lease, LeaseTimes};
use super::object::{Appended, Condition, Layout, Version};

/// Objects by name. Names are paths with `/` between the segments.
#[derive(Clone, Debug)]
pub(super) enum Objects {
    Blob(BlobObjects),
    Directory(DirectoryObjects),
}

impl Objects {
    /// The object's bytes and version; `None` where there is no such object.
    pub(super) async fn get(&self, name: &str) -> Result<Option<(Bytes, Version)>, StateError> {
        match self {
            Objects::Blob(blob) => Ok(blob.get(name).await?),
            Objects::Directory(directory) => Ok(directory.get(name).await?),
        }
    }

    /// Writes the whole object or nothing, and only if `condition` holds
    /// ([`StateError::Conflict`] where it does not).
    ///
    /// Where the stored bytes turn out to be `bytes` although the condition does not hold, the
    /// write counts as done: an earlier try of it may have succeeded and its answer been lost.
    /// Who needs to know that it was their own write puts something of their own into the bytes.
    pub(super) async fn put(
        &self,
        name: &str,
        bytes: Bytes,
        condition: Condition<'_>,
    ) -> Result<Version, StateError> {
        match self {
            Objects::Blob(blob) => Ok(blob.put(name, bytes, condition).await?),
            Objects::Directory(directory) => Ok(directory.put(name, bytes, condition).await?),
        }
    }

    /// Appends one or more whole records, which then outlive a crash. An object that is missing or
    /// empty is begun with its head.
    ///
    /// Appends may run side by side; none is lost and none gets into another. The records may be
    /// stored twice where an answer was lost, and their order is any.
    pub(super) async fn append(
        &self,
        name: &str,
        layout: Layout,
        records: &Bytes,
    ) -> Result<Appended, StateError> {
        match self {
            Objects::Blob(blob) => Ok(blob.append(name, layout, records).await?),
            Objects::Directory(directory) => Ok(directory.append(name, layout, records).await?),
        }
    }

    /// The names of all objects in `folder`, which ends with `/`, and in the folders in it; in
    /// the order of their characters.
    pub(super) async fn list(&self, folder: &str) -> Result<Vec<String>, StateError> {
        match self {
            Objects::Blob(blob) => Ok(blob.list(folder).await?),
            Objects::Directory(directory) => Ok(directory.list(folder).await?),
        }
    }

    /// Deletes an object. It is fine where there is none.
    pub(super) async fn delete(&self, name: &str) -> Result<(), StateError> {
        match self {
            Objects::Blob(blob) => Ok(blob.delete(name).await?),
            Objects::Directory(directory) => Ok(directory.delete(name).await?),
        }
    }

    /// Owns `name` until the lease is released, dropped or lost.
    pub(super) async fn lease(&self, name: &str, times: LeaseTimes) -> Result<Lease, StateError> {
        match self {
            Objects::Blob(blob) => {
                Ok(Lease::renewed(blob.acquire(name, times.length).await?, times))
            }
            Objects::Directory(directory) => Ok(Lease::locked(directory.lock(name).await?)),
        }
    }
}
