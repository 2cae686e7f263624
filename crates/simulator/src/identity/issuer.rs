//! Issues tokens, and counts and fails requests for them.

use std::collections::VecDeque;
use std::sync::{Mutex, MutexGuard};

use axum::http::StatusCode;
use jiff::{SignedDuration, Timestamp};
use proofpoint_sentinel_core::secret::Secret;

use super::issued_tokens::IssuedTokens;
use crate::watch_cell::WatchCell;

/// The identities that the simulation knows.
#[derive(Clone, Debug)]
pub struct IdentitySettings {
    /// The required value of `X-IDENTITY-HEADER`.
    pub identity_header: Secret,
    /// The client id of the one user-assigned identity. There is a system-assigned identity too.
    pub user_assigned_id: String,
    /// The tenant of the application.
    pub tenant_id: String,
    /// The client id of the one application.
    pub client_id: String,
    /// Its secret.
    pub client_secret: Secret,
    /// An assertion of a federated identity provider, accepted instead of the secret.
    pub assertion: Secret,
    /// The lifetime of tokens.
    pub lifetime: SignedDuration,
}

impl Default for IdentitySettings {
    fn default() -> IdentitySettings {
        IdentitySettings {
            identity_header: Secret::new("simulated-identity-header"),
            user_assigned_id: "11111111-0000-4000-8000-000000000001".to_owned(),
            tenant_id: "22222222-0000-4000-8000-000000000002".to_owned(),
            client_id: "33333333-0000-4000-8000-000000000003".to_owned(),
            client_secret: Secret::new("simulated-client-secret"),
            assertion: Secret::new("simulated-assertion"),
            lifetime: SignedDuration::from_hours(24),
        }
    }
}

/// Counters of the token services.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct IdentityCounters {
    /// All requests, whatever their outcome.
    pub requests: u64,
    /// Tokens issued.
    pub issued: u64,
}

/// What both token services share.
pub(super) struct TokenIssuer {
    pub settings: IdentitySettings,
    pub tokens: IssuedTokens,
    pub counters: WatchCell<IdentityCounters>,
    failures: Mutex<VecDeque<StatusCode>>,
}

impl TokenIssuer {
    pub(super) fn new(settings: IdentitySettings) -> TokenIssuer {
        TokenIssuer {
            settings,
            tokens: IssuedTokens::default(),
            counters: WatchCell::new(IdentityCounters::default()),
            failures: Mutex::default(),
        }
    }

    /// A new token for `audience`, and when it expires.
    pub(super) fn issue(&self, audience: &str) -> (String, Timestamp) {
        self.counters.update(|counters| counters.issued += 1);
        self.tokens.issue(audience, self.settings.lifetime)
    }

    /// Makes the next `times` requests fail with `status`.
    pub(super) fn fail_next(&self, times: usize, status: StatusCode) {
        self.lock_failures().extend(std::iter::repeat_n(status, times));
    }

    /// Takes the failure of the next request, if it has to fail.
    pub(super) fn next_failure(&self) -> Option<StatusCode> {
        self.lock_failures().pop_front()
    }

    fn lock_failures(&self) -> MutexGuard<'_, VecDeque<StatusCode>> {
        self.failures.lock().expect("no holder of the failures panics")
    }
}
