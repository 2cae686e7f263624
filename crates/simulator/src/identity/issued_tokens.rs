//! Issued tokens and their audiences.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard};

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jiff::{SignedDuration, Timestamp};

/// The tokens of one simulation. Clones share them.
///
/// They expire by the machine's clock, since the SDK that caches them uses no other.
#[derive(Clone, Debug, Default)]
pub struct IssuedTokens(Arc<Mutex<HashMap<String, Issued>>>);

#[derive(Debug)]
struct Issued {
    audience: String,
    expires: Timestamp,
}

impl IssuedTokens {
    /// Issues a token for `audience`, such as `https://monitor.azure.com`. Returns the opaque token
    /// and when it expires.
    pub fn issue(&self, audience: &str, lifetime: SignedDuration) -> (String, Timestamp) {
        let token = URL_SAFE_NO_PAD.encode(rand::random::<[u8; 48]>());
        let expires = Timestamp::now() + lifetime;
        let issued = Issued { audience: without_slash(audience).to_owned(), expires };
        self.lock().insert(token.clone(), issued);
        (token, expires)
    }

    /// Whether `token` is for `audience`, and neither expired nor revoked.
    pub fn accepts(&self, token: &str, audience: &str) -> bool {
        self.lock().get(token).is_some_and(|issued| {
            issued.audience == without_slash(audience) && Timestamp::now() < issued.expires
        })
    }

    /// Revokes all tokens issued so far.
    pub fn revoke_all(&self) {
        self.lock().clear();
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<String, Issued>> {
        self.0.lock().expect("no holder of the tokens panics")
    }
}

/// Audiences are compared without a trailing slash.
fn without_slash(audience: &str) -> &str {
    audience.trim_end_matches('/')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_is_valid_for_its_audience_until_it_expires() {
        let tokens = IssuedTokens::default();
        let (token, _) = tokens.issue("https://monitor.azure.com/", SignedDuration::from_hours(1));
        assert!(tokens.accepts(&token, "https://monitor.azure.com"));
        assert!(!tokens.accepts(&token, "https://storage.azure.com"));
        assert!(!tokens.accepts("another", "https://monitor.azure.com"));
        let (expired, _) = tokens.issue("https://monitor.azure.com", SignedDuration::ZERO);
        assert!(!tokens.accepts(&expired, "https://monitor.azure.com"));
        tokens.revoke_all();
        assert!(!tokens.accepts(&token, "https://monitor.azure.com"));
    }
}
