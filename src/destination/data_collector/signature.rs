//! The shared-key signature of the Data Collector API.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, KeyInit, Mac};
use jiff::Timestamp;
use jiff::fmt::rfc2822::DateTimePrinter;
use proofpoint_sentinel_core::secret::Secret;
use sha2::Sha256;

use crate::destination::error::DestinationError;

/// Signs posts with a workspace's key.
#[derive(Clone)]
pub struct Signer {
    workspace_id: String,
    mac: Hmac<Sha256>,
}

impl Signer {
    /// A signer for `workspace_id` with its primary or secondary `key`, base64 as Azure shows it.
    pub fn new(workspace_id: &str, key: &Secret) -> Result<Signer, DestinationError> {
        let key =
            STANDARD.decode(key.reveal().trim()).map_err(|_| DestinationError::WorkspaceKey)?;
        if key.is_empty() {
            return Err(DestinationError::WorkspaceKey);
        }
        let mac = Hmac::new_from_slice(&key).map_err(|_| DestinationError::WorkspaceKey)?;
        Ok(Signer { workspace_id: workspace_id.to_owned(), mac })
    }

    /// The value of `Authorization` for a post of `length` bytes (bytes, not characters) with
    /// `x-ms-date: date`.
    pub fn authorization(&self, length: usize, date: &str) -> String {
        let mut mac = self.mac.clone();
        mac.update(
            format!("POST\n{length}\napplication/json\nx-ms-date:{date}\n/api/logs").as_bytes(),
        );
        let signature = STANDARD.encode(mac.finalize().into_bytes());
        format!("SharedKey {}:{signature}", self.workspace_id)
    }
}

/// `now` in the form of `x-ms-date`: RFC 1123, in GMT, such as `Mon, 04 Apr 2016 08:00:00 GMT`.
pub(super) fn date(now: Timestamp) -> String {
    DateTimePrinter::new()
        .timestamp_to_rfc9110_string(&now)
        .expect("the year of a wall clock has four digits")
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The bytes 0 to 63. The signatures below were computed with Python's `hmac`.
    const KEY: &str =
        "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8gISIjJCUmJygpKissLS4vMDEyMzQ1Njc4OTo7PD0+Pw==";
    const WORKSPACE: &str = "0a1b2c3d-0000-1111-2222-333344445555";
    const DATE: &str = "Mon, 04 Apr 2016 08:00:00 GMT";

    fn signature_of(body: &str) -> String {
        Signer::new(WORKSPACE, &Secret::new(KEY)).unwrap().authorization(body.len(), DATE)
    }

    #[test]
    fn signs_as_the_service_does() {
        let expected = "SharedKey 0a1b2c3d-0000-1111-2222-333344445555:\
                        rO1RGHG4N8cjzgOWlKVU8Pdk/P8VdK7XX+oBzWmv1qo=";
        assert_eq!(signature_of(r#"[{"a":1}]"#), expected);
    }

    #[test]
    fn signs_the_number_of_bytes_and_not_of_characters() {
        let expected = "SharedKey 0a1b2c3d-0000-1111-2222-333344445555:\
                        Au54yU5g/+2d9z/D3iaYGS83y12S2zdtb4FyG15en0w=";
        assert_eq!(signature_of(r#"[{"subject":"Grüße aus 東京 ✉"}]"#), expected);
    }

    #[test]
    fn the_date_is_in_gmt_without_fractions() {
        let now: Timestamp = "2016-04-04T10:00:00.999+02:00".parse().unwrap();
        assert_eq!(date(now), DATE);
    }

    #[test]
    fn an_unusable_key_is_reported_without_its_value() {
        for key in ["not base64!", ""] {
            let error = Signer::new(WORKSPACE, &Secret::new(key)).err().unwrap();
            assert!(error.to_string().starts_with("WorkspaceKey is not a workspace key"));
        }
        assert!(Signer::new(WORKSPACE, &Secret::new(format!("{KEY}\n"))).is_ok());
    }
}
