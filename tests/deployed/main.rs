//! The program in the Function App that the template makes: with exactly the settings that a
//! deployment comes to, every one of which somebody reads.
#![cfg(unix)]

#[expect(dead_code, reason = "other tests use more of it")]
#[path = "../cli/app.rs"]
mod app;
#[expect(dead_code, reason = "other tests use more of it")]
#[path = "../support/azurite.rs"]
mod azurite;
#[expect(dead_code, reason = "other tests use more of it")]
#[path = "../support/proxy.rs"]
mod connect_proxy;

mod authority;
mod azure;
mod deployment;
mod front;
mod identity;
mod names;
mod runs;
mod template;

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
