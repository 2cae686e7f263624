//! TLS under a real name, in front of a simulated server.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;

use proofpoint_sentinel::net::Net;
use rustls::ServerConfig;
use tokio::io::{AsyncRead, AsyncWrite, copy_bidirectional};
use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::TlsAcceptor;
use tokio_util::task::AbortOnDropHandle;

/// Forwards all data to the server behind it.
pub(crate) struct TlsFront {
    address: SocketAddr,
    _task: AbortOnDropHandle<()>,
}

/// The server behind it, on loopback.
#[derive(Clone)]
pub(crate) enum Backend {
    Plain(u16),
    /// A TLS server with a certificate for `localhost` that this trusts.
    Tls(u16, Net),
}

impl TlsFront {
    pub(crate) async fn before(backend: Backend, config: Arc<ServerConfig>) -> TlsFront {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let serve = serve(listener, backend, TlsAcceptor::from(config));
        TlsFront { address, _task: AbortOnDropHandle::new(tokio::spawn(serve)) }
    }

    pub(crate) fn address(&self) -> SocketAddr {
        self.address
    }
}

async fn serve(listener: TcpListener, backend: Backend, acceptor: TlsAcceptor) {
    while let Ok((client, _)) = listener.accept().await {
        let (backend, acceptor) = (backend.clone(), acceptor.clone());
        // Errors of a connection are for its peers to notice.
        tokio::spawn(async move { pass(acceptor.accept(client).await?, backend).await });
    }
}

async fn pass(mut client: impl AsyncRead + AsyncWrite + Unpin, backend: Backend) -> io::Result<()> {
    match backend {
        Backend::Plain(port) => {
            let mut server = TcpStream::connect(("127.0.0.1", port)).await?;
            copy_bidirectional(&mut client, &mut server).await.map(drop)
        }
        Backend::Tls(port, net) => {
            let server = TcpStream::connect(("127.0.0.1", port)).await?;
            let mut server = net.tls_handshake("localhost", server).await?;
            copy_bidirectional(&mut client, &mut server).await.map(drop)
        }
    }
}
