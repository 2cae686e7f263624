//! How long one check may take.

use std::time::Duration;

/// How long one check may take.
pub(super) const LIMIT: Duration = Duration::from_secs(20);

/// A time limit for what a check waits for; its text if it is over.
pub(super) async fn in_time<T>(work: impl Future<Output = T>) -> Result<T, String> {
    let over = |_| format!("no answer within {} s", LIMIT.as_secs());
    tokio::time::timeout(LIMIT, work).await.map_err(over)
}
