//! What a status other than 101 from the Log API means.

use std::fmt;
use std::time::Duration;

use crate::error_code::{self, ErrorCode};
use crate::retry::{Backoff, is_passing_status};

/// What to do about a session that was not opened.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RefusalKind {
    /// It is refused again until someone changes something.
    Permanent,
    /// The token already has a session: someone else's, or one of ours whose end the server has not
    /// noticed.
    Busy,
    /// It will probably be granted soon.
    Passing,
}

impl RefusalKind {
    /// How opening the session is retried, if at all.
    pub(super) fn backoff(self) -> Option<Backoff> {
        match self {
            RefusalKind::Permanent => None,
            // The server needs a few minutes to forget a session that dropped without a close.
            RefusalKind::Busy => Some(Backoff {
                first: Duration::from_secs(2),
                longest: Duration::from_secs(60),
                tries: 8,
            }),
            RefusalKind::Passing => Some(Backoff {
                first: Duration::from_secs(1),
                longest: Duration::from_secs(30),
                tries: 5,
            }),
        }
    }
}

/// The server's answer to the request for a session.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HandshakeRefusal {
    /// HTTP status.
    pub status: u16,
    /// The beginning of the answer's body.
    pub body: String,
    /// The wait that `Retry-After` asked for, where it was in seconds.
    pub retry_after: Option<Duration>,
}

impl HandshakeRefusal {
    /// What to do about it. The API documents 400, 401, 404, 405 and 409.
    pub fn kind(&self) -> RefusalKind {
        match self.status {
            409 => RefusalKind::Busy,
            status if is_passing_status(status) => RefusalKind::Passing,
            _ => RefusalKind::Permanent,
        }
    }

    /// The code of the message.
    pub fn code(&self) -> ErrorCode {
        match self.status {
            400 => error_code::REFUSED_BAD_REQUEST,
            401 => error_code::REFUSED_TOKEN,
            403 => error_code::REFUSED_FORBIDDEN,
            404 | 405 => error_code::REFUSED_ADDRESS,
            409 => error_code::REFUSED_BUSY,
            429 => error_code::REFUSED_TOO_MANY,
            408 | 500.. => error_code::REFUSED_UNAVAILABLE,
            _ => error_code::REFUSED_UNKNOWN,
        }
    }

    fn advice(&self) -> &'static str {
        match self.status {
            400 => {
                "check ProofpointClusterID and ProofpointEventTypes; hours over 30 days old are refused too"
            }
            401 => {
                "check ProofpointToken (expired, revoked, not a PoD Logging key) and ProofpointClusterID (the token belongs to one cluster), and the cluster's Remote Syslog licence"
            }
            403 => "a proxy or firewall on the way refuses it; otherwise check ProofpointToken",
            404 | 405 => "check ProofpointLogStreamUri",
            409 => {
                "another session reads this event type with the same token: an older connector that still runs, or one of ours whose end the server has not noticed yet; the next run tries again"
            }
            429 => "the service asks for fewer requests; the next run tries again",
            408 | 500.. => "the service has a fault; the next run tries again",
            _ => "the answer is not one that the Log API documents",
        }
    }
}

impl fmt::Display for HandshakeRefusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the Log API answered {}", self.status)?;
        if !self.body.is_empty() {
            write!(f, " ({})", self.body)?;
        }
        write!(f, ": {}", self.advice())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_status_has_its_kind() {
        let kind =
            |status| HandshakeRefusal { status, body: String::new(), retry_after: None }.kind();
        for status in [400, 401, 403, 404, 405, 301] {
            assert_eq!(kind(status), RefusalKind::Permanent, "{status}");
        }
        assert_eq!(kind(409), RefusalKind::Busy);
        for status in [408, 429, 500, 502, 503, 504] {
            assert_eq!(kind(status), RefusalKind::Passing, "{status}");
        }
    }
}
