//! Why a session could not be opened.

use std::time::Duration;

use super::refusal::{HandshakeRefusal, RefusalKind};
use crate::error_code::{self, Coded, ErrorCode};
use crate::net::ProxyError;

/// A session could not be opened.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// The server refused the session.
    #[error("{0}")]
    Refused(HandshakeRefusal),
    /// The server can't be reached.
    #[error("{host} can't be reached: {reason}; the next run tries again")]
    Unreachable {
        /// Host and port.
        host: String,
        /// What went wrong.
        reason: String,
    },
    /// The proxy can't be used, or does not let the session through.
    #[error(transparent)]
    Proxy(ProxyError),
    /// This machine does not trust the server's certificate.
    #[error(
        "no TLS connection with {host}: {reason}; if a company proxy inspects traffic, name its certificate authority in SSL_CERT_FILE"
    )]
    Tls {
        /// Host and port.
        host: String,
        /// What went wrong.
        reason: String,
    },
    /// The token can't be sent.
    #[error("ProofpointToken holds a character that can't be sent in a header; copy it anew")]
    Token,
}

impl Coded for OpenError {
    fn code(&self) -> ErrorCode {
        match self {
            OpenError::Refused(refusal) => refusal.code(),
            OpenError::Unreachable { .. } => error_code::LOG_API_UNREACHABLE,
            OpenError::Proxy(error) => error.code(),
            OpenError::Tls { .. } => error_code::LOG_API_TLS,
            OpenError::Token => error_code::TOKEN_NOT_SENDABLE,
        }
    }
}

impl OpenError {
    /// What to do about it.
    pub fn kind(&self) -> RefusalKind {
        match self {
            OpenError::Refused(refusal) => refusal.kind(),
            OpenError::Unreachable { .. } => RefusalKind::Passing,
            OpenError::Proxy(error) if error.is_passing() => RefusalKind::Passing,
            OpenError::Proxy(_) => RefusalKind::Permanent,
            OpenError::Tls { .. } | OpenError::Token => RefusalKind::Permanent,
        }
    }

    /// The wait that the server asked for.
    pub(super) fn retry_after(&self) -> Option<Duration> {
        match self {
            OpenError::Refused(refusal) => refusal.retry_after,
            _ => None,
        }
    }
}
