//! Named objects with conditional writes and appends: what the rest of the state is built on, the same over
//! a blob container and over a directory.

use std::fmt::Write as _;

use bytes::Bytes;
use sha2::{Digest as _, Sha256};

use super::blob::BlobObjects;
use super::directory::DirectoryObjects;
use super::error::StateError;
use super::lease::{Lease, LeaseTimes};

/// The most that is read of one object. The largest that this program writes is a dead letter: an
/// event of up to 64 MiB and a line about it.
pub(super) const LARGEST: u64 = 80 * 1024 * 1024;

/// What an object held when it was read or written, as far as a later write needs to know.
///
/// A blob's ETag, or the hash of a file's bytes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Version(pub(super) String);

/// What must be so for a write to happen.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Condition<'a> {
    /// There is no object of that name.
    Absent,
    /// The object is still that one.
    Match(&'a Version),
    /// Nothing: what is there is replaced.
    Any,
}

/// What an object that is appended to looks like.
#[derive(Clone, Copy, Debug)]
pub(super) struct Layout {
    /// What it starts with.
    pub head: &'static [u8],
    /// How many bytes each of the records after it has.
    pub record: usize,
}

/// Whether an append was done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Appended {
    Done,
    /// The object takes no more (a blob: 50,000 blocks, and everything: [`LARGEST`] bytes) and is
    /// as it was.
    Full,
}

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
            Objects::Blob(blob) => blob.get(name).await,
            Objects::Directory(directory) => directory.get(name).await,
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
            Objects::Blob(blob) => blob.put(name, bytes, condition).await,
            Objects::Directory(directory) => directory.put(name, bytes, condition).await,
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
            Objects::Blob(blob) => blob.append(name, layout, records).await,
            Objects::Directory(directory) => directory.append(name, layout, records).await,
        }
    }

    /// The names of all objects in `folder`, which ends with `/`, and in the folders in it; in
    /// the order of their characters.
    pub(super) async fn list(&self, folder: &str) -> Result<Vec<String>, StateError> {
        match self {
            Objects::Blob(blob) => blob.list(folder).await,
            Objects::Directory(directory) => directory.list(folder).await,
        }
    }

    /// Deletes an object. It is fine where there is none.
    pub(super) async fn delete(&self, name: &str) -> Result<(), StateError> {
        match self {
            Objects::Blob(blob) => blob.delete(name).await,
            Objects::Directory(directory) => directory.delete(name).await,
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

/// The SHA-256 of `bytes` in 64 lower-case hexadecimal digits.
pub(super) fn sha256_hex(bytes: &[u8]) -> String {
    Sha256::digest(bytes).iter().fold(String::with_capacity(64), |mut hex, byte| {
        write!(hex, "{byte:02x}").expect("a String takes every write");
        hex
    })
}
