//! Noticing that the process that started this one is gone.
//!
//! A Functions host that stops sends its handler no signal. What it leaves behind would go on holding
//! leases, while the next host's handler waits for them.

#[cfg(unix)]
use std::os::unix::process::parent_id;
#[cfg(unix)]
use std::time::Duration;

use tokio_util::sync::CancellationToken;

/// How often the parent is looked for: a handler is an orphan for so long at most.
#[cfg(unix)]
const INTERVAL: Duration = Duration::from_secs(1);

/// Cancels `stop` once the process that is the parent now has ended. A process whose parent has ended
/// gets another one. The death signal of Linux would come too early: it is sent when the thread ends
/// that started the handler, and that is any thread of a pool.
#[cfg(unix)]
pub(super) fn stop_with_parent(stop: CancellationToken) {
    let parent = parent_id();
    tokio::spawn(async move {
        let mut ticks = tokio::time::interval(INTERVAL);
        while parent_id() == parent {
            ticks.tick().await;
        }
        tracing::info!("the process that started this one is gone: ending");
        stop.cancel();
    });
}

#[cfg(not(unix))]
pub(super) fn stop_with_parent(_stop: CancellationToken) {}
