//! Limits of the Logs Ingestion API, and the address of a rule.

use url::Url;

use crate::destination::batch::Limits;
use crate::destination::error::DestinationError;

/// The service's limit of 1 MB is documented for both compressed and uncompressed data. Batches of
/// a million bytes of JSON keep it either way.
pub(in crate::destination) const LIMITS: Limits = Limits { batch: 1_000_000, single: 1_000_000 };

/// The service refuses a body, as sent, of more than 1,048,576 bytes. The rest is margin for
/// whatever stands between the service and us.
pub(super) const MAX_BODY_BYTES: usize = 1_048_576 - 4_096;

/// The address of the streams of the rule `dcr_immutable_id` at `endpoint`.
pub(super) fn streams_url(endpoint: &Url, dcr_immutable_id: &str) -> Result<Url, DestinationError> {
    let mut streams = endpoint.clone();
    streams
        .path_segments_mut()
        .map_err(|()| DestinationError::Address("LogsIngestionEndpoint"))?
        .pop_if_empty()
        .extend(["dataCollectionRules", dcr_immutable_id, "streams"]);
    streams.set_query(Some("api-version=2023-01-01"));
    Ok(streams)
}
