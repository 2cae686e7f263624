//! What can go wrong with the state, said to the operator.

use super::blob::BlobError;
use super::dead_letter::NotADeadLetter;
use super::directory::DirectoryError;
use super::object::{LARGEST, ObjectError};
use crate::error_code::{self, Coded, ErrorCode};

/// The state can't be read, written or owned.
#[derive(Debug, thiserror::Error)]
pub enum StateError {
    /// The blob service can't be used.
    #[error(transparent)]
    Blob(BlobError),

    /// The directory can't be used.
    #[error(transparent)]
    Directory(DirectoryError),

    /// Another run owns the feed.
    #[error(
        "another run works on this feed and holds `{name}`. If a run was killed, its lease \
         expires within a minute"
    )]
    LeaseHeld {
        /// Name of the lease.
        name: String,
    },

    /// The object was written by someone else since it was read.
    #[error(
        "`{name}` was written by another run since this one read it, so it was left as it is. The \
         next run goes on from there; seen often, two Function Apps share one StateContainer"
    )]
    Conflict {
        /// Name of the object.
        name: String,
    },

    /// The object is larger than anything that this program writes.
    #[error("`{name}` has more than {limit} bytes, which this program never writes: delete it")]
    TooLarge {
        /// Name of the object.
        name: String,
        /// The most that is read.
        limit: u64,
    },

    /// The stored checkpoint can't be trusted.
    #[error(
        "the checkpoint `{name}` can't be used: {reason}. The feed stops and nothing is \
         overwritten until this is resolved. Restore the previous version of it in \
         StateContainer, or delete it: the feed then starts again from \
         ProofpointInitialLookbackHours and reads hours again that were delivered before \
         (duplicates are possible)"
    )]
    Checkpoint {
        /// Name of the checkpoint.
        name: String,
        /// What is wrong with it.
        reason: String,
    },

    /// A checkpoint that could not be read back was about to be written.
    #[error(
        "the checkpoint `{name}` was not written, because it could not be read back: {reason}. \
         What is stored stays as it was. This is a fault of the program: please report it"
    )]
    CheckpointNotWritten {
        /// Name of the checkpoint.
        name: String,
        /// What is wrong with it.
        reason: String,
    },

    /// A part of the ledger can't be trusted.
    #[error(
        "the ledger `{name}` can't be used: {reason}. The hour \
         waits until this is resolved. Restore a copy of it in StateContainer, if there is one, or \
         delete it: that costs no event, only duplicates of that hour"
    )]
    Ledger {
        /// Name of the object.
        name: String,
        /// What is wrong with it.
        reason: &'static str,
    },

    /// A stored dead letter can't be trusted.
    #[error(
        "the dead letter `{name}` can't be used: {reason}. It is left as it is. Restore the \
         previous version of it in StateContainer, or see what can be saved of it and delete it"
    )]
    DeadLetter {
        /// Name of the dead letter.
        name: String,
        /// What is wrong with it.
        reason: NotADeadLetter,
    },
}

impl Coded for StateError {
    fn code(&self) -> ErrorCode {
        match self {
            StateError::Blob(error) => error.code(),
            StateError::Directory(error) => error.code(),
            StateError::LeaseHeld { .. } => error_code::LEASE_HELD,
            StateError::Conflict { .. } => error_code::STATE_CONFLICT,
            StateError::TooLarge { .. } => error_code::OBJECT_TOO_LARGE,
            StateError::Checkpoint { .. } => error_code::CHECKPOINT_DAMAGED,
            StateError::CheckpointNotWritten { .. } => error_code::CHECKPOINT_NOT_WRITTEN,
            StateError::Ledger { .. } => error_code::LEDGER_DAMAGED,
            StateError::DeadLetter { .. } => error_code::DEAD_LETTER_DAMAGED,
        }
    }
}

impl StateError {
    /// Whether it is about what one dead letter holds, so that others can still be read.
    pub fn is_damage(&self) -> bool {
        matches!(self, StateError::DeadLetter { .. } | StateError::TooLarge { .. })
    }
}

impl From<ObjectError> for StateError {
    fn from(error: ObjectError) -> StateError {
        match error {
            ObjectError::LeaseHeld { name } => StateError::LeaseHeld { name },
            ObjectError::Conflict { name } => StateError::Conflict { name },
            ObjectError::TooLarge { name } => StateError::TooLarge { name, limit: LARGEST },
        }
    }
}

impl From<BlobError> for StateError {
    fn from(error: BlobError) -> StateError {
        match error {
            BlobError::Object(error) => error.into(),
            error => StateError::Blob(error),
        }
    }
}

impl From<DirectoryError> for StateError {
    fn from(error: DirectoryError) -> StateError {
        match error {
            DirectoryError::Object(error) => error.into(),
            error => StateError::Directory(error),
        }
    }
}
