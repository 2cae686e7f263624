//! Why there is no connection.

use std::error::Error;
use std::path::PathBuf;
use std::time::Duration;

use super::proxy::ProxyError;
use crate::error_code::{self, Coded, ErrorCode};

/// A TCP connection can't be opened.
#[derive(Debug, thiserror::Error)]
pub enum DialError {
    /// The peer can't be reached.
    #[error(transparent)]
    Direct(#[from] std::io::Error),
    /// The proxy can't be used, or does not let the connection through.
    #[error(transparent)]
    Proxy(#[from] ProxyError),
}

/// The connections can't be set up.
#[derive(Debug, thiserror::Error)]
pub enum NetError {
    /// `SSL_CERT_FILE` names a file that is not a PEM bundle of certificates.
    #[error("SSL_CERT_FILE: no certificate could be read from {path}: {reason}")]
    ExtraRoots {
        /// The file as it was named.
        path: PathBuf,
        /// What went wrong.
        reason: String,
    },
}

/// A request has no answer, or not a whole one. The text has no address, which could hold secrets.
#[derive(Clone, Debug, thiserror::Error)]
pub enum HttpError {
    /// There is no connection. With a proxy, it may be to blame.
    #[error("{0}")]
    Connecting(String),
    /// The answer takes too long.
    #[error("no answer within 60 s")]
    TimedOut,
    /// The connection broke, or what came is not HTTP.
    #[error("{0}")]
    Broken(String),
}

impl HttpError {
    pub(super) fn connecting(error: &(dyn Error + 'static)) -> HttpError {
        HttpError::Connecting(error_chain(error))
    }

    pub(super) fn no_connection_within(limit: Duration) -> HttpError {
        HttpError::Connecting(format!("no connection within {limit:?}"))
    }

    pub(super) fn of(error: &(dyn Error + 'static)) -> HttpError {
        HttpError::Broken(error_chain(error))
    }

    /// Whether nothing was sent.
    pub fn is_connecting(&self) -> bool {
        matches!(self, HttpError::Connecting(_))
    }
}

/// An error and its causes on one line, each told once.
pub fn error_chain(error: &(dyn Error + 'static)) -> String {
    let mut texts: Vec<String> = Vec::new();
    for error in std::iter::successors(Some(error), |&error| error.source()) {
        let text = error.to_string();
        if !texts.iter().any(|told| told.contains(&text)) {
            texts.push(text);
        }
    }
    texts.join(": ")
}

impl Coded for NetError {
    fn code(&self) -> ErrorCode {
        match self {
            NetError::ExtraRoots { .. } => error_code::EXTRA_ROOTS,
        }
    }
}
