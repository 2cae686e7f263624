//! The HTTP client of the host.

use std::io;
use std::sync::Arc;

use rustls::{ClientConfig, RootCertStore};

/// A client for plain HTTP to loopback: no proxy, no redirects, no User-Agent, no trusted roots.
pub(super) fn loopback_client() -> io::Result<reqwest::Client> {
    let tls = ClientConfig::builder_with_provider(rustls::crypto::ring::default_provider().into())
        .with_safe_default_protocol_versions()
        .map_err(io::Error::other)?
        .with_root_certificates(Arc::new(RootCertStore::empty()))
        .with_no_client_auth();
    let client = reqwest::Client::builder()
        .tls_backend_preconfigured(tls)
        .redirect(reqwest::redirect::Policy::none())
        .no_proxy()
        .build();
    client.map_err(io::Error::other)
}
