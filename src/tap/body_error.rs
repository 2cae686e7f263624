//! Why the body of an answer can't be used to its end.

use crate::error_code::{self, Coded, ErrorCode};

/// The body of an answer is not whole, or not what the API sends. The records before that are good.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BodyError {
    /// It ended before its last bracket.
    #[error(
        "the answer of the TAP API ends after {bytes} bytes, before its end; the window is asked for again"
    )]
    Cut {
        /// How many bytes came.
        bytes: u64,
    },
    /// It is no object with arrays.
    #[error(
        "the answer of the TAP API is not the JSON that is expected, from byte {at}: {found}. Look whether a proxy or firewall answers in its place"
    )]
    NotExpected {
        /// Where that shows.
        at: u64,
        /// The beginning of what is there.
        found: String,
    },
}

impl Coded for BodyError {
    fn code(&self) -> ErrorCode {
        match self {
            BodyError::Cut { .. } => error_code::TAP_ANSWER_CUT,
            BodyError::NotExpected { .. } => error_code::TAP_ANSWER_UNREADABLE,
        }
    }
}
