//! Targeted Attack Protection: `TapServicePrincipal` and `TapSecret`, once or with suffixes, and how
//! their accounts are read.

use std::fmt;
use std::time::Duration;

use proofpoint_sentinel_core::secret::Secret;
use proofpoint_sentinel_core::threat_status::ThreatStatuses;
use url::Url;

use super::reader::{BadSetting, SettingsReader, Vars};
use super::suffixed::{name_of, suffixes};
use crate::error_code::ErrorCode;

/// What is read of Targeted Attack Protection, and how.
#[derive(Clone, Debug)]
pub struct TapSettings {
    /// Each principal once.
    pub accounts: Vec<TapAccount>,
    /// Accounts whose own settings can't be used, or all of them if that is so of a setting that they
    /// share.
    pub unusable_accounts: Vec<UnusableTapAccount>,
    /// Base of the API: scheme, host, optional port.
    pub base_uri: Url,
    /// The newest records are not asked for more often than this, 60 seconds to an hour.
    pub interval: Duration,
    /// How many hours the first run of an account reaches back, 1 to 167.
    pub initial_lookback_hours: i64,
    /// Of which threats records are collected.
    pub statuses: ThreatStatuses,
}

/// A credential of the TAP API.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TapAccount {
    /// The suffix of its settings' names (`emea` of `TapSecret_emea`), `default` where there is none.
    /// It stays the same when the credential is replaced.
    pub name: String,
    /// The service principal.
    pub principal: String,
    /// The secret that belongs to it.
    pub secret: Secret,
}

/// An account whose settings can't be used. Its `Display` is one line that names them all.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UnusableTapAccount {
    /// As of [`TapAccount::name`].
    pub name: String,
    /// At least one.
    pub faults: Vec<BadSetting>,
}

impl fmt::Display for UnusableTapAccount {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the settings of the TAP account {} can't be used:", self.name)?;
        self.faults.iter().try_for_each(|fault| write!(f, " {fault}"))
    }
}

impl UnusableTapAccount {
    /// The code of the first fault.
    pub fn code(&self) -> ErrorCode {
        self.faults[0].code
    }
}

impl TapSettings {
    /// Reads these settings alone; `None` if no account is named.
    pub fn read(vars: &Vars) -> Option<TapSettings> {
        read(&mut SettingsReader::new(vars))
    }
}

const PRINCIPAL: &str = "TapServicePrincipal";
const SECRET: &str = "TapSecret";

/// Settings that all accounts share.
struct Shared {
    base_uri: Url,
    interval: Duration,
    initial_lookback_hours: i64,
    statuses: ThreatStatuses,
}

/// Reads all accounts; `None` if none is named. What is wrong with one of them concerns it alone.
pub(super) fn read(reader: &mut SettingsReader<'_>) -> Option<TapSettings> {
    let (shared, shared_faults) = reader.part(shared);
    let suffixes = suffixes(reader, [PRINCIPAL, SECRET]);
    if suffixes.is_empty() {
        return None;
    }
    let mut accounts = Vec::new();
    let mut unusable_accounts = Vec::new();
    for suffix in suffixes {
        let ((principal, secret), mut faults) =
            reader.part(|reader| account(reader, suffix, &accounts));
        faults.extend_from_slice(&shared_faults);
        let name = name_of(suffix);
        match (principal, secret) {
            (Some(principal), Some(secret)) if faults.is_empty() => {
                accounts.push(TapAccount { name, principal, secret });
            }
            _ => unusable_accounts.push(UnusableTapAccount { name, faults }),
        }
    }
    let Shared { base_uri, interval, initial_lookback_hours, statuses } = shared;
    Some(TapSettings {
        accounts,
        unusable_accounts,
        base_uri,
        interval,
        initial_lookback_hours,
        statuses,
    })
}

/// The settings that all accounts share. What can't be used has its default, and no account is usable
/// then.
fn shared(reader: &mut SettingsReader<'_>) -> Shared {
    const DEFAULT_URI: &str = "https://tap-api-v2.proofpoint.com";
    const INTERVAL: u32 = 300;
    const LOOKBACK: u32 = 12;
    let name = "TapBaseUri";
    let text = reader.text(name).unwrap_or(DEFAULT_URI);
    let base_uri = reader.base_url(name, text, "https");
    let interval = reader.number("TapIntervalSeconds", INTERVAL, 60..=3_600);
    let lookback = reader.number("TapInitialLookbackHours", LOOKBACK, 1..=167);
    let expected = "active, cleared and falsePositive, separated by commas";
    let statuses = reader.parsed("TapThreatStatus", ThreatStatuses::default(), expected);
    let default_uri = || DEFAULT_URI.parse().expect("the default is an address");
    Shared {
        base_uri: base_uri.unwrap_or_else(default_uri),
        interval: Duration::from_secs(interval.unwrap_or(INTERVAL).into()),
        initial_lookback_hours: lookback.unwrap_or(LOOKBACK).into(),
        statuses: statuses.unwrap_or_default(),
    }
}

/// Principal and secret, each where it can be used.
fn account(
    reader: &mut SettingsReader<'_>,
    suffix: &str,
    others: &[TapAccount],
) -> (Option<String>, Option<Secret>) {
    let expected = "the secret of a TAP service credential alone";
    let name = format!("{SECRET}{suffix}");
    let secret = reader.secret(&name, expected).filter(|secret| {
        let found = unsendable(secret.reveal());
        found.into_iter().for_each(|found| reader.invalid(&name, found, expected));
        found.is_none()
    });
    (principal(reader, &format!("{PRINCIPAL}{suffix}"), others), secret)
}

fn principal(reader: &mut SettingsReader<'_>, name: &str, others: &[TapAccount]) -> Option<String> {
    let expected = "the service principal of a TAP service credential";
    let principal = reader.secret(name, expected)?;
    let principal = principal.reveal();
    let colon = principal.contains(':').then_some("a text with a colon");
    if let Some(found) = unsendable(principal).or(colon) {
        reader.invalid(name, found, expected);
        return None;
    }
    if let Some(other) = others.iter().find(|other| other.principal == principal) {
        let found = format!("that of the TAP account {}", other.name);
        reader.invalid(name, found, "each service principal once");
        return None;
    }
    Some(principal.to_owned())
}

/// Why a principal or secret can't be one, in words that do not give it away.
fn unsendable(text: &str) -> Option<&'static str> {
    if text.starts_with(['"', '\'']) || text.ends_with(['"', '\'']) {
        Some("a text in quotation marks")
    } else if !text.bytes().all(|byte| byte.is_ascii_graphic()) {
        Some("a text with blanks, line ends or characters beyond ASCII")
    } else {
        None
    }
}

#[cfg(test)]
mod tests;
