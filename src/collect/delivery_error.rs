//! Why events can't be delivered.

use tokio::task::JoinError;

use crate::destination::HeldReason;
use crate::error_code::{self, Coded, ErrorCode};
use crate::state::StateError;

/// Why no more events can be delivered.
#[derive(Debug, thiserror::Error)]
pub enum DeliveryError {
    /// The workspace takes none.
    #[error("the workspace takes no rows: {0}")]
    Held(HeldReason),
    /// An event that can't be delivered could not be kept as a dead letter either.
    #[error("a dead letter can't be kept: {0}")]
    DeadLetter(StateError),
    /// What was delivered before can't be read, or what was delivered can't be recorded.
    #[error("the ledger of delivered events can't be used: {0}")]
    Ledger(StateError),
    /// A fault in the program.
    #[error("a post ended by a fault in the program: {0}")]
    Fault(#[from] JoinError),
}

impl Coded for DeliveryError {
    fn code(&self) -> ErrorCode {
        match self {
            DeliveryError::Held(reason) => reason.code(),
            DeliveryError::DeadLetter(error) | DeliveryError::Ledger(error) => error.code(),
            DeliveryError::Fault(_) => error_code::PROGRAM_FAULT,
        }
    }
}
