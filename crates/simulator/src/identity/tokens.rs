//! Tokens that were issued, and for what.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard};

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jiff::{SignedDuration, Timestamp};

/// The tokens of one simulation. Clones share them.
///
/// They expire by the machine's clock: the SDK that holds them knows no other.
#[derive(Clone, Debug, Default)]
pub struct Tokens(Arc<Mutex<HashMap<String, Issued>>>);

#[derive(Debug)]
struct Issued {
    audience: String,
    expires: Timestamp,
}

impl Tokens {
    /// A new token for `audience`, such as `https://monitor.azure.com`: an opaque text, and when
    /// it expires.
    pub fn issue(&self, audience: &str, lifetime: SignedDuration) -> (String, Timestamp) {
        let token = URL_SAFE_NO_PAD.encode(rand::random::<[u8; 48]>());
        let expires = Timestamp::now() + lifetime;
        let issued = Issued { audience: bare(audience).to_owned(), expires };
        self.lock().insert(token.clone(), issued);
        (token, expires)
    }

    /// Whether `token` was issued for `audience`, and is neither expired nor revoked.
    pub fn admits(&self, token: &str, audience: &str) -> bool {
        self.lock().get(token).is_some_and(|issued| {
            issued.audience == bare(audience) && Timestamp::now() < issued.expires
        })
    }

    /// Makes every token issued so far worthless.
    pub fn revoke_all(&self) {
        self.lock().clear();
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<String, Issued>> {
        self.0.lock().expect("no holder of the tokens panics")
    }
}

/// Audiences are compared without the slash at their end.
fn bare(audience: &str) -> &str {
    audience.trim_end_matches('/')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_opens_its_own_audience_for_its_time() {
        let tokens = Tokens::default();
        let (token, _) = tokens.issue("https://monitor.azure.com/", SignedDuration::from_hours(1));
        assert!(tokens.admits(&token, "https://monitor.azure.com"));
        assert!(!tokens.admits(&token, "https://storage.azure.com"));
        assert!(!tokens.admits("another", "https://monitor.azure.com"));
        let (expired, _) = tokens.issue("https://monitor.azure.com", SignedDuration::ZERO);
        assert!(!tokens.admits(&expired, "https://monitor.azure.com"));
        tokens.revoke_all();
        assert!(!tokens.admits(&token, "https://monitor.azure.com"));
    }
}
