//! Work on a feed under its lease.

use std::future::Future;

use tokio_util::sync::CancellationToken;

use crate::feed::Feed;
use crate::state::{Lease, State, StateError};

/// Takes the lease of `feed`, does `work` and releases it. Where the lease is lost meanwhile,
/// cancels `halt`, which ends the work in good order, and gives `lost` unless the work failed.
///
/// # Errors
/// Those of the lease, and those of the work.
pub(super) async fn under_lease<E: From<StateError>>(
    state: &State,
    feed: &Feed,
    halt: &CancellationToken,
    lost: E,
    work: impl Future<Output = Result<(), E>>,
) -> Result<(), E> {
    let lease: Lease = state.lease(feed).await?;
    tokio::pin!(work);
    let result = tokio::select! {
        result = &mut work => result,
        () = lease.lost() => {
            halt.cancel();
            work.await.and(Err(lost))
        }
    };
    let released = lease.release().await;
    result?;
    Ok(released?)
}
