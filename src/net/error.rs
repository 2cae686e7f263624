//! Why there is no connection.

use std::path::PathBuf;

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
    /// The HTTP client refused its own settings.
    #[error("the HTTP client can't be set up: {0}")]
    Http(#[from] reqwest::Error),
}

impl Coded for NetError {
    fn code(&self) -> ErrorCode {
        match self {
            NetError::ExtraRoots { .. } => error_code::EXTRA_ROOTS,
            NetError::Http(_) => error_code::HTTP_CLIENT,
        }
    }
}
