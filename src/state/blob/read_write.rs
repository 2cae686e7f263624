//! Blobs that are read and written as a whole.

use azure_core::http::{Etag, StatusCode};
use azure_storage_blob::models::{BlobClientDownloadOptions, BlobClientUploadOptions};
use bytes::Bytes;

use super::container::BlobObjects;
use super::error::{BlobError, error_code};
use crate::state::object::{Condition, LARGEST, ObjectError, Version};

/// How often a blob is read that is written to meanwhile.
const MOST_READS: u32 = 5;

impl BlobObjects {
    /// Reads again where someone wrote meanwhile: a large blob is read in several requests, which
    /// all have to find the same version of it.
    pub(in crate::state) async fn get(
        &self,
        name: &str,
    ) -> Result<Option<(Bytes, Version)>, BlobError> {
        let mut tries = 1;
        let read = loop {
            match self.bounded(self.download(name)).await? {
                Err(error) if is_changed(&error) && tries < MOST_READS => tries += 1,
                read => break read,
            }
        };
        match read {
            Ok((bytes, _)) if bytes.len() as u64 > LARGEST => {
                Err(ObjectError::TooLarge { name: name.to_owned() }.into())
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

    pub(in crate::state) async fn put(
        &self,
        name: &str,
        bytes: Bytes,
        condition: Condition<'_>,
    ) -> Result<Version, BlobError> {
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
    async fn written_after_all(&self, name: &str, bytes: &[u8]) -> Result<Version, BlobError> {
        match self.get(name).await? {
            Some((stored, version)) if stored == bytes => Ok(version),
            _ => Err(ObjectError::conflict(name).into()),
        }
    }
}

/// What is read is not the version any more that reading began with.
fn is_changed(error: &azure_core::Error) -> bool {
    error.http_status() == Some(StatusCode::PreconditionFailed)
}

fn is_unmet_condition(error: &azure_core::Error) -> bool {
    is_changed(error) || matches!(error_code(error), "BlobAlreadyExists" | "BlobNotFound")
}
