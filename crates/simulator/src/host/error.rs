//! Errors of the simulated Functions host.

use std::io;
use std::path::PathBuf;
use std::process::ExitStatus;
use std::time::Duration;

use super::storage_queue::StorageQueueError;

/// The app or its handler is not in order.
#[derive(Debug, thiserror::Error)]
pub enum FunctionsHostError {
    /// A file of the app is missing or invalid.
    #[error("{path}: {reason}")]
    InvalidApp {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        reason: String,
    },
    /// The handler can't be started.
    #[error("the handler {program} can't be started: {source}")]
    HandlerStart {
        /// Its program.
        program: PathBuf,
        /// The error of the system.
        source: io::Error,
    },
    /// The handler ended before it answered.
    #[error("the handler ended before it was ready, with {status}; it wrote: {output}")]
    HandlerEnded {
        /// How it ended.
        status: ExitStatus,
        /// The last lines of its output.
        output: String,
    },
    /// The handler did not answer `GET /`. The real host waits longer if the connection is accepted,
    /// and then fails as well.
    #[error("the handler did not answer within {0:?}")]
    NotReady(Duration),
    /// A reply has an output that the host would change or refuse.
    #[error("the output {0} is no list of objects")]
    Output(String),
    /// The queue service does not answer as it should.
    #[error(transparent)]
    Queue(#[from] StorageQueueError),
    /// The HTTP client can't be built, no port is free, or a signal can't be sent.
    #[error(transparent)]
    Io(#[from] io::Error),
}
