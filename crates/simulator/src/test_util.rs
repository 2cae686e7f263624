//! A client for tests of the simulated servers.

use std::sync::Arc;

use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject as _;
use rustls::{ClientConfig, RootCertStore};

/// A TLS and HTTP client that trusts at most one certificate authority.
pub(crate) struct TestClient {
    pub(crate) tls: Arc<ClientConfig>,
    pub(crate) http: reqwest::Client,
}

impl TestClient {
    /// Trusts the authority with the certificate `pem`.
    pub(crate) fn trusting(pem: &str) -> TestClient {
        let mut roots = RootCertStore::empty();
        roots.add(CertificateDer::from_pem_slice(pem.as_bytes()).unwrap()).unwrap();
        TestClient::with(roots)
    }

    /// Trusts no authority, for servers without TLS.
    pub(crate) fn plain() -> TestClient {
        TestClient::with(RootCertStore::empty())
    }

    fn with(roots: RootCertStore) -> TestClient {
        let provider = rustls::crypto::ring::default_provider().into();
        let config = ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_root_certificates(roots)
            .with_no_client_auth();
        let http = reqwest::Client::builder()
            .tls_backend_preconfigured(config.clone())
            .no_proxy()
            .build()
            .unwrap();
        TestClient { tls: Arc::new(config), http }
    }
}
