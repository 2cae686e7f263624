//! Why a command failed, for the terminal and the host.

use std::{fmt, io};

use proofpoint_sentinel::error_code::{self, Coded, ErrorCode};

/// A code and its message.
#[derive(Debug)]
pub(super) struct Failure {
    code: ErrorCode,
    message: String,
    is_broken_pipe: bool,
}

impl Failure {
    pub(super) fn new(code: ErrorCode, message: impl Into<String>) -> Failure {
        Failure { code, message: message.into(), is_broken_pipe: false }
    }

    /// Standard output can't be written.
    pub(super) fn output(error: io::Error) -> Failure {
        let is_broken_pipe = error.kind() == io::ErrorKind::BrokenPipe;
        let message = format!("the output can't be written: {error}");
        Failure { is_broken_pipe, ..Failure::new(error_code::OUTPUT_FILE, message) }
    }

    /// Whether the reader of standard output has enough of it.
    pub(super) fn is_broken_pipe(&self) -> bool {
        self.is_broken_pipe
    }

    pub(super) fn code(&self) -> ErrorCode {
        self.code
    }

    pub(super) fn message(&self) -> &str {
        &self.message
    }
}

impl<E: Coded> From<E> for Failure {
    fn from(error: E) -> Failure {
        Failure::new(error.code(), error.to_string())
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.code, self.message)
    }
}
