//! TLS: one provider, and one set of trusted roots for every connection.

use std::io;
use std::path::Path;
use std::sync::Arc;

use rustls::pki_types::ServerName;
use rustls::{ClientConfig, RootCertStore};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;

use super::error::NetError;
use super::host::without_brackets;

/// Where distributions keep the bundle of the system's roots. Read by name only where
/// `SSL_CERT_FILE` is set, because that hides the bundle from `rustls-native-certs`.
const SYSTEM_BUNDLES: [&str; 5] = [
    "/etc/ssl/certs/ca-certificates.crt",
    "/etc/pki/ca-trust/extracted/pem/tls-ca-bundle.pem",
    "/etc/pki/tls/certs/ca-bundle.crt",
    "/etc/ssl/ca-bundle.pem",
    "/etc/ssl/cert.pem",
];

/// A TLS connection.
pub type TlsStream = tokio_rustls::client::TlsStream<TcpStream>;

/// The one implementation of cryptography in this program.
pub fn provider() -> Arc<rustls::crypto::CryptoProvider> {
    Arc::new(rustls::crypto::ring::default_provider())
}

/// A client that trusts the system's roots and those in `extra_roots`.
pub(super) fn client_config(extra_roots: Option<&Path>) -> Result<ClientConfig, NetError> {
    Ok(ClientConfig::builder_with_provider(provider())
        .with_safe_default_protocol_versions()
        .expect("the provider knows TLS 1.2 and 1.3")
        .with_root_certificates(roots(extra_roots)?)
        .with_no_client_auth())
}

/// Does the TLS handshake with `host`, by name or address, an IPv6 address in brackets.
pub(super) async fn connect(
    config: &Arc<ClientConfig>,
    host: &str,
    tcp: TcpStream,
) -> io::Result<TlsStream> {
    let name = ServerName::try_from(without_brackets(host).to_owned()).map_err(io::Error::other)?;
    TlsConnector::from(Arc::clone(config)).connect(name, tcp).await
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
