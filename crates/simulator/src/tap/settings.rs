//! The settings of the simulated SIEM API.

use std::sync::Arc;

use jiff::SignedDuration;
use proofpoint_sentinel_core::clock::Clock;
use proofpoint_sentinel_core::secret::Secret;

use super::record_source::RecordSource;

/// A credential that the simulated SIEM API knows.
#[derive(Clone, Debug)]
pub struct TapCredential {
    /// The service principal. Records belong to it.
    pub principal: String,
    /// Its secret.
    pub secret: Secret,
    /// Whether the API is enabled for its account. Otherwise calls get 403.
    pub enabled: bool,
}

impl TapCredential {
    /// A credential of an account for which the API is enabled.
    pub fn new(principal: &str, secret: &str) -> TapCredential {
        TapCredential {
            principal: principal.to_owned(),
            secret: Secret::new(secret),
            enabled: true,
        }
    }
}

/// How the simulated SIEM API behaves.
#[derive(Clone)]
pub struct TapSettings {
    /// Determines which windows are over, which records are indexed and which calls still count.
    pub clock: Clock,
    /// The credentials with records.
    pub credentials: Vec<TapCredential>,
    /// The source of the records.
    pub source: Arc<dyn RecordSource>,
    /// How many calls each pool of a credential has in 24 hours.
    pub calls_per_day: usize,
    /// How far back a window may begin.
    pub lookback: SignedDuration,
    /// Whether arrays have another order in each call: those of the answer, and within records
    /// those of threats and message parts.
    pub reorders: bool,
}

impl TapSettings {
    /// 1,800 calls a day, seven days back, and arrays in no lasting order.
    pub fn new(
        clock: Clock,
        credentials: Vec<TapCredential>,
        source: Arc<dyn RecordSource>,
    ) -> TapSettings {
        TapSettings {
            clock,
            credentials,
            source,
            calls_per_day: 1800,
            lookback: SignedDuration::from_hours(7 * 24),
            reorders: true,
        }
    }
}
