//! TLS and HTTP as every outgoing connection uses them: one set of trusted roots, one provider.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use rustls::{ClientConfig, RootCertStore};
use tokio::net::TcpStream;

use crate::proxy::{Proxy, ProxyError};
use crate::settings::NetSettings;

/// Where distributions keep the bundle of the roots that the system trusts. Read by name only
/// where `SSL_CERT_FILE` is set, since that hides the bundle from `rustls-native-certs`.
const SYSTEM_BUNDLES: [&str; 5] = [
    "/etc/ssl/certs/ca-certificates.crt",
    "/etc/pki/ca-trust/extracted/pem/tls-ca-bundle.pem",
    "/etc/pki/tls/certs/ca-bundle.crt",
    "/etc/ssl/ca-bundle.pem",
    "/etc/ssl/cert.pem",
];

/// How this program names itself to its peers.
pub const USER_AGENT: &str = concat!("proofpoint-sentinel/", env!("CARGO_PKG_VERSION"));

/// What outgoing connections share. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Net {
    /// For connections that are not HTTP from start to end: the sessions.
    pub tls: Arc<ClientConfig>,
    /// For everything else. Follows no redirects: no peer of ours has reason to send one. Requests
    /// with TLS go through the proxy, where there is one.
    pub http: reqwest::Client,
    proxy: Option<Arc<Proxy>>,
}

/// A TCP connection can't be had.
#[derive(Debug, thiserror::Error)]
pub enum DialError {
    /// The peer can't be reached.
    #[error(transparent)]
    Direct(#[from] std::io::Error),
    /// The proxy can't be used, or does not let the connection through.
    #[error(transparent)]
    Proxy(#[from] ProxyError),
}

/// The connections can't be set up.
#[derive(Debug, thiserror::Error)]
pub enum NetError {
    /// `SSL_CERT_FILE` names a file that is no PEM bundle of certificates.
    #[error("SSL_CERT_FILE: no certificate could be read from {path}: {reason}")]
    ExtraRoots {
        /// The file as it was named.
        path: PathBuf,
        /// What went wrong.
        reason: String,
    },
    /// The HTTP client refused its own settings.
    #[error("the HTTP client can't be set up: {0}")]
    Http(#[from] reqwest::Error),
}

impl Net {
    /// Connections as the settings want them, through the proxy if they name one.
    ///
    /// # Errors
    /// As [`new`](Self::new).
    pub fn of(settings: &NetSettings) -> Result<Net, NetError> {
        Net::set_up(settings.extra_roots.as_deref(), settings.proxy.as_ref().map(Proxy::new))
    }

    /// Direct connections. Trusts the system's roots and those in `extra_roots` (`SSL_CERT_FILE`,
    /// a PEM bundle); Mozilla's, which are built in, where the system has none.
    ///
    /// # Errors
    /// Where `extra_roots` holds no certificate.
    pub fn new(extra_roots: Option<&Path>) -> Result<Net, NetError> {
        Net::set_up(extra_roots, None)
    }

    fn set_up(extra_roots: Option<&Path>, proxy: Option<Proxy>) -> Result<Net, NetError> {
        let mut config = ClientConfig::builder_with_provider(provider())
            .with_safe_default_protocol_versions()
            .expect("the provider knows TLS 1.2 and 1.3")
            .with_root_certificates(roots(extra_roots)?)
            .with_no_client_auth();
        let http = reqwest::Client::builder()
            .tls_backend_preconfigured(config.clone())
            .user_agent(USER_AGENT)
            .redirect(reqwest::redirect::Policy::none())
            .connect_timeout(Duration::from_secs(15))
            .timeout(Duration::from_secs(60))
            // The client would read the environment otherwise.
            .no_proxy();
        let http = match &proxy {
            Some(proxy) => http.proxy(proxy.for_http()?),
            None => http,
        };
        let http = http.build()?;
        config.alpn_protocols = vec![b"http/1.1".to_vec()];
        Ok(Net { tls: Arc::new(config), http, proxy: proxy.map(Arc::new) })
    }

    /// A TCP connection for TLS with `host`, by name or address, an IPv6 address in brackets.
    /// Through the proxy, where there is one and `NO_PROXY` does not name `host`.
    ///
    /// # Errors
    /// Where the peer or the proxy can't be reached, or the proxy says no.
    pub async fn dial(&self, host: &str, port: u16) -> Result<TcpStream, DialError> {
        match &self.proxy {
            Some(proxy) if proxy.is_for(host) => Ok(proxy.connect(host, port).await?),
            _ => {
                let bare = host.trim_start_matches('[').trim_end_matches(']');
                Ok(TcpStream::connect((bare, port)).await?)
            }
        }
    }
}

/// The one implementation of cryptography in this program.
pub fn provider() -> Arc<rustls::crypto::CryptoProvider> {
    Arc::new(rustls::crypto::ring::default_provider())
}

fn roots(extra: Option<&Path>) -> Result<RootCertStore, NetError> {
    let mut roots = RootCertStore::empty();
    let system = match extra {
        None => rustls_native_certs::load_native_certs().certs,
        Some(_) => SYSTEM_BUNDLES
            .iter()
            .map(|path| rustls_native_certs::load_certs_from_paths(Some(Path::new(path)), None))
            .find(|found| !found.certs.is_empty())
            .map(|found| found.certs)
            .unwrap_or_default(),
    };
    roots.add_parsable_certificates(system);
    if roots.is_empty() {
        roots.extend(webpki_roots::TLS_SERVER_ROOTS.iter().cloned());
    }
    if let Some(path) = extra {
        let found = rustls_native_certs::load_certs_from_paths(Some(path), None);
        let (added, _) = roots.add_parsable_certificates(found.certs);
        if added == 0 {
            let reason = found
                .errors
                .first()
                .map_or_else(|| "it holds none".to_owned(), ToString::to_string);
            return Err(NetError::ExtraRoots { path: path.to_owned(), reason });
        }
    }
    Ok(roots)
}
