//! Why a call brought no whole answer, and what follows from that.

use super::body_error::BodyError;
use super::outcome::Outcome;
use super::refusal::{RefusalReason, TapRefusal};
use crate::error_code::{self, Coded, ErrorCode};
use crate::net::HttpError;

/// A call brought no answer, or not a whole one.
#[derive(Clone, Debug, thiserror::Error)]
pub enum AskError {
    /// The service does not grant it.
    #[error("{0}")]
    Refused(TapRefusal),
    /// There is no connection.
    #[error("{host} can't be reached: {reason}; the next run tries again")]
    Unreachable {
        /// The host.
        host: String,
        /// What went wrong.
        reason: String,
    },
    /// The connection broke before the answer began.
    #[error("{host} broke off before its answer: {reason}; the next run tries again")]
    Broken {
        /// The host.
        host: String,
        /// What went wrong.
        reason: String,
    },
    /// The answer takes too long.
    #[error("{host} sent nothing for 60 s; a shorter window is asked for")]
    TimedOut {
        /// The host.
        host: String,
    },
    /// The answer is not whole, or not what the API sends.
    #[error(transparent)]
    Body(BodyError),
    /// The credential can't be sent.
    #[error("TapServicePrincipal or TapSecret holds a character that can't be sent; copy it anew")]
    NotSendable,
}

/// What a failed call is a fault of.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum AskScope {
    /// The window: other windows go on.
    Window,
    /// The account: no other call is made in this run.
    Account,
}

impl AskError {
    pub(super) fn of(error: HttpError, host: &str) -> AskError {
        let host = host.to_owned();
        match error {
            HttpError::Connecting(reason) => AskError::Unreachable { host, reason },
            HttpError::TimedOut => AskError::TimedOut { host },
            HttpError::Broken(reason) => AskError::Broken { host, reason },
        }
    }

    /// What the plan is to make of it.
    pub fn outcome(&self) -> Outcome {
        match self {
            AskError::Refused(refusal) => match refusal.reason {
                RefusalReason::TooOld => Outcome::TooOld,
                RefusalReason::Unavailable => Outcome::TooLong,
                RefusalReason::TooMany => Outcome::Throttled,
                RefusalReason::TooShort
                | RefusalReason::StillCurrent
                | RefusalReason::BadRequest => Outcome::Refused,
                RefusalReason::Credential | RefusalReason::Forbidden | RefusalReason::Address => {
                    Outcome::Abandoned
                }
            },
            // Some servers close the connection when a window gives them too much to do.
            AskError::Broken { .. } | AskError::TimedOut { .. } => Outcome::TooLong,
            AskError::Body(BodyError::Cut { .. }) => Outcome::TooLong,
            AskError::Body(BodyError::NotExpected { .. }) => Outcome::Refused,
            AskError::Unreachable { .. } | AskError::NotSendable => Outcome::Abandoned,
        }
    }

    /// What it is a fault of.
    pub fn scope(&self) -> AskScope {
        match self.outcome() {
            Outcome::Throttled | Outcome::Abandoned => AskScope::Account,
            Outcome::Read | Outcome::TooLong | Outcome::TooOld | Outcome::Refused => {
                AskScope::Window
            }
        }
    }

    /// Whether it goes away by itself, and not only when someone changes something.
    pub fn is_passing(&self) -> bool {
        match self {
            AskError::Refused(refusal) => matches!(
                refusal.reason,
                RefusalReason::StillCurrent | RefusalReason::TooMany | RefusalReason::Unavailable
            ),
            AskError::Unreachable { .. }
            | AskError::Broken { .. }
            | AskError::TimedOut { .. }
            | AskError::Body(BodyError::Cut { .. }) => true,
            AskError::Body(BodyError::NotExpected { .. }) | AskError::NotSendable => false,
        }
    }
}

impl Coded for AskError {
    fn code(&self) -> ErrorCode {
        match self {
            AskError::Refused(refusal) => refusal.code(),
            AskError::Unreachable { .. } | AskError::Broken { .. } => error_code::TAP_UNREACHABLE,
            AskError::TimedOut { .. } => error_code::TAP_TIMED_OUT,
            AskError::Body(error) => error.code(),
            AskError::NotSendable => error_code::TAP_CREDENTIAL_NOT_SENDABLE,
        }
    }
}
