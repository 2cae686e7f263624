//! Listing and deleting blobs.

use azure_storage_blob::models::BlobContainerClientListBlobsOptions;
use futures_util::TryStreamExt as _;

use super::container::BlobObjects;
use super::error::{BlobError, error_code};

impl BlobObjects {
    /// See [`Objects::list`](crate::state::objects::Objects::list).
    pub(in crate::state) async fn list(&self, folder: &str) -> Result<Vec<String>, BlobError> {
        let options = BlobContainerClientListBlobsOptions {
            prefix: Some(folder.to_owned()),
            ..BlobContainerClientListBlobsOptions::default()
        };
        let failed = |error| self.explain(folder, &error);
        let mut pages = self.0.client.list_blobs(Some(options)).map_err(failed)?.into_pages();
        let mut names = Vec::new();
        while let Some(page) = self.bounded(pages.try_next()).await?.map_err(failed)? {
            let page = page.into_model().map_err(failed)?;
            names.extend(page.blob_items.into_iter().filter_map(|blob| blob.name));
        }
        Ok(names)
    }

    /// See [`Objects::delete`](crate::state::objects::Objects::delete).
    pub(in crate::state) async fn delete(&self, name: &str) -> Result<(), BlobError> {
        match self.bounded(self.0.client.blob_client(name).delete(None)).await? {
            Ok(_) => Ok(()),
            Err(error) if error_code(&error) == "BlobNotFound" => Ok(()),
            Err(error) => Err(self.explain(name, &error)),
        }
    }
}

#[cfg(test)]
mod tests {
    use axum::Router;
    use axum::http::{StatusCode, Uri};
    use proofpoint_sentinel_core::secret::Secret;

    use super::*;
    use crate::net::Net;

    fn page(name: &str, next: &str) -> (StatusCode, String) {
        let page = format!(
            "<?xml version=\"1.0\" encoding=\"utf-8\"?>\
             <EnumerationResults ServiceEndpoint=\"http://a/\" ContainerName=\"state\">\
             <Prefix>a%25/</Prefix><Blobs><Blob><Name>{name}</Name><Properties/></Blob></Blobs>\
             <NextMarker>{next}</NextMarker></EnumerationResults>"
        );
        (StatusCode::OK, page)
    }

    /// Has three pages, the second of them empty as the service's may be.
    async fn answer(uri: Uri) -> (StatusCode, String) {
        let query: Vec<_> =
            url::form_urlencoded::parse(uri.query().unwrap_or_default().as_bytes()).collect();
        let value = |key| query.iter().find(|(name, _)| name == key).map(|(_, value)| &**value);
        match (value("comp"), value("prefix"), value("marker")) {
            (None, ..) => (StatusCode::CREATED, String::new()),
            (_, Some("a%25/"), None) => page("a%25/1", "2/+ %41"),
            (_, Some("a%25/"), Some("2/+ %41")) => {
                let (status, page) = page("", "3");
                (status, page.replace("<Blob><Name></Name><Properties/></Blob>", ""))
            }
            (_, Some("a%25/"), Some("3")) => page("a%25/2", ""),
            _ => (StatusCode::BAD_REQUEST, String::new()),
        }
    }

    #[tokio::test]
    async fn all_pages_are_listed() {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let server = axum::serve(listener, Router::new().fallback(answer));
        let _server = tokio_util::task::AbortOnDropHandle::new(tokio::spawn(async move {
            server.await.unwrap();
        }));
        let connection_string =
            format!("AccountName=a;AccountKey=a2V5;BlobEndpoint=http://{address}/a");
        let net = Net::new(None).unwrap();
        let objects =
            BlobObjects::with_connection_string(&Secret::new(connection_string), "state", &net)
                .await
                .unwrap();
        assert_eq!(objects.list("a%25/").await.unwrap(), ["a%25/1", "a%25/2"]);
    }
}
