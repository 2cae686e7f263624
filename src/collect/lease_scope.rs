//! Work on a feed under its lease.

use std::future::Future;

use proofpoint_sentinel_core::feed::Feed;
use tokio_util::sync::CancellationToken;

use crate::state::{Lease, State, StateError};

/// What tells the work under a lease to end.
#[derive(Debug)]
pub(super) struct Tenure {
    /// Cancelled when the program is told to stop and when the lease is lost: what is under way is
    /// brought to its end.
    pub halt: CancellationToken,
    /// Cancelled when the lease is lost: nothing more is posted or saved.
    pub lost: CancellationToken,
}

impl Tenure {
    /// A tenure that also ends when the program is told to `stop`.
    pub(super) fn new(stop: &CancellationToken) -> Tenure {
        Tenure { halt: stop.child_token(), lost: CancellationToken::new() }
    }
}

/// Takes the lease of `feed`, does `work`, which heeds `tenure`, and releases it. Where the lease
/// is lost meanwhile, the result is `lost` whatever came of the work.
///
/// # Errors
/// Those of the lease, and those of the work.
pub(super) async fn under_lease<E: From<StateError> + std::fmt::Display>(
    state: &State,
    feed: &Feed,
    tenure: &Tenure,
    lost: E,
    work: impl Future<Output = Result<(), E>>,
) -> Result<(), E> {
    let lease: Lease = state.lease(feed).await?;
    tokio::pin!(work);
    let result = tokio::select! {
        result = &mut work => result,
        () = lease.lost() => {
            tenure.lost.cancel();
            tenure.halt.cancel();
            if let Err(error) = work.await {
                tracing::info!(%error, "the work ended since the lease was lost");
            }
            Err(lost)
        }
    };
    let released = lease.release().await;
    result?;
    Ok(released?)
}
