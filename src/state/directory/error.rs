//! What can go wrong with the state directory, said to the operator.

use std::io;
use std::path::PathBuf;

use crate::error_code::{self, Coded, ErrorCode};
use crate::state::object::ObjectError;

/// The directory can't be used.
#[derive(Debug, thiserror::Error)]
pub enum DirectoryError {
    /// The directory can't be read or written.
    #[error("the state directory: can't {doing} {path}: {reason}. {advice}", path = path.display())]
    Disk {
        /// `open`, `read`, `write`, `append to`, `list`, `delete`, `lock`.
        doing: &'static str,
        /// The file or directory.
        path: PathBuf,
        /// As the operating system said.
        reason: io::Error,
        /// What to look at.
        advice: &'static str,
    },

    /// The file is owned or was written by someone else, or is too large.
    #[error(transparent)]
    Object(#[from] ObjectError),
}

impl Coded for DirectoryError {
    fn code(&self) -> ErrorCode {
        match self {
            DirectoryError::Disk { .. } => error_code::STATE_DIRECTORY,
            DirectoryError::Object(error) => error.code(),
        }
    }
}

impl DirectoryError {
    pub(super) fn disk(doing: &'static str, path: impl Into<PathBuf>, reason: io::Error) -> Self {
        let advice = match reason.kind() {
            io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => {
                "The disk is full: make room, and the next run goes on"
            }
            io::ErrorKind::PermissionDenied => {
                "Give the user that runs this program the right to read and write there"
            }
            io::ErrorKind::ReadOnlyFilesystem => {
                "The file system is read-only: name another directory in StateStorage"
            }
            io::ErrorKind::NotADirectory | io::ErrorKind::AlreadyExists => {
                "StateStorage must name a directory, or a path at which one can be created"
            }
            io::ErrorKind::WouldBlock => {
                "Another process has held it for seconds: it was stopped, or the disk hangs"
            }
            _ => "Check the directory that StateStorage names",
        };
        DirectoryError::Disk { doing, path: path.into(), reason, advice }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_full_disk_is_called_full() {
        let full = io::Error::from(io::ErrorKind::StorageFull);
        let text = DirectoryError::disk("write", "/state/checkpoints/a", full).to_string();
        assert!(text.contains("make room"), "{text}");
    }
}
