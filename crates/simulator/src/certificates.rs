//! The certificate authority of a simulation, and the certificate of its servers.

use std::io;
use std::path::Path;
use std::sync::Arc;

use rcgen::{
    BasicConstraints, CertificateParams, DnType, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair,
    KeyUsagePurpose,
};
use rustls::ServerConfig;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer};

/// Signs one certificate, for `localhost` and `127.0.0.1`. Clients have to load its PEM to trust it.
#[derive(Clone, Debug)]
pub struct CertificateAuthority {
    pem: String,
    config: Arc<ServerConfig>,
}

impl CertificateAuthority {
    /// Creates new keys and certificates.
    ///
    /// # Errors
    /// If the system provides no random numbers.
    pub fn new() -> io::Result<CertificateAuthority> {
        let (pem, chain, key) = certificates().map_err(io::Error::other)?;
        let config =
            ServerConfig::builder_with_provider(rustls::crypto::ring::default_provider().into())
                .with_safe_default_protocol_versions()
                .and_then(|builder| builder.with_no_client_auth().with_single_cert(chain, key))
                .map_err(io::Error::other)?;
        Ok(CertificateAuthority { pem, config: Arc::new(config) })
    }

    /// The authority's own certificate, which clients have to trust.
    pub fn pem(&self) -> &str {
        &self.pem
    }

    /// Writes [`pem`](Self::pem) to `path`, for `SSL_CERT_FILE`.
    ///
    /// # Errors
    /// If the file can't be written.
    pub fn write_pem(&self, path: &Path) -> io::Result<()> {
        std::fs::write(path, &self.pem)
    }

    /// The TLS configuration of a server on the loopback interface.
    pub(super) fn server_config(&self) -> Arc<ServerConfig> {
        Arc::clone(&self.config)
    }
}

/// The authority's PEM, and the chain and key of the servers.
type Certificates = (String, Vec<CertificateDer<'static>>, PrivateKeyDer<'static>);

fn certificates() -> Result<Certificates, rcgen::Error> {
    let authority_key = KeyPair::generate()?;
    let mut authority = CertificateParams::default();
    authority.distinguished_name.push(DnType::CommonName, "Simulated authority");
    authority.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
    authority.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
    let pem = authority.self_signed(&authority_key)?.pem();
    let issuer = Issuer::new(authority, authority_key);

    let server_key = KeyPair::generate()?;
    let names = ["localhost", "127.0.0.1"].map(str::to_owned);
    let mut server = CertificateParams::new(names)?;
    server.distinguished_name.push(DnType::CommonName, "localhost");
    server.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
    let certificate = server.signed_by(&server_key, &issuer)?;
    let key = PrivatePkcs8KeyDer::from(server_key.serialize_der());
    Ok((pem, vec![certificate.der().clone()], key.into()))
}
