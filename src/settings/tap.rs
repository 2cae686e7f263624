//! What is read from Targeted Attack Protection: `TapServicePrincipal` and `TapSecret`, once or with
//! suffixes, and how.

use std::fmt;

use jiff::SignedDuration;
use proofpoint_sentinel_core::secret::Secret;
use proofpoint_sentinel_core::threat_status::ThreatStatuses;
use url::Url;

use super::reader::{BadSetting, SettingsReader};
use crate::error_code::ErrorCode;

const PRINCIPAL: &str = "TapServicePrincipal";
const SECRET: &str = "TapSecret";

/// The only host that Proofpoint documents.
const BASE_URI: &str = "https://tap-api-v2.proofpoint.com";

/// What is read from Targeted Attack Protection, and how.
#[derive(Clone, Debug)]
pub struct TapSettings {
    /// Accounts, in the order of their names; there may be none.
    pub accounts: Vec<TapAccount>,
    /// Accounts whose settings can't be used.
    pub unusable_accounts: Vec<UnusableAccount>,
    /// Base of the SIEM API: scheme `https`, host, optional port.
    pub base_uri: Url,
    /// How often new records are asked for, 1 to 60 minutes.
    pub interval: SignedDuration,
    /// How many hours the first run reaches back, 0 to 167.
    pub initial_lookback_hours: i64,
    /// Of which statuses threats are.
    pub threat_statuses: ThreatStatuses,
}

/// A credential of the SIEM API.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TapAccount {
    /// The suffix of its settings' names (`emea` of `TapServicePrincipal_emea`), `default` if there is
    /// none.
    pub name: String,
    /// The service principal.
    pub principal: String,
    /// Its secret.
    pub secret: Secret,
}

/// An account whose settings can't be used. Its `Display` is one line that names them all.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UnusableAccount {
    /// As of [`TapAccount::name`].
    pub name: String,
    /// At least one.
    pub faults: Vec<BadSetting>,
}

impl fmt::Display for UnusableAccount {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the settings of the TAP account {} can't be used:", self.name)?;
        self.faults.iter().try_for_each(|fault| write!(f, " {fault}"))
    }
}

impl UnusableAccount {
    /// The code of the first fault.
    pub fn code(&self) -> ErrorCode {
        self.faults[0].code
    }
}

/// Reads all accounts. What is wrong with one of them concerns it alone. What is wrong with the settings
/// of all of them makes each of them unusable, and nothing else.
pub(super) fn read(reader: &mut SettingsReader<'_>) -> TapSettings {
    let (settings, faults) = reader.part(common);
    let mut settings = settings.unwrap_or_else(defaults);
    for suffix in reader.suffixes(&[PRINCIPAL, SECRET]) {
        let name = suffix.strip_prefix('_').unwrap_or("default").to_owned();
        let (credential, own) = reader.part(|reader| credential(reader, suffix));
        let faults = [&own[..], &faults].concat();
        match credential {
            Some((principal, secret)) if faults.is_empty() => {
                settings.accounts.push(TapAccount { name, principal, secret });
            }
            _ => settings.unusable_accounts.push(UnusableAccount { name, faults }),
        }
    }
    settings
}

/// What all accounts have in common.
fn common(reader: &mut SettingsReader<'_>) -> Option<TapSettings> {
    let base_uri = reader.text("TapBaseUri").unwrap_or(BASE_URI);
    let base_uri = reader.base_url("TapBaseUri", base_uri, "https");
    let interval = reader.number("TapIntervalSeconds", 300, 60..=3600);
    let initial_lookback_hours = reader.number("TapInitialLookbackHours", 12, 0..=167);
    let expected = "active, cleared and falsePositive, separated by commas";
    let threat_statuses = reader.parsed("TapThreatStatus", ThreatStatuses::default(), expected);
    Some(TapSettings {
        accounts: Vec::new(),
        unusable_accounts: Vec::new(),
        base_uri: base_uri?,
        interval: SignedDuration::from_secs(interval?.into()),
        initial_lookback_hours: initial_lookback_hours?.into(),
        threat_statuses: threat_statuses?,
    })
}

fn defaults() -> TapSettings {
    TapSettings {
        accounts: Vec::new(),
        unusable_accounts: Vec::new(),
        base_uri: Url::parse(BASE_URI).expect("it is an address"),
        interval: SignedDuration::from_mins(5),
        initial_lookback_hours: 12,
        threat_statuses: ThreatStatuses::default(),
    }
}

fn credential(reader: &mut SettingsReader<'_>, suffix: &str) -> Option<(String, Secret)> {
    let (principal_name, secret_name) =
        (format!("{PRINCIPAL}{suffix}"), format!("{SECRET}{suffix}"));
    let expected = "the service principal of a credential in the TAP dashboard";
    let principal = reader.required(&principal_name, expected);
    let secret = reader.secret(&secret_name, "the secret of that service principal");
    let (principal, secret) = (principal?, secret?);
    let is_plain = |text: &str| text.bytes().all(|byte| byte.is_ascii_graphic() && byte != b'"');
    if !is_plain(principal) || principal.contains(':') {
        let found = "a text with blanks, quotation marks, colons or characters beyond ASCII";
        reader.invalid(principal_name, found, expected);
        return None;
    }
    if !is_plain(secret.reveal()) {
        let found = "a text with blanks, quotation marks or characters beyond ASCII";
        reader.invalid(secret_name, found, "the secret of that service principal alone");
        return None;
    }
    Some((principal.to_owned(), secret))
}
