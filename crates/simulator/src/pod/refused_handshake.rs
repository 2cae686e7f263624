//! Responses that refuse a session.

use tokio_tungstenite::tungstenite::http::StatusCode;

/// A response that refuses a session: a status, headers and a short plain text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RefusedHandshake {
    /// The status code.
    pub status: u16,
    /// The headers, without content type and length.
    pub headers: Vec<(String, String)>,
    /// The body.
    pub body: String,
}

impl RefusedHandshake {
    /// An error as the Log API writes it: `status`, and `text` with a line end.
    pub fn new(status: u16, text: &str) -> RefusedHandshake {
        RefusedHandshake { status, headers: Vec::new(), body: format!("{text}\r\n") }
    }

    /// Adds a header, such as `retry-after`.
    pub fn with_header(mut self, name: &str, value: &str) -> RefusedHandshake {
        self.headers.push((name.to_owned(), value.to_owned()));
        self
    }

    /// The response to a second session with the same token, word for word.
    pub fn second_session() -> RefusedHandshake {
        RefusedHandshake::new(409, "Exceeded maximum number of sessions per token")
    }

    /// The whole HTTP response.
    pub(super) fn to_http(&self) -> Vec<u8> {
        let reason = StatusCode::from_u16(self.status)
            .ok()
            .and_then(|status| status.canonical_reason())
            .unwrap_or_default();
        let headers: String =
            self.headers.iter().map(|(name, value)| format!("{name}: {value}\r\n")).collect();
        format!(
            "HTTP/1.1 {} {reason}\r\n{headers}content-type: text/plain;charset=iso-8859-1\r\n\
             content-length: {}\r\nconnection: close\r\n\r\n{}",
            self.status,
            self.body.len(),
            self.body
        )
        .into_bytes()
    }
}

#[cfg(test)]
mod tests {
    use super::RefusedHandshake;

    #[test]
    fn a_second_session_gets_the_response_of_the_real_api() {
        let text = String::from_utf8(RefusedHandshake::second_session().to_http()).unwrap();
        assert!(text.starts_with("HTTP/1.1 409 Conflict\r\n"), "{text}");
        assert!(text.contains("content-type: text/plain;charset=iso-8859-1\r\n"));
        assert!(text.contains("content-length: 47\r\n"));
        assert!(text.ends_with("Exceeded maximum number of sessions per token\r\n"));
    }
}
