//! Storage connection strings: `Name=value` pairs with semicolons between them.

use std::net::IpAddr;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use proofpoint_sentinel_core::secret::Secret;
use url::{Host, Url};

use super::shared_key::SharedKey;

/// Azurite's account, whose key is published and the same everywhere.
const DEVELOPMENT: &str = "AccountName=devstoreaccount1;\
    AccountKey=Eby8vdM02xNOcqFlqUwJPLlmEtlCDXJ1OUzFT50uSRZ6IFsuFq2UVErCz4I6tq/K1SZFPTOtr/KBHBeksoGMGw==;\
    BlobEndpoint=http://127.0.0.1:10000/devstoreaccount1";

/// What a connection string says about the blob service.
#[derive(Debug)]
pub(super) struct BlobAccount {
    /// Address of the blob service, with the shared access signature as its query where that is
    /// how access is granted.
    pub service: Url,
    /// The key to sign with; `None` where the address carries a signature.
    pub key: Option<SharedKey>,
}

/// A connection string does not say how to reach the blob service. The text never repeats a value.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ConnectionStringError {
    /// A part is not of the form `Name=value`.
    #[error("the connection string is not a list of Name=value pairs with semicolons between them")]
    NotPairs,
    /// A part that is needed is not there.
    #[error("the connection string lacks {0}")]
    Lacks(&'static str),
    /// A part is there and makes no sense.
    #[error("{name} in the connection string is not {expected}")]
    Wrong {
        /// Name of the part.
        name: &'static str,
        /// What it should be.
        expected: &'static str,
    },
    /// Keys and data would cross the network in the clear.
    #[error(
        "the connection string names plain http, which is only allowed to this machine (Azurite). \
         Use DefaultEndpointsProtocol=https"
    )]
    PlainHttp,
    /// The emulator is to be reached through a proxy.
    #[error(
        "DevelopmentStorageProxyUri in the connection string is not supported; name the emulator \
         with AccountName, AccountKey and BlobEndpoint"
    )]
    DevelopmentProxy,
}

use ConnectionStringError::{Lacks, NotPairs, PlainHttp, Wrong};

impl BlobAccount {
    /// Reads a connection string as the Azure portal shows it, one with a shared access signature,
    /// or `UseDevelopmentStorage=true`. Names are case-insensitive; parts for other services
    /// (queues, tables, files) are passed over.
    pub(super) fn parse(text: &Secret) -> Result<BlobAccount, ConnectionStringError> {
        let pairs = Pairs::parse(text.reveal())?;
        if pairs.get("UseDevelopmentStorage").is_some_and(|it| it.eq_ignore_ascii_case("true")) {
            return match pairs.get("DevelopmentStorageProxyUri") {
                Some(_) => Err(ConnectionStringError::DevelopmentProxy),
                None => BlobAccount::of(&Pairs::parse(DEVELOPMENT)?),
            };
        }
        BlobAccount::of(&pairs)
    }

    fn of(pairs: &Pairs<'_>) -> Result<BlobAccount, ConnectionStringError> {
        let mut service = pairs.service()?;
        if service.scheme() == "http" && !is_this_machine(&service) {
            return Err(PlainHttp);
        }
        if let Some(signature) = pairs.get("SharedAccessSignature") {
            service.set_query(Some(signature.trim_start_matches('?')));
        }
        let key = if service.query().is_some() { None } else { Some(pairs.key()?) };
        Ok(BlobAccount { service, key })
    }
}

fn is_this_machine(url: &Url) -> bool {
    match url.host() {
        Some(Host::Domain(name)) => name.eq_ignore_ascii_case("localhost"),
        Some(Host::Ipv4(address)) => IpAddr::from(address).is_loopback(),
        Some(Host::Ipv6(address)) => IpAddr::from(address).is_loopback(),
        None => false,
    }
}

/// The pairs of a connection string, as written.
struct Pairs<'a>(Vec<(&'a str, &'a str)>);

impl<'a> Pairs<'a> {
    fn parse(text: &'a str) -> Result<Pairs<'a>, ConnectionStringError> {
        let parts = text.split(';').map(str::trim).filter(|part| !part.is_empty());
        // Only the first `=` divides: keys and signatures end in some.
        let pairs: Option<Vec<_>> = parts.map(|part| part.split_once('=')).collect();
        match pairs {
            Some(pairs) if !pairs.is_empty() => Ok(Pairs(pairs)),
            _ => Err(NotPairs),
        }
    }

    fn get(&self, name: &str) -> Option<&'a str> {
        let found = self.0.iter().find(|(key, _)| key.trim().eq_ignore_ascii_case(name));
        found.map(|(_, value)| value.trim()).filter(|value| !value.is_empty())
    }

    /// Where the blob service is: named outright, or made from the account's name.
    fn service(&self) -> Result<Url, ConnectionStringError> {
        let (url, wrong) = match self.get("BlobEndpoint") {
            Some(endpoint) => {
                let expected = "an address such as https://account.blob.core.windows.net";
                (Url::parse(endpoint), Wrong { name: "BlobEndpoint", expected })
            }
            None => {
                let account = self.account()?;
                let suffix = self.get("EndpointSuffix").unwrap_or("core.windows.net");
                let protocol = self.get("DefaultEndpointsProtocol").unwrap_or("https");
                let expected = "a domain such as core.windows.net, or the protocol is not https";
                let url = Url::parse(&format!("{protocol}://{account}.blob.{suffix}"));
                (url, Wrong { name: "EndpointSuffix", expected })
            }
        };
        url.ok()
            .filter(|url| url.has_host() && matches!(url.scheme(), "http" | "https"))
            .ok_or(wrong)
    }

    fn account(&self) -> Result<&'a str, ConnectionStringError> {
        let account = self.get("AccountName").ok_or(Lacks("AccountName"))?;
        let plain = account.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-');
        let expected = "the name of a storage account";
        if plain { Ok(account) } else { Err(Wrong { name: "AccountName", expected }) }
    }

    fn key(&self) -> Result<SharedKey, ConnectionStringError> {
        let key = self.get("AccountKey").ok_or(Lacks("AccountKey (or SharedAccessSignature)"))?;
        let wrong = Wrong { name: "AccountKey", expected: "base64; it may have been cut" };
        let key = BASE64.decode(key).map_err(|_| wrong)?;
        Ok(SharedKey::new(self.account()?.to_owned(), key))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &str) -> Result<BlobAccount, ConnectionStringError> {
        BlobAccount::parse(&Secret::new(text))
    }

    fn service(text: &str) -> String {
        parse(text).unwrap().service.to_string()
    }

    #[test]
    fn as_the_portal_shows_it() {
        let text = "DefaultEndpointsProtocol=https;AccountName=acme;AccountKey=aHVudGVyMg==;\
                    EndpointSuffix=core.usgovcloudapi.net";
        let account = parse(text).unwrap();
        assert_eq!(account.service.as_str(), "https://acme.blob.core.usgovcloudapi.net/");
        assert!(account.key.is_some());
    }

    #[test]
    fn protocol_and_suffix_have_defaults_and_names_any_case() {
        let text = " accountname=acme ; ACCOUNTKEY=aHVudGVyMg==; ";
        assert_eq!(service(text), "https://acme.blob.core.windows.net/");
    }

    #[test]
    fn an_explicit_endpoint_wins() {
        let text = "AccountName=acme;AccountKey=aHVudGVyMg==;BlobEndpoint=https://10.0.0.4/acme";
        assert_eq!(service(text), "https://10.0.0.4/acme");
    }

    #[test]
    fn development_storage_is_azurite() {
        let account = parse("UseDevelopmentStorage=true").unwrap();
        assert_eq!(account.service.as_str(), "http://127.0.0.1:10000/devstoreaccount1");
        assert!(account.key.is_some());
    }

    #[test]
    fn a_shared_access_signature_needs_no_key() {
        for text in [
            "BlobEndpoint=https://acme.blob.core.windows.net;SharedAccessSignature=?sv=1&sig=a%3D",
            "BlobEndpoint=https://acme.blob.core.windows.net/?sv=1&sig=a%3D",
        ] {
            let account = parse(text).unwrap();
            assert_eq!(
                account.service.as_str(),
                "https://acme.blob.core.windows.net/?sv=1&sig=a%3D"
            );
            assert!(account.key.is_none());
        }
    }

    #[test]
    fn what_is_missing_is_named() {
        let cases = [
            ("AccountKey=aHVudGVyMg==", Lacks("AccountName")),
            ("AccountName=acme", Lacks("AccountKey (or SharedAccessSignature)")),
            ("", NotPairs),
            ("hunter2", NotPairs),
            (
                "UseDevelopmentStorage=true;DevelopmentStorageProxyUri=http://it",
                ConnectionStringError::DevelopmentProxy,
            ),
        ];
        for (text, expected) in cases {
            assert_eq!(parse(text).unwrap_err(), expected, "{text}");
        }
    }

    #[test]
    fn plain_http_only_to_this_machine() {
        let with =
            |endpoint: &str| format!("AccountName=a;AccountKey=aA==;BlobEndpoint={endpoint}");
        assert_eq!(parse(&with("http://storage.acme.example")).unwrap_err(), PlainHttp);
        assert_eq!(
            parse("AccountName=a;AccountKey=aA==;DefaultEndpointsProtocol=http").unwrap_err(),
            PlainHttp
        );
        for endpoint in ["http://localhost:1/a", "http://127.0.0.2:1/a", "http://[::1]:1/a"] {
            assert!(parse(&with(endpoint)).is_ok(), "{endpoint}");
        }
    }

    #[test]
    fn no_error_and_no_debug_repeats_the_key() {
        for text in [
            "AccountName=acme;AccountKey=hunter2!",
            "AccountName=hunter2!;AccountKey=aA==",
            "AccountName=acme;AccountKey=aA==;BlobEndpoint=hunter2",
            "AccountName=acme;AccountKey=aA==;EndpointSuffix=hunter2^",
        ] {
            let error = parse(text).unwrap_err();
            assert!(!format!("{error} {error:?}").contains("hunter2"), "{error:?}");
        }
        let account = parse("AccountName=acme;AccountKey=aHVudGVyMg==").unwrap();
        assert!(!format!("{account:?}").contains("aHVudGVyMg"));
        assert!(!format!("{account:?}").contains("104, 117"));
    }
}
