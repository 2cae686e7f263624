//! Appending to a blob.
//!
//! An append blob has to be created empty, and its head can only be its first block. So whoever
//! does not know that the head is there appends it with the records on condition that the blob is
//! empty still; of many who do so at once, the service lets one succeed and tells the others.

use std::collections::HashSet;
use std::sync::{Mutex, PoisonError};

use azure_core::http::{Etag, StatusCode};
use azure_storage_blob::models::{
    AppendBlobClientAppendBlockOptions, AppendBlobClientCreateOptions,
};
use bytes::Bytes;

use super::BlobObjects;
use crate::state::error::{StateError, error_code};
use crate::state::objects::{Appended, LARGEST, Layout};

/// Enough for a blob that was thought to be there, is not, and is begun by somebody else.
const MOST_TRIES: u32 = 4;

/// How the service took a block.
enum Block {
    Stored,
    /// The blob has as many blocks or bytes as it may have.
    Full,
    /// The block was to be the first one and is not.
    NotFirst,
    /// There is no such blob.
    Missing,
}

impl BlobObjects {
    /// See [`Objects::append`](crate::state::objects::Objects::append).
    pub(in crate::state) async fn append(
        &self,
        name: &str,
        layout: Layout,
        records: &Bytes,
    ) -> Result<Appended, StateError> {
        let begun = &self.0.begun;
        for _ in 0..MOST_TRIES {
            let block = if begun.contains(name) {
                self.append_block(name, records.clone(), None).await?
            } else {
                let first = [layout.head, records].concat().into();
                self.append_block(name, first, Some(0)).await?
            };
            match block {
                Block::Stored => {
                    begun.insert(name);
                    return Ok(Appended::Done);
                }
                Block::Full => return Ok(Appended::Full),
                Block::NotFirst => begun.insert(name),
                Block::Missing => {
                    begun.remove(name);
                    self.create_append_blob(name).await?;
                }
            }
        }
        Err(StateError::Conflict { name: name.to_owned() })
    }

    /// Appends one block, at `position` or nowhere where one is given.
    async fn append_block(
        &self,
        name: &str,
        bytes: Bytes,
        position: Option<i64>,
    ) -> Result<Block, StateError> {
        let options = AppendBlobClientAppendBlockOptions {
            append_position: position,
            max_size: Some(LARGEST as i64),
            ..AppendBlobClientAppendBlockOptions::default()
        };
        let client = self.0.client.blob_client(name).append_blob_client();
        let length = bytes.len() as u64;
        match self.bounded(client.append_block(bytes.into(), length, Some(options))).await? {
            Ok(_) => Ok(Block::Stored),
            Err(error) => match error_code(&error) {
                "BlobNotFound" => Ok(Block::Missing),
                "AppendPositionConditionNotMet" => Ok(Block::NotFirst),
                "MaxBlobSizeConditionNotMet" | "BlockCountExceedsLimit" => Ok(Block::Full),
                _ => Err(self.explain(name, &error)),
            },
        }
    }

    /// Creates an empty blob. One that is there stays as it is.
    async fn create_append_blob(&self, name: &str) -> Result<(), StateError> {
        let options = AppendBlobClientCreateOptions {
            if_none_match: Some(Etag::from("*")),
            ..AppendBlobClientCreateOptions::default()
        };
        let client = self.0.client.blob_client(name).append_blob_client();
        match self.bounded(client.create(Some(options))).await? {
            Ok(_) => Ok(()),
            Err(error) if error_code(&error) == "BlobAlreadyExists" => Ok(()),
            Err(error) if error.http_status() == Some(StatusCode::PreconditionFailed) => Ok(()),
            Err(error) => Err(self.explain(name, &error)),
        }
    }
}

/// Blobs that are known to have their head. It spares requests and may forget.
#[derive(Default)]
pub(super) struct Begun(Mutex<HashSet<String>>);

impl Begun {
    const MOST: usize = 1_024;

    fn contains(&self, name: &str) -> bool {
        self.locked(|names| names.contains(name))
    }

    fn insert(&self, name: &str) {
        self.locked(|names| {
            if names.contains(name) {
                return;
            }
            if names.len() == Begun::MOST {
                names.clear();
            }
            names.insert(name.to_owned());
        });
    }

    fn remove(&self, name: &str) {
        self.locked(|names| names.remove(name));
    }

    fn locked<T>(&self, work: impl FnOnce(&mut HashSet<String>) -> T) -> T {
        work(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_known_of_blobs_is_bounded() {
        let begun = Begun::default();
        for number in 0..3 * Begun::MOST {
            begun.insert(&number.to_string());
            assert!(begun.contains(&number.to_string()));
            begun.locked(|names| assert!(names.len() <= Begun::MOST));
        }
        begun.remove("3071");
        assert!(!begun.contains("3071"));
    }
}
