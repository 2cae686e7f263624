//! What a status other than 200 from the TAP API means.

use std::fmt;

use crate::error_code::{self, ErrorCode};
use crate::text::one_line_of_bytes;

/// How much of the service's text is kept.
const MAX_TEXT_CHARS: usize = 300;

/// The service's answer to a call that it does not grant.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TapRefusal {
    /// HTTP status.
    pub status: u16,
    /// The beginning of the answer's body, on one line. A body that is a page of HTML is left out.
    pub text: String,
    /// What it means.
    pub reason: RefusalReason,
}

/// Why the service does not grant a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RefusalReason {
    /// 400: the window is shorter than the service accepts.
    TooShort,
    /// 400: the window begins before what the service keeps.
    TooOld,
    /// 400: the window ends after the service's now.
    StillCurrent,
    /// 400 with another text or none, and other statuses that blame the request.
    BadRequest,
    /// 401: the principal or the secret is wrong.
    Credential,
    /// 403: the API is not enabled for the account.
    Forbidden,
    /// 404, 405 and redirections: the API is not there.
    Address,
    /// 429: too many calls in 24 hours.
    TooMany,
    /// 408 and 5xx: the service has a fault, or the answer would take it too long.
    Unavailable,
}

impl TapRefusal {
    /// What an answer with this status and the beginning of this body means.
    pub(super) fn of(status: u16, body: &[u8]) -> TapRefusal {
        let text = one_line_of_bytes(body, MAX_TEXT_CHARS);
        let reason = match status {
            400 => bad_request(&text.to_ascii_lowercase()),
            401 => RefusalReason::Credential,
            403 => RefusalReason::Forbidden,
            ..400 | 404 | 405 | 410 => RefusalReason::Address,
            429 => RefusalReason::TooMany,
            408 | 500.. => RefusalReason::Unavailable,
            _ => RefusalReason::BadRequest,
        };
        let text = if text.starts_with('<') { String::new() } else { text };
        TapRefusal { status, text, reason }
    }

    /// The code of the message.
    pub fn code(&self) -> ErrorCode {
        match self.reason {
            RefusalReason::TooShort => error_code::TAP_TOO_SHORT,
            RefusalReason::TooOld => error_code::TAP_TOO_OLD,
            RefusalReason::StillCurrent => error_code::TAP_STILL_CURRENT,
            RefusalReason::BadRequest => error_code::TAP_BAD_REQUEST,
            RefusalReason::Credential => error_code::TAP_CREDENTIAL,
            RefusalReason::Forbidden => error_code::TAP_FORBIDDEN,
            RefusalReason::Address => error_code::TAP_ADDRESS,
            RefusalReason::TooMany => error_code::TAP_TOO_MANY,
            RefusalReason::Unavailable => error_code::TAP_UNAVAILABLE,
        }
    }

    fn advice(&self) -> &'static str {
        match self.reason {
            RefusalReason::TooShort | RefusalReason::BadRequest => {
                "the window is asked for again later; if it stays, report it with this message"
            }
            RefusalReason::TooOld => "records of this time are lost",
            RefusalReason::StillCurrent => {
                "the clock of this machine is ahead of Proofpoint's; the next run tries again"
            }
            RefusalReason::Credential => {
                "check TapServicePrincipal and TapSecret; create a new credential in the TAP dashboard under Settings, Connected Applications if the secret is lost"
            }
            RefusalReason::Forbidden => {
                "the TAP API is not enabled for this account, or a proxy or firewall on the way refuses it; ask Proofpoint to enable it"
            }
            RefusalReason::Address => "check TapBaseUri",
            RefusalReason::TooMany => {
                "a credential has 1,800 calls in 24 hours; stop other programs that use it, or create a credential for this one alone"
            }
            RefusalReason::Unavailable => "the service has a fault; the next run tries again",
        }
    }
}

/// The meaning of a 400, by its text in lower case. A window that ends before it begins has none.
fn bad_request(text: &str) -> RefusalReason {
    if text.contains("too short") {
        RefusalReason::TooShort
    } else if text.contains("too far into the past") || text.contains("too far in the past") {
        RefusalReason::TooOld
    } else if text.contains("still current") {
        RefusalReason::StillCurrent
    } else {
        RefusalReason::BadRequest
    }
}

impl fmt::Display for TapRefusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the TAP API answered {}", self.status)?;
        if !self.text.is_empty() {
            write!(f, " ({})", self.text.trim_end_matches('.'))?;
        }
        write!(f, ": {}", self.advice())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_text_of_a_400_has_its_meaning() {
        for (text, reason) in [
            (
                "The requested interval is too short. Requests must be for at least 30.00s of data",
                RefusalReason::TooShort,
            ),
            (
                "The requested start time is too far into the past. Requests for information up to 7.00d are accepted",
                RefusalReason::TooOld,
            ),
            ("The sinceTime parameter gives a time too far into the past", RefusalReason::TooOld),
            ("The requested interval is still current.", RefusalReason::StillCurrent),
            ("", RefusalReason::BadRequest),
            ("unknown threatStatus", RefusalReason::BadRequest),
        ] {
            assert_eq!(TapRefusal::of(400, text.as_bytes()).reason, reason, "{text}");
        }
    }

    #[test]
    fn each_status_has_its_meaning() {
        for (status, reason) in [
            (401, RefusalReason::Credential),
            (403, RefusalReason::Forbidden),
            (302, RefusalReason::Address),
            (404, RefusalReason::Address),
            (405, RefusalReason::Address),
            (408, RefusalReason::Unavailable),
            (414, RefusalReason::BadRequest),
            (429, RefusalReason::TooMany),
            (500, RefusalReason::Unavailable),
            (503, RefusalReason::Unavailable),
        ] {
            assert_eq!(TapRefusal::of(status, b"too short").reason, reason, "{status}");
        }
    }

    #[test]
    fn a_message_has_the_services_text_and_no_page() {
        let short = TapRefusal::of(400, b"The requested interval\n is still current.");
        assert_eq!(
            short.to_string(),
            "the TAP API answered 400 (The requested interval is still current): the clock of this machine is ahead of Proofpoint's; the next run tries again"
        );
        let page = TapRefusal::of(404, b"<!DOCTYPE html><title>Not found</title>");
        assert_eq!(page.to_string(), "the TAP API answered 404: check TapBaseUri");
    }
}
