//! The program as its users meet it: a process under a Functions host or in a terminal, with
//! stand-ins for everything that it talks to.
#![cfg(unix)]

mod app;
mod collect;
mod contract;
mod deadletter;
mod demo;
mod logs;
mod program;
mod runs;
mod simulate;
mod world;

use std::future::Future;
use std::time::Duration;

/// The program.
const PROGRAM: &str = env!("CARGO_BIN_EXE_proofpoint-sentinel");

/// Waits for what is bound to happen, also on a machine that has much else to do.
async fn soon<F: Future>(future: F) -> F::Output {
    tokio::time::timeout(Duration::from_secs(120), future).await.expect("it happens in time")
}

/// A directory on the program's own file system, so that the program can be linked into it.
fn temporary() -> tempfile::TempDir {
    tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).expect("a directory can be made")
}
