//! Opens connections: directly or through the proxy, and with TLS.

use std::io;
use std::sync::Arc;

use rustls::ClientConfig;
use tokio::net::TcpStream;

use super::error::DialError;
use super::host::without_brackets;
use super::proxy::Proxy;
use super::tls::{self, TlsStream};

/// What outgoing connections share. Cheap to clone.
#[derive(Clone, Debug)]
pub(super) struct Dialer {
    pub tls: Arc<ClientConfig>,
    pub proxy: Option<Arc<Proxy>>,
}

impl Dialer {
    /// Opens a TCP connection for TLS, as [`Net::dial`](super::Net::dial) says.
    pub(super) async fn dial(&self, host: &str, port: u16) -> Result<TcpStream, DialError> {
        match &self.proxy {
            Some(proxy) if proxy.is_for(host) => Ok(proxy.connect(host, port).await?),
            _ => Ok(Dialer::direct(host, port).await?),
        }
    }

    /// Opens a TCP connection past the proxy.
    pub(super) async fn direct(host: &str, port: u16) -> io::Result<TcpStream> {
        let stream = TcpStream::connect((without_brackets(host), port)).await?;
        stream.set_nodelay(true)?;
        Ok(stream)
    }

    /// Does the TLS handshake with `host` over `tcp`.
    pub(super) async fn tls_handshake(&self, host: &str, tcp: TcpStream) -> io::Result<TlsStream> {
        tls::connect(&self.tls, host, tcp).await
    }
}
