//! Tests of the program as a process: in a terminal, under a Functions host, in the Function App that
//! the template makes, and killed again and again.
#![allow(clippy::disallowed_methods, reason = "tests may")]
#![cfg(unix)]

#[path = "../support"]
#[expect(dead_code, reason = "the other test binary uses more of it")]
mod support {
    pub(crate) mod azurite;
    pub(crate) mod http;
    pub(crate) mod proxy;
    pub(crate) mod relay;
}

mod app;
mod cli;
mod deployed;
mod kill;
mod queue;

use std::future::Future;
use std::time::Duration;

/// The program.
const PROGRAM: &str = env!("CARGO_BIN_EXE_proofpoint-sentinel");

/// Waits for what is bound to happen, also on a machine that has much else to do.
async fn soon<F: Future>(future: F) -> F::Output {
    in_time("what a handler does", future).await
}

/// As [`soon`], and says what did not happen.
async fn in_time<F: Future>(what: &str, future: F) -> F::Output {
    let limit = Duration::from_secs(120);
    tokio::time::timeout(limit, future).await.unwrap_or_else(|_| panic!("{what}: not in {limit:?}"))
}

/// A directory on the program's own file system, so that the program can be linked into it.
fn temporary() -> tempfile::TempDir {
    tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).expect("a directory can be made")
}
