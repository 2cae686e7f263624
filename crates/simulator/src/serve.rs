//! HTTP servers on loopback whose handlers can cut the connection they were asked over.

use std::io;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll};

use axum::Router;
use axum::extract::connect_info::Connected;
use axum::serve::{IncomingStream, Listener};
use rustls::ServerConfig;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::mpsc;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::server::TlsStream;
use tokio_util::task::AbortOnDropHandle;

/// A running server. When this is dropped it listens no more and its connections are reset at
/// their next use.
#[derive(Debug)]
pub(super) struct Server {
    address: SocketAddr,
    all: Scissors,
    _task: AbortOnDropHandle<()>,
}

impl Drop for Server {
    fn drop(&mut self) {
        self.all.cut();
    }
}

impl Server {
    /// Serves `router` over plain HTTP.
    pub(super) async fn plain(router: Router) -> io::Result<Server> {
        let tcp = TcpListener::bind(("127.0.0.1", 0)).await?;
        let all = Scissors::default();
        let listener = Plain { tcp, all: all.clone() };
        Ok(Server::start(listener.local_addr()?, listener, all, router))
    }

    /// Serves `router` over TLS.
    pub(super) async fn tls(router: Router, config: Arc<ServerConfig>) -> io::Result<Server> {
        let tcp = TcpListener::bind(("127.0.0.1", 0)).await?;
        let address = tcp.local_addr()?;
        let (sender, accepted) = mpsc::channel(16);
        let acceptor = TlsAcceptor::from(config);
        let _task = AbortOnDropHandle::new(tokio::spawn(accept(tcp, acceptor, sender)));
        let all = Scissors::default();
        let listener = Tls { address, accepted, all: all.clone(), _task };
        Ok(Server::start(address, listener, all, router))
    }

    fn start<L>(address: SocketAddr, listener: L, all: Scissors, router: Router) -> Server
    where
        L: Listener<Addr = SocketAddr>,
        Scissors: for<'a> Connected<IncomingStream<'a, L>>,
    {
        let service = router.into_make_service_with_connect_info::<Scissors>();
        let task = tokio::spawn(async move {
            // Never returns of its own accord: a listener here has no errors to report.
            let _ = axum::serve(listener, service).await;
        });
        Server { address, all, _task: AbortOnDropHandle::new(task) }
    }

    pub(super) fn port(&self) -> u16 {
        self.address.port()
    }
}

/// Cuts connections, as a network fault would.
#[derive(Clone, Debug, Default)]
pub(super) struct Scissors(Arc<AtomicBool>);

impl Scissors {
    /// The connection is reset at its next use, which the caller causes by answering.
    pub(super) fn cut(&self) {
        self.0.store(true, Ordering::Release);
    }

    fn have_cut(&self) -> bool {
        self.0.load(Ordering::Acquire)
    }
}

impl Connected<IncomingStream<'_, Plain>> for Scissors {
    fn connect_info(stream: IncomingStream<'_, Plain>) -> Scissors {
        stream.io().own.clone()
    }
}

impl Connected<IncomingStream<'_, Tls>> for Scissors {
    fn connect_info(stream: IncomingStream<'_, Tls>) -> Scissors {
        stream.io().own.clone()
    }
}

struct Plain {
    tcp: TcpListener,
    all: Scissors,
}

impl Listener for Plain {
    type Io = Wire<TcpStream>;
    type Addr = SocketAddr;

    async fn accept(&mut self) -> (Self::Io, SocketAddr) {
        let (stream, address) = Listener::accept(&mut self.tcp).await;
        (Wire { stream, own: Scissors::default(), all: self.all.clone() }, address)
    }

    fn local_addr(&self) -> io::Result<SocketAddr> {
        self.tcp.local_addr()
    }
}

/// Connections whose handshake is over.
struct Tls {
    address: SocketAddr,
    accepted: mpsc::Receiver<(TlsStream<TcpStream>, SocketAddr)>,
    all: Scissors,
    _task: AbortOnDropHandle<()>,
}

impl Listener for Tls {
    type Io = Wire<TlsStream<TcpStream>>;
    type Addr = SocketAddr;

    async fn accept(&mut self) -> (Self::Io, SocketAddr) {
        match self.accepted.recv().await {
            Some((stream, address)) => {
                (Wire { stream, own: Scissors::default(), all: self.all.clone() }, address)
            }
            // Only while shutting down: the accepting task lives as long as this.
            None => std::future::pending().await,
        }
    }

    fn local_addr(&self) -> io::Result<SocketAddr> {
        Ok(self.address)
    }
}

async fn accept(
    mut tcp: TcpListener,
    acceptor: TlsAcceptor,
    accepted: mpsc::Sender<(TlsStream<TcpStream>, SocketAddr)>,
) {
    loop {
        let (stream, address) = Listener::accept(&mut tcp).await;
        let (acceptor, accepted) = (acceptor.clone(), accepted.clone());
        // Aside, so that a client that never says hello does not keep the others waiting.
        tokio::spawn(async move {
            if let Ok(stream) = acceptor.accept(stream).await {
                let _ = accepted.send((stream, address)).await;
            }
        });
    }
}

/// A connection with its own scissors and those of its server.
struct Wire<S> {
    stream: S,
    own: Scissors,
    all: Scissors,
}

/// Runs over a TCP connection.
trait OverTcp {
    fn tcp(&self) -> &TcpStream;
}

impl OverTcp for TcpStream {
    fn tcp(&self) -> &TcpStream {
        self
    }
}

impl OverTcp for TlsStream<TcpStream> {
    fn tcp(&self) -> &TcpStream {
        self.get_ref().0
    }
}

impl<S: OverTcp> Wire<S> {
    fn check(&self) -> io::Result<()> {
        if self.own.have_cut() || self.all.have_cut() {
            // Makes the close that follows a reset, not an orderly end.
            self.stream.tcp().set_zero_linger()?;
            return Err(io::ErrorKind::ConnectionReset.into());
        }
        Ok(())
    }
}

impl<S: AsyncRead + OverTcp + Unpin> AsyncRead for Wire<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        self.check()?;
        Pin::new(&mut self.stream).poll_read(context, buffer)
    }
}

impl<S: AsyncWrite + OverTcp + Unpin> AsyncWrite for Wire<S> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        self.check()?;
        Pin::new(&mut self.stream).poll_write(context, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.check()?;
        Pin::new(&mut self.stream).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.check()?;
        Pin::new(&mut self.stream).poll_shutdown(context)
    }
}
