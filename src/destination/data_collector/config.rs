//! Limits of the Data Collector API, and the address of a workspace.

use url::Url;

use crate::destination::batch::Limits;
use crate::destination::error::DestinationError;

/// The service takes 30 MB. Smaller posts get through sooner and are cheaper to repeat. A long row
/// goes alone, and stays well below the limit, where connections were seen to break instead of an
/// answer.
pub(in crate::destination) const LIMITS: Limits = Limits { batch: 4_000_000, single: 29_000_000 };

/// The address for posts to the workspace at `uri`.
pub(super) fn logs_url(uri: &Url) -> Result<Url, DestinationError> {
    let mut logs = uri.clone();
    logs.path_segments_mut()
        .map_err(|()| DestinationError::Address("logAnalyticsUri"))?
        .pop_if_empty()
        .extend(["api", "logs"]);
    logs.set_query(Some("api-version=2016-04-01"));
    Ok(logs)
}
