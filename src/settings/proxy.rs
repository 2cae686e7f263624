//! `ProofpointProxy` and the variables that proxies are customarily named with.

use percent_encoding::percent_decode_str;
use proofpoint_sentinel_core::secret::Secret;
use url::Url;

use super::reader::SettingsReader;

/// The proxy that connections with TLS go through.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ProxySettings {
    /// The setting that names it, for messages.
    pub setting: &'static str,
    /// Name or address; an IPv6 address is in brackets.
    pub host: String,
    /// TCP port.
    pub port: u16,
    /// What the proxy wants to see, if anything.
    pub credentials: Option<ProxyCredentials>,
    /// Peers that are reached without the proxy, as `NO_PROXY` lists them: separated by commas,
    /// a domain (which stands for its subdomains too), an IP address, a network in CIDR form, or
    /// `*`. Ports are not told apart.
    pub no_proxy: String,
}

/// A user of the proxy.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ProxyCredentials {
    /// The user's name.
    pub user: String,
    /// The user's password, possibly empty.
    pub password: Secret,
}

const NAMES: [&str; 3] = ["ProofpointProxy", "HTTPS_PROXY", "https_proxy"];

/// The inner `None`: there is no proxy.
pub(super) fn read(reader: &mut SettingsReader<'_>) -> Option<Option<ProxySettings>> {
    let Some(setting) = NAMES.into_iter().find(|name| reader.text(name).is_some()) else {
        return Some(None);
    };
    let expected = "http://host:port or http://user:password@host:port";
    let text = reader.secret(setting, expected)?;
    let no_proxy = reader.text("NO_PROXY").or(reader.text("no_proxy")).unwrap_or_default();
    let proxy = parse(text.reveal()).map(|(host, port, credentials)| ProxySettings {
        setting,
        host,
        port,
        credentials,
        no_proxy: no_proxy.to_owned(),
    });
    match proxy {
        Ok(proxy) => Some(Some(proxy)),
        Err(found) => {
            reader.invalid(setting, found, expected);
            None
        }
    }
}

type Parts = (String, u16, Option<ProxyCredentials>);

/// The parts of `text`, or what is wrong with it: without a word of it, since a password that is
/// not escaped can stand anywhere in it.
fn parse(text: &str) -> Result<Parts, &'static str> {
    const NO_ADDRESS: &str = "a text that is not the address of a proxy";
    let (scheme, rest) = text.split_once("://").unwrap_or(("http", text));
    if !scheme.eq_ignore_ascii_case("http") {
        return Err("a proxy of another kind than http");
    }
    let rest = rest.strip_suffix('/').unwrap_or(rest);
    // They end the host, so that what is taken for it may be a part of the password.
    if rest.contains(['/', '\\', '?', '#']) {
        return Err("a path, or a password in which /, ? or # is not escaped");
    }
    let url = Url::parse(&format!("http://{rest}")).map_err(|_| NO_ADDRESS)?;
    let host = url.host_str().filter(|host| is_plain(host)).ok_or(NO_ADDRESS)?.to_owned();
    let port = url.port_or_known_default().filter(|port| *port != 0).ok_or(NO_ADDRESS)?;
    let decoded = |part: &str| percent_decode_str(part).decode_utf8_lossy().into_owned();
    let has_credentials = !url.username().is_empty() || url.password().is_some();
    let credentials = has_credentials.then(|| ProxyCredentials {
        user: decoded(url.username()),
        password: Secret::new(decoded(url.password().unwrap_or_default())),
    });
    Ok((host, port, credentials))
}

/// A URL's host may hold characters that no name of a machine has and no HTTP request takes.
fn is_plain(host: &str) -> bool {
    host.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-._:[]".contains(&byte))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::settings::{BadSettings, Vars};

    fn read_from(pairs: &[(&str, &str)]) -> Result<Option<ProxySettings>, BadSettings> {
        let own = |(name, value): &(&str, &str)| ((*name).to_owned(), (*value).to_owned());
        let vars: Vars = pairs.iter().map(own).collect();
        let mut reader = SettingsReader::new(&vars);
        let proxy = read(&mut reader);
        reader.finish(proxy)
    }

    fn proxy(pairs: &[(&str, &str)]) -> ProxySettings {
        read_from(pairs).expect("the settings are good").expect("there is a proxy")
    }

    #[test]
    fn no_setting_is_no_proxy() {
        assert_eq!(read_from(&[("NO_PROXY", "*"), ("HTTPS_PROXY", " ")]), Ok(None));
    }

    #[test]
    fn addresses_of_proxies_are_read() {
        for (text, host, port) in [
            ("http://proxy.example.com:3128", "proxy.example.com", 3128),
            ("http://proxy.example.com/", "proxy.example.com", 80),
            ("proxy.example.com:8080", "proxy.example.com", 8080),
            ("http://10.0.0.7:3128", "10.0.0.7", 3128),
            ("http://[fd00::7]:3128", "[fd00::7]", 3128),
        ] {
            let proxy = proxy(&[("ProofpointProxy", text)]);
            assert_eq!((proxy.host.as_str(), proxy.port), (host, port), "{text}");
            assert_eq!(proxy.credentials, None, "{text}");
        }
    }

    #[test]
    fn credentials_are_decoded_and_not_printed() {
        for (text, user, password) in [
            ("http://ann:hunter2@proxy:3128", "ann", "hunter2"),
            ("http://dom%5Cann:hunt%40er%3A2@proxy:3128", "dom\\ann", "hunt@er:2"),
            ("http://ann@proxy:3128", "ann", ""),
        ] {
            let proxy = proxy(&[("HTTPS_PROXY", text)]);
            assert!(!format!("{proxy:?}").contains("hunt"));
            let password = Secret::new(password);
            assert_eq!(proxy.credentials, Some(ProxyCredentials { user: user.into(), password }));
        }
    }

    #[test]
    fn our_own_setting_comes_first_and_no_proxy_goes_with_each() {
        let all = [
            ("https_proxy", "http://third:1"),
            ("HTTPS_PROXY", "http://second:1"),
            ("ProofpointProxy", "http://first:1"),
            ("NO_PROXY", ".internal"),
            ("no_proxy", "other"),
        ];
        for (pairs, host, setting) in [
            (&all[..], "first", "ProofpointProxy"),
            (&[all[0], all[1], all[3]], "second", "HTTPS_PROXY"),
            (&[all[0], all[3]], "third", "https_proxy"),
        ] {
            let proxy = proxy(pairs);
            assert_eq!((proxy.host.as_str(), proxy.setting), (host, setting));
            assert_eq!(proxy.no_proxy, ".internal");
        }
        assert_eq!(proxy(&[all[0], all[4]]).no_proxy, "other");
    }

    #[test]
    fn an_unusable_proxy_is_reported_without_its_password() {
        for (text, found) in [
            ("socks5://ann:hunter2@proxy:1080", "another kind"),
            ("https://ann:hunter2@proxy:3128", "another kind"),
            ("http://ann:hunter2@proxy:3128/path", "a path, or a password"),
            ("http://ann:hunter2/3@proxy:3128", "a path, or a password"),
            ("http://ann:hunter/w@x:1", "a path, or a password"),
            ("http://ann:hunt#er@proxy:3128", "a path, or a password"),
            ("http://ann:hunt?er@proxy:3128", "a path, or a password"),
            ("http://ann:hunter2@proxy:0", "not the address"),
            ("http://ann:hunter2@proxy:seventy", "not the address"),
            ("http://ann:hunter2@", "not the address"),
            ("http://ann:hunter2@pro{x}y:3128", "not the address"),
            ("@Microsoft.KeyVault(SecretName=hunter2)", "Key Vault"),
        ] {
            let message = read_from(&[("ProofpointProxy", text)]).unwrap_err().to_string();
            assert!(message.contains("ProofpointProxy: found "), "{message}");
            assert!(message.contains(found), "{message}");
            assert!(!message.contains("hunt"), "{message}");
        }
    }
}
