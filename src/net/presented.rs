//! The certificate that a peer presents, for a message about one that is not trusted.

use std::sync::{Arc, Mutex};

use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::{ClientConfig, DigitallySignedStruct, Error, SignatureScheme};
use tokio::net::TcpStream;

use super::tls::{connect, provider};

/// Notes the certificate, and accepts none: no connection comes of it.
#[derive(Debug, Default)]
struct Recorder {
    presented: Mutex<Option<Vec<u8>>>,
}

impl Recorder {
    fn refuse<T>() -> Result<T, Error> {
        Err(Error::General("the certificate was only looked at".to_owned()))
    }
}

impl ServerCertVerifier for Recorder {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        _intermediates: &[CertificateDer<'_>],
        _server_name: &ServerName<'_>,
        _ocsp_response: &[u8],
        _now: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        if let Ok(mut presented) = self.presented.lock() {
            *presented = Some(end_entity.to_vec());
        }
        Recorder::refuse()
    }

    fn verify_tls12_signature(
        &self,
        _message: &[u8],
        _certificate: &CertificateDer<'_>,
        _signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        Recorder::refuse()
    }

    fn verify_tls13_signature(
        &self,
        _message: &[u8],
        _certificate: &CertificateDer<'_>,
        _signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        Recorder::refuse()
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        provider().signature_verification_algorithms.supported_schemes()
    }
}

/// The certificate that `host` presents over `tcp`, as DER. The handshake is broken off after it.
pub(super) async fn presented_certificate(host: &str, tcp: TcpStream) -> Option<Vec<u8>> {
    let recorder = Arc::new(Recorder::default());
    let config = ClientConfig::builder_with_provider(provider())
        .with_safe_default_protocol_versions()
        .ok()?
        .dangerous()
        .with_custom_certificate_verifier(recorder.clone())
        .with_no_client_auth();
    let broken_off = connect(&Arc::new(config), host, tcp).await;
    debug_assert!(broken_off.is_err(), "no certificate is accepted");
    recorder.presented.lock().ok()?.take()
}
