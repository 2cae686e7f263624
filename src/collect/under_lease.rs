//! Work on a feed under its lease.

use std::fmt::Display;
use std::future::Future;

use proofpoint_sentinel_core::feed::Feed;

use crate::lease_scope::LeaseScope;
use crate::state::{Lease, State, StateError};

/// Takes the lease of `feed`, does `work`, which heeds `scope`, and releases the lease. Where the
/// lease is lost meanwhile, the result is `lost`, whatever came of the work.
///
/// # Errors
/// Those of the lease, and those of the work.
pub(super) async fn under_lease<E: From<StateError> + Display>(
    state: &State,
    feed: &Feed,
    scope: &LeaseScope,
    lost: E,
    work: impl Future<Output = Result<(), E>>,
) -> Result<(), E> {
    let lease: Lease = state.lease(feed).await?;
    tokio::pin!(work);
    let result = tokio::select! {
        result = &mut work => result,
        () = lease.lost() => {
            scope.lose();
            if let Err(error) = work.await {
                tracing::info!(%error, "the work ended because the lease was lost");
            }
            Err(lost)
        }
    };
    let released = lease.release().await;
    result?;
    Ok(released?)
}
