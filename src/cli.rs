//! The commands.

pub(crate) mod check;
pub(crate) mod collect;
pub(crate) mod deadletter;
#[cfg(feature = "demo")]
pub(crate) mod demo;
pub(crate) mod explain;
pub(crate) mod generate;
pub(crate) mod run;
pub(crate) mod serve;
#[cfg(feature = "demo")]
pub(crate) mod simulate;

pub(crate) mod support;

mod failure;
mod logging;
mod orphan;
mod signals;
mod terminal;

use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use proofpoint_sentinel::collect::{MemoryPool, Run, RunCounters};
use proofpoint_sentinel::host::working_memory;
use proofpoint_sentinel::pod::{ProcessSessions, SessionTimeouts};
use proofpoint_sentinel::settings::Settings;
use proofpoint_sentinel::state::LeaseTimes;
use proofpoint_sentinel_core::clock::Clock;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

/// A terminal has no time-out; this stands for none.
const UNLIMITED: Duration = Duration::from_secs(30 * 24 * 3600);

/// Prints an error, and gives the exit status.
fn exit_code<E: std::fmt::Display>(result: Result<bool, E>) -> ExitCode {
    match result {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::FAILURE
        }
    }
}

/// A run that only the user ends.
fn unlimited_run(
    id: String,
    settings: Settings,
    stop: CancellationToken,
    counters: Arc<RunCounters>,
) -> Run {
    let ends = Instant::now() + UNLIMITED;
    Run {
        id,
        memory: MemoryPool::new(working_memory(settings.memory_megabytes)),
        settings,
        clock: Clock::system(),
        timeouts: SessionTimeouts::default(),
        lease_times: LeaseTimes::default(),
        sessions: ProcessSessions::default(),
        reading_ends: ends,
        posting_ends: ends,
        all_ends: ends,
        stop,
        counters,
    }
}
