//! Outgoing connections: TLS, HTTP and the proxy on the way. All of them trust the same roots.

mod error;
mod http;
mod presented;
mod proxy;
mod tls;

use std::io;
use std::path::Path;
use std::sync::Arc;

use rustls::ClientConfig;
use tokio::net::TcpStream;

use crate::settings::NetSettings;
pub use error::{DialError, NetError};
pub use http::USER_AGENT;
use proxy::Proxy;
pub use proxy::{ProxyError, ProxyName, with_proxy_advice};
pub use tls::{TlsStream, provider};

/// What outgoing connections share. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Net {
    /// For connections that are not HTTP from start to end: the sessions.
    pub tls: Arc<ClientConfig>,
    /// For everything else. Follows no redirects. Requests with TLS go through the proxy, where
    /// there is one.
    pub http: reqwest::Client,
    proxy: Option<Arc<Proxy>>,
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
    /// Where `extra_roots` holds no certificate.
    pub fn new(extra_roots: Option<&Path>) -> Result<Net, NetError> {
        Net::set_up(extra_roots, None)
    }

    fn set_up(extra_roots: Option<&Path>, proxy: Option<Proxy>) -> Result<Net, NetError> {
        let mut tls = tls::client_config(extra_roots)?;
        let http_proxy = proxy.as_ref().map(Proxy::for_http).transpose()?;
        let http = http::client(tls.clone(), http_proxy)?;
        tls.alpn_protocols = vec![b"http/1.1".to_vec()];
        Ok(Net { tls: Arc::new(tls), http, proxy: proxy.map(Arc::new) })
    }

    /// Opens a TCP connection for TLS with `host`, by name or address, an IPv6 address in
    /// brackets. It goes through the proxy where there is one and `NO_PROXY` does not name `host`.
    ///
    /// # Errors
    /// Where the peer or the proxy can't be reached, or the proxy refuses.
    pub async fn dial(&self, host: &str, port: u16) -> Result<TcpStream, DialError> {
        match &self.proxy {
            Some(proxy) if proxy.is_for(host) => Ok(proxy.connect(host, port).await?),
            _ => {
                let bare = host.trim_start_matches('[').trim_end_matches(']');
                Ok(TcpStream::connect((bare, port)).await?)
            }
        }
    }

    /// Does the TLS handshake with `host` over `tcp`, a connection that [`dial`](Self::dial)
    /// opened.
    ///
    /// # Errors
    /// Where the connection breaks. The error holds a [`rustls::Error`] where the peer's
    /// certificate is not trusted or it does not speak TLS.
    pub async fn tls_handshake(&self, host: &str, tcp: TcpStream) -> io::Result<TlsStream> {
        tls::connect(&self.tls, host, tcp).await
    }

    /// The certificate that `host` presents, as DER, whether it is trusted or not. The connection is
    /// broken off before anything is sent over it.
    pub async fn presented_certificate(&self, host: &str, port: u16) -> Option<Vec<u8>> {
        presented::presented_certificate(host, self.dial(host, port).await.ok()?).await
    }
}
