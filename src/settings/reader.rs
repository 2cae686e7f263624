//! Reading settings one by one while gathering what is wrong with them.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::ops::RangeInclusive;
use std::str::FromStr;

use proofpoint_sentinel_core::secret::Secret;
use url::{Host, Url};

use crate::error_code::{self, Coded, ErrorCode};

/// Settings by name, as the environment holds them.
pub type Vars = BTreeMap<String, String>;

/// One setting that can't be used. Its `Display` is one line, with where to set it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BadSetting {
    /// What is wrong: it is missing, has another form, or was not resolved.
    pub code: ErrorCode,
    /// The setting, or several of which one is wanted.
    pub setting: String,
    /// What was found, never a secret's value.
    pub found: String,
    /// What would be right.
    pub expected: String,
}

impl BadSetting {
    fn remedy(&self) -> &'static str {
        match self.code {
            error_code::SECRET_UNRESOLVED => {
                "Correct it in the Key Vault or under Environment variables of the Function App"
            }
            _ if self.setting.starts_with("FUNCTIONS_") => "The Functions host sets it",
            _ => "Set it under Environment variables of the Function App",
        }
    }
}

impl fmt::Display for BadSetting {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let BadSetting { code, setting, found, expected } = self;
        write!(f, "{code} {setting}: found {found}, expected {expected}. {}.", self.remedy())
    }
}

/// All settings that can't be used.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub struct BadSettings {
    /// At least one.
    pub faults: Vec<BadSetting>,
}

impl fmt::Display for BadSettings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let n = self.faults.len();
        write!(f, "{n} Function App setting{} can't be used:", if n == 1 { "" } else { "s" })?;
        self.faults.iter().try_for_each(|fault| write!(f, "\n{fault}"))
    }
}

impl Coded for BadSettings {
    fn code(&self) -> ErrorCode {
        error_code::SETTINGS
    }
}

/// Reads settings and remembers faults, so that one message can name them all.
pub(super) struct SettingsReader<'a> {
    vars: &'a Vars,
    faults: Vec<BadSetting>,
    /// Faults that concern a part alone, which the rest can do without.
    partial: Vec<BadSetting>,
    /// Names that were asked for, whether they are there or not.
    asked: BTreeSet<String>,
}

impl<'a> SettingsReader<'a> {
    pub(super) fn new(vars: &'a Vars) -> SettingsReader<'a> {
        SettingsReader { vars, faults: Vec::new(), partial: Vec::new(), asked: BTreeSet::new() }
    }

    /// `settings`, unless something that all of it needs is at fault. The error then names the
    /// faults of parts too.
    pub(super) fn finish<T>(mut self, settings: Option<T>) -> Result<T, BadSettings> {
        match settings {
            Some(settings) if self.faults.is_empty() => Ok(settings),
            _ => {
                self.faults.append(&mut self.partial);
                Err(BadSettings { faults: self.faults })
            }
        }
    }

    /// Reads a part that the rest can do without. Its faults are given back, and do not count as
    /// faults of the rest.
    pub(super) fn part<T>(
        &mut self,
        read: impl FnOnce(&mut SettingsReader<'a>) -> T,
    ) -> (T, Vec<BadSetting>) {
        let before = self.faults.len();
        let part = read(self);
        let faults = self.faults.split_off(before);
        self.partial.extend_from_slice(&faults);
        (part, faults)
    }

    /// Makes the faults of parts faults of all: no part is left.
    pub(super) fn no_part_is_left(&mut self) {
        self.faults.append(&mut self.partial);
    }

    /// Names of settings that begin with `prefix` and are not blank.
    pub(super) fn names_with_value(&self, prefix: &'static str) -> impl Iterator<Item = &'a str> {
        self.vars
            .iter()
            .filter(move |(name, value)| name.starts_with(prefix) && !value.trim().is_empty())
            .map(|(name, _)| name.as_str())
    }

    /// Names that begin with `prefix`, in whatever case, that have a value, and that nobody has
    /// asked for.
    pub(super) fn unasked(&self, prefix: &str) -> Vec<String> {
        let begins = |name: &str| {
            name.get(..prefix.len()).is_some_and(|start| start.eq_ignore_ascii_case(prefix))
        };
        self.vars
            .iter()
            .filter(|(name, value)| begins(name) && !value.trim().is_empty())
            .map(|(name, _)| name)
            .filter(|name| !self.asked.contains(*name))
            .cloned()
            .collect()
    }

    /// Notes that a setting is missing. `setting` may name several, of which one is wanted.
    pub(super) fn missing(&mut self, setting: impl Into<String>, expected: impl Into<String>) {
        self.note(
            error_code::SETTING_MISSING,
            setting.into(),
            "nothing".to_owned(),
            expected.into(),
        );
    }

    /// Notes that a setting has a value that can't be used. `found` is never a secret's value.
    pub(super) fn invalid(
        &mut self,
        setting: impl Into<String>,
        found: impl Into<String>,
        expected: impl Into<String>,
    ) {
        self.note(error_code::SETTING_INVALID, setting.into(), found.into(), expected.into());
    }

    fn note(&mut self, code: ErrorCode, setting: String, found: String, expected: String) {
        self.faults.push(BadSetting { code, setting, found, expected });
    }

    /// A setting's text without surrounding white space; a blank one counts as missing.
    pub(super) fn text(&mut self, name: &str) -> Option<&'a str> {
        self.asked.insert(name.to_owned());
        self.vars.get(name).map(|value| value.trim()).filter(|value| !value.is_empty())
    }

    pub(super) fn required(&mut self, name: &str, expected: &str) -> Option<&'a str> {
        let text = self.text(name);
        if text.is_none() {
            self.missing(name, expected);
        }
        text
    }

    /// A required secret. The platform leaves a Key Vault reference that it can't resolve as it is.
    pub(super) fn secret(&mut self, name: &str, expected: &str) -> Option<Secret> {
        let text = self.required(name, expected)?;
        if text.starts_with("@Microsoft.KeyVault(") {
            self.note(
                error_code::SECRET_UNRESOLVED,
                name.to_owned(),
                "a Key Vault reference that was not resolved".to_owned(),
                "a secret that exists, in a vault on which the app's identity has the role Key Vault Secrets User".to_owned(),
            );
            return None;
        }
        Some(Secret::new(text))
    }

    /// A text that reads as `T`, or the default where the setting is missing.
    pub(super) fn parsed<T: FromStr>(
        &mut self,
        name: &str,
        default: T,
        expected: &str,
    ) -> Option<T> {
        let Some(text) = self.text(name) else {
            return Some(default);
        };
        let parsed = text.parse().ok();
        if parsed.is_none() {
            self.invalid(name, quoted(text), expected);
        }
        parsed
    }

    pub(super) fn number(
        &mut self,
        name: &str,
        default: u32,
        range: RangeInclusive<u32>,
    ) -> Option<u32> {
        let expected = format!("a whole number from {} to {}", range.start(), range.end());
        let number = self.parsed(name, default, &expected)?;
        if !range.contains(&number) {
            self.invalid(name, number.to_string(), expected);
            return None;
        }
        Some(number)
    }

    /// A number that need not be there.
    pub(super) fn optional_number(
        &mut self,
        name: &str,
        range: RangeInclusive<u32>,
    ) -> Option<Option<u32>> {
        match self.text(name) {
            None => Some(None),
            Some(_) => self.number(name, 0, range).map(Some),
        }
    }

    /// A URL of a peer: `scheme`, a host, and no path, query or password. Plain HTTP is taken for
    /// this machine alone.
    pub(super) fn base_url(&mut self, name: &str, text: &str, scheme: &str) -> Option<Url> {
        let is_right = |url: &Url| matches!(url.path(), "" | "/");
        self.checked_url(name, text, scheme, is_right, format!("{scheme}://host without a path"))
    }

    /// As [`base_url`](Self::base_url) with HTTPS, and it may have a path.
    pub(super) fn url_with_path(&mut self, name: &str, text: &str) -> Option<Url> {
        self.checked_url(
            name,
            text,
            "https",
            |_| true,
            "https://host, perhaps with a path".to_owned(),
        )
    }

    fn checked_url(
        &mut self,
        name: &str,
        text: &str,
        scheme: &str,
        is_right: impl Fn(&Url) -> bool,
        expected: String,
    ) -> Option<Url> {
        let url = Url::parse(text).ok().filter(|url| {
            let is_secure = url.scheme() == scheme
                || (scheme == "https" && url.scheme() == "http" && is_loopback(url));
            let is_bare = url.query().is_none()
                && url.fragment().is_none()
                && url.username().is_empty()
                && url.password().is_none();
            is_secure && is_bare && url.host().is_some() && is_right(url)
        });
        if url.is_none() {
            // A password or a signature may stand there.
            let found = match text.contains(['@', '?', '#']) {
                true => "an address with a user, a query or a fragment".to_owned(),
                false => quoted(text),
            };
            self.invalid(name, found, expected);
        }
        url
    }
}

fn is_loopback(url: &Url) -> bool {
    match url.host() {
        Some(Host::Ipv4(ip)) => ip.is_loopback(),
        Some(Host::Ipv6(ip)) => ip.is_loopback(),
        Some(Host::Domain(name)) => name == "localhost",
        None => false,
    }
}

/// A value that is no secret, for a message: in quotes, and no longer than a line.
pub(super) fn quoted(text: &str) -> String {
    const LONGEST: usize = 80;
    let end = text.floor_char_boundary(LONGEST);
    let more = if end < text.len() { "..." } else { "" };
    format!("`{}{more}`", &text[..end])
}
