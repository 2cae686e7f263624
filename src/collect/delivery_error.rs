//! Why events can't be delivered.

use tokio::task::JoinError;

use crate::destination::{HeldReason, RowRefusal};
use crate::error_code::{self, Coded, ErrorCode};
use crate::state::StateError;

/// Why no more events can be delivered.
#[derive(Debug, thiserror::Error)]
pub enum DeliveryError {
    /// The workspace takes none.
    #[error("the workspace takes no rows: {0}")]
    Held(HeldReason),
    /// The workspace refused rows and took none after them, so it is not known what is at fault.
    #[error(
        "the workspace refused {refused} rows and took no other row since, so the table or its rule may \
         be at fault and not they; they are sent again. Check that table, stream and data collection \
         rule are those that this version deploys. The last refusal: {last}"
    )]
    Unconfirmed {
        /// How many rows.
        refused: usize,
        /// What was said of the last one.
        last: RowRefusal,
    },
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
            DeliveryError::Unconfirmed { .. } => error_code::EVERY_ROW_REFUSED,
            DeliveryError::DeadLetter(error) | DeliveryError::Ledger(error) => error.code(),
            DeliveryError::Fault(_) => error_code::PROGRAM_FAULT,
        }
    }
}
