//! Takes out of texts what must not leave the company: values of settings, and mail addresses.

use std::collections::BTreeMap;

use percent_encoding::percent_decode_str;
use proofpoint_sentinel_core::feed::{EventType, Feed};
use url::Url;

use crate::settings::{Vars, may_be_shown};

/// A shorter part of a value is no secret, and replacing it would spoil every text.
const LEAST_PART: usize = 4;

/// What the hosts of Azure's resources have in them, in each of its clouds.
const AZURE_DOMAINS: [&str; 5] =
    [".azure.", ".windows.net", ".cloudapi.", ".chinacloudapi.", ".usgovcloudapi."];

/// What stands for a mail address.
const MAIL_ADDRESS: &str = "[mail address]";

/// Takes values of settings and mail addresses out of texts.
pub(super) struct Redactor {
    /// What is taken out with what stands for it, the longest first.
    replacements: Vec<(String, String)>,
}

impl Redactor {
    /// Takes out all values of `vars` that may not be shown, and their parts: hosts, users, passwords
    /// and the values within connection strings.
    pub(super) fn new(vars: &Vars) -> Redactor {
        let mut replacements = BTreeMap::new();
        for (name, value) in vars.iter().filter(|(name, _)| !may_be_shown(name)) {
            let whole = value.trim();
            let parts = parts(whole).into_iter().filter(|part| is_telling(part));
            let whole =
                Some(whole.to_owned()).filter(|it| is_telling(it) || is_always_telling(name));
            for part in parts.chain(whole).filter(|part| !part.is_empty()) {
                // In JSON a quotation mark, for one, is written otherwise.
                let in_json = serde_json::to_string(&part).unwrap_or_default();
                let in_json = in_json.strip_prefix('"').and_then(|it| it.strip_suffix('"'));
                let in_json = in_json.unwrap_or(&part).to_owned();
                for spelling in [in_json, part] {
                    replacements.entry(spelling).or_insert_with(|| format!("[{name}]"));
                }
            }
        }
        let mut replacements: Vec<(String, String)> = replacements.into_iter().collect();
        replacements.sort_by_key(|(value, _)| std::cmp::Reverse(value.len()));
        Redactor { replacements }
    }

    /// The text without them.
    pub(super) fn redact(&self, text: &str) -> String {
        let mut redacted = String::with_capacity(text.len());
        let mut rest = text;
        while let Some(first) = rest.chars().next() {
            let found = self.replacements.iter().find(|(value, _)| rest.starts_with(&**value));
            if let Some((value, replacement)) = found {
                redacted.push_str(replacement);
                rest = &rest[value.len()..];
            } else {
                redacted.push(first);
                rest = &rest[first.len_utf8()..];
            }
        }
        without_mail_addresses(&redacted)
    }
}

/// Whether a value or a part of one gives something away. Short ones and words that settings of the
/// platform have would be replaced everywhere, and spoil every text.
fn is_telling(value: &str) -> bool {
    let is_word = ["true", "false", "null", "https", "http", "custom", "localhost"]
        .iter()
        .any(|word| word.eq_ignore_ascii_case(value));
    let is_short_number = value.len() < 6 && value.bytes().all(|byte| byte.is_ascii_digit());
    value.len() >= LEAST_PART && !is_word && !is_short_number
}

/// Whether a setting's value is taken out however short it is.
fn is_always_telling(name: &str) -> bool {
    [
        "ProofpointClusterID",
        "ProofpointToken",
        "TapServicePrincipal",
        "TapSecret",
        "WorkspaceKey",
        "AZURE_CLIENT_SECRET",
    ]
    .iter()
    .any(|prefix| name.starts_with(prefix))
}

/// What a value consists of, as far as a part gives something away.
fn parts(value: &str) -> Vec<String> {
    let mut parts = Vec::new();
    // A connection string: names and values.
    for pair in value.split(';').filter(|_| value.contains(';')) {
        if let Some((_, part)) = pair.split_once('=') {
            parts.push(part.to_owned());
            parts.extend(parts_of_url(part));
        }
    }
    parts.extend(parts_of_url(value));
    // A cluster's id as it is in the names of its feeds.
    let feed = Feed::log(value, EventType::Audit).to_string();
    parts.extend(feed.strip_suffix("-audit").map(str::to_owned));
    parts
}

fn parts_of_url(value: &str) -> Vec<String> {
    let Ok(url) = Url::parse(value) else { return Vec::new() };
    let Some(host) = url.host_str() else { return Vec::new() };
    let mut parts = vec![host.to_owned()];
    // The name of a resource, which messages can have without its domain.
    if AZURE_DOMAINS.iter().any(|domain| host.contains(domain)) {
        parts.extend(host.split('.').next().map(str::to_owned));
    }
    for part in [url.username(), url.password().unwrap_or_default()] {
        parts.push(part.to_owned());
        parts.push(percent_decode_str(part).decode_utf8_lossy().into_owned());
    }
    parts.extend(url.query().map(str::to_owned));
    parts
}

/// Replaces what looks like a mail address. Too much is replaced rather than too little.
fn without_mail_addresses(text: &str) -> String {
    let is_part = |c: char| c.is_alphanumeric() || ".!#$%&'*+/=?^_`{|}~-".contains(c);
    let mut kept = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find('@') {
        let (before, after) = (&rest[..at], &rest[at + 1..]);
        let start = before.trim_end_matches(is_part).len();
        let end = after.find(|c: char| !is_part(c)).unwrap_or(after.len());
        if start < at && end > 0 {
            kept.push_str(&before[..start]);
            kept.push_str(MAIL_ADDRESS);
        } else {
            kept.push_str(&rest[..=at]);
            rest = after;
            continue;
        }
        rest = &after[end..];
    }
    kept + rest
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn redactor(vars: &[(&str, &str)]) -> Redactor {
        let vars = vars.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
        Redactor::new(&vars.collect())
    }

    #[test]
    fn values_and_their_parts_are_taken_out() {
        let redactor = redactor(&[
            ("ProofpointClusterID", "acme/hosted"),
            ("ProofpointToken", "t0ken"),
            ("ProofpointProxy", "http://user1:pa%2Fss@proxy.corp.example:3128"),
            ("LogsIngestionEndpoint", "https://acmerule-1.westeurope-1.ingest.monitor.azure.com"),
            ("StateStorage", "AccountName=acmestore;AccountKey=a2V5a2V5==;EndpointSuffix=x"),
            ("ProofpointMode", "hybrid"),
            ("WEBSITE_SOMETHING", "true"),
            ("WEBSITE_PORT", "8080"),
            ("WorkspaceKey", "say \"x\""),
        ]);
        let cases = [
            ("feed acme%2Fhosted-message", "feed [ProofpointClusterID]-message"),
            ("Bearer t0ken.", "Bearer [ProofpointToken]."),
            ("the proxy proxy.corp.example:3128", "the proxy [ProofpointProxy]:3128"),
            ("password pa/ss or pa%2Fss", "password [ProofpointProxy] or [ProofpointProxy]"),
            ("https://acmestore.blob/ a2V5a2V5==", "https://[StateStorage].blob/ [StateStorage]"),
            ("the rule acmerule-1", "the rule [LogsIngestionEndpoint]"),
            ("hybrid", "hybrid"),
            ("{\"is\":true,\"port\":8080}", "{\"is\":true,\"port\":8080}"),
            (r#"{"a":"say \"x\""}"#, r#"{"a":"[WorkspaceKey]"}"#),
        ];
        for (text, expected) in cases {
            assert_eq!(redactor.redact(text), expected);
        }
    }

    #[test]
    fn mail_addresses_are_taken_out() {
        let redactor = redactor(&[]);
        let cases = [
            ("to <alice.b+c@corp.example>, bob@x", "to <[mail address]>, [mail address]"),
            ("\"a@b\",\"c\"", "\"[mail address]\",\"c\""),
            ("@ alone, a @ b, x@", "@ alone, a @ b, x@"),
            ("jürgen@bücher.example ", "[mail address] "),
            ("no address", "no address"),
        ];
        for (text, expected) in cases {
            assert_eq!(redactor.redact(text), expected);
        }
    }

    proptest! {
        #[test]
        fn nothing_of_a_secret_is_left(
            secret in "[A-Za-z0-9+/=]{8,40}",
            before in any::<String>(),
            after in any::<String>(),
        ) {
            let redactor = redactor(&[("WorkspaceKey", &secret)]);
            let redacted = redactor.redact(&format!("{before}{secret}{after}"));
            prop_assert!(!redacted.contains(&secret), "{redacted}");
        }
    }
}
