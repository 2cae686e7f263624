//! Appending to a blob.
//!
//! An append blob must be created empty, and its head can only be its first block. So a writer that
//! does not know that the head is there appends it with the records on condition that the blob is
//! empty still; of many who do so at once, the service lets one succeed and tells the others.

use azure_core::http::{Etag, StatusCode};
use azure_storage_blob::models::{
    AppendBlobClientAppendBlockOptions, AppendBlobClientCreateOptions,
};
use bytes::Bytes;

use super::container::BlobObjects;
use super::error::{BlobError, error_code};
use crate::state::object::{Appended, LARGEST, Layout, ObjectError};

/// Enough for a blob that was thought to be there, is not, and is begun by someone else.
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
    ) -> Result<Appended, BlobError> {
        let begun = &self.0.begun;
        for _ in 0..MOST_TRIES {
            let block = if begun.contains(name) {
                // The service takes no empty block.
                if records.is_empty() {
                    return Ok(Appended::Done);
                }
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
        Err(ObjectError::conflict(name).into())
    }

    /// Appends one block, at `position` or nowhere where one is given.
    async fn append_block(
        &self,
        name: &str,
        bytes: Bytes,
        position: Option<i64>,
    ) -> Result<Block, BlobError> {
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
    async fn create_append_blob(&self, name: &str) -> Result<(), BlobError> {
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
