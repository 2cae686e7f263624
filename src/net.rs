//! Outgoing connections: TLS, HTTP and the proxy on the way. All of them trust the same roots.

mod azure;
mod dialer;
mod error;
mod host;
mod http;
mod http_stream;
mod presented;
mod product;
mod proxy;
mod tls;

use std::io;
use std::path::Path;
use std::sync::Arc;

use hyper::http::Uri;
use tokio::net::TcpStream;
use url::Url;

use crate::settings::NetSettings;
use dialer::Dialer;
pub use error::{DialError, HttpError, NetError, error_chain};
pub use host::without_brackets;
pub use http::{HttpBody, HttpClient};
pub use product::PRODUCT;
use proxy::Proxy;
pub use proxy::{ProxyError, ProxyName};
pub use tls::{TlsStream, provider};

/// What outgoing connections share. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Net {
    /// For connections that are not HTTP from start to end: the sessions.
    dialer: Dialer,
    /// For everything else.
    pub http: HttpClient,
}

impl Net {
    /// Connections as the settings describe them, through the proxy if they name one.
    ///
    /// # Errors
    /// As [`new`](Self::new).
    pub fn of(settings: &NetSettings) -> Result<Net, NetError> {
        Net::set_up(settings.extra_roots.as_deref(), settings.proxy.as_ref().map(Proxy::new))
    }

    /// Direct connections. Trusts the system's roots and those in `extra_roots` (`SSL_CERT_FILE`,
    /// a PEM bundle). Where the system has no roots, Mozilla's, which are built in, stand in for
    /// them.
    ///
    /// # Errors
    /// If `extra_roots` holds no certificate.
    pub fn new(extra_roots: Option<&Path>) -> Result<Net, NetError> {
        Net::set_up(extra_roots, None)
    }

    fn set_up(extra_roots: Option<&Path>, proxy: Option<Proxy>) -> Result<Net, NetError> {
        let mut tls = tls::client_config(extra_roots)?;
        tls.alpn_protocols = vec![b"http/1.1".to_vec()];
        let dialer = Dialer { tls: Arc::new(tls), proxy: proxy.map(Arc::new) };
        Ok(Net { http: HttpClient::new(dialer.clone()), dialer })
    }

    /// Opens a TCP connection for TLS with `host`, by name or address, an IPv6 address in
    /// brackets. It goes through the proxy where there is one and `NO_PROXY` does not name `host`.
    ///
    /// # Errors
    /// If the peer or the proxy can't be reached, or the proxy refuses.
    pub async fn dial(&self, host: &str, port: u16) -> Result<TcpStream, DialError> {
        self.dialer.dial(host, port).await
    }

    /// Does the TLS handshake with `host` over `tcp`, a connection that [`dial`](Self::dial)
    /// opened.
    ///
    /// # Errors
    /// If the connection breaks. The error holds a [`rustls::Error`] where the peer's
    /// certificate is not trusted or it does not speak TLS.
    pub async fn tls_handshake(&self, host: &str, tcp: TcpStream) -> io::Result<TlsStream> {
        self.dialer.tls_handshake(host, tcp).await
    }

    /// The certificate that `host` presents, as DER, whether it is trusted or not. The connection is
    /// broken off before anything is sent over it.
    pub async fn presented_certificate(&self, host: &str, port: u16) -> Option<Vec<u8>> {
        presented::presented_certificate(host, self.dial(host, port).await.ok()?).await
    }
}

/// `url` as the HTTP client takes it.
pub fn uri_of(url: &Url) -> Uri {
    Uri::try_from(url.as_str()).expect("an address with a host is one for HTTP too")
}
