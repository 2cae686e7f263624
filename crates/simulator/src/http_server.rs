//! HTTP servers on the loopback interface. A handler can abort the connection of its request.

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

/// A running server. Dropping it stops the server; its connections are reset at their next use.
#[derive(Debug)]
pub(super) struct HttpServer {
    address: SocketAddr,
    /// Aborts all connections.
    all: ConnectionAborter,
    _task: AbortOnDropHandle<()>,
}

impl Drop for HttpServer {
    fn drop(&mut self) {
        self.all.abort();
    }
}

impl HttpServer {
    /// Serves `router` over plain HTTP.
    pub(super) async fn plain(router: Router) -> io::Result<HttpServer> {
        let tcp = TcpListener::bind(("127.0.0.1", 0)).await?;
        let all = ConnectionAborter::default();
        let listener = PlainListener { tcp, all: all.clone() };
        Ok(HttpServer::start(listener.local_addr()?, listener, all, router))
    }

    /// Serves `router` over TLS.
    pub(super) async fn tls(router: Router, config: Arc<ServerConfig>) -> io::Result<HttpServer> {
        let tcp = TcpListener::bind(("127.0.0.1", 0)).await?;
        let address = tcp.local_addr()?;
        let (sender, accepted) = mpsc::channel(16);
        let acceptor = TlsAcceptor::from(config);
        let _task = AbortOnDropHandle::new(tokio::spawn(accept(tcp, acceptor, sender)));
        let all = ConnectionAborter::default();
        let listener = TlsListener { address, accepted, all: all.clone(), _task };
        Ok(HttpServer::start(address, listener, all, router))
    }

    fn start<L>(
        address: SocketAddr,
        listener: L,
        all: ConnectionAborter,
        router: Router,
    ) -> HttpServer
    where
        L: Listener<Addr = SocketAddr>,
        ConnectionAborter: for<'a> Connected<IncomingStream<'a, L>>,
    {
        let service = router.into_make_service_with_connect_info::<ConnectionAborter>();
        let task = tokio::spawn(async move {
            // Never returns: these listeners report no errors.
            let _ = axum::serve(listener, service).await;
        });
        HttpServer { address, all, _task: AbortOnDropHandle::new(task) }
    }

    pub(super) fn port(&self) -> u16 {
        self.address.port()
    }
}

/// Aborts a connection, as a network fault would.
#[derive(Clone, Debug, Default)]
pub(super) struct ConnectionAborter(Arc<AtomicBool>);

impl ConnectionAborter {
    /// Resets the connection at its next use. The caller causes that use by sending an answer.
    pub(super) fn abort(&self) {
        self.0.store(true, Ordering::Release);
    }

    fn is_aborted(&self) -> bool {
        self.0.load(Ordering::Acquire)
    }
}

impl Connected<IncomingStream<'_, PlainListener>> for ConnectionAborter {
    fn connect_info(stream: IncomingStream<'_, PlainListener>) -> ConnectionAborter {
        stream.io().own.clone()
    }
}

impl Connected<IncomingStream<'_, TlsListener>> for ConnectionAborter {
    fn connect_info(stream: IncomingStream<'_, TlsListener>) -> ConnectionAborter {
        stream.io().own.clone()
    }
}

struct PlainListener {
    tcp: TcpListener,
    all: ConnectionAborter,
}

impl Listener for PlainListener {
    type Io = AbortableStream<TcpStream>;
    type Addr = SocketAddr;

    async fn accept(&mut self) -> (Self::Io, SocketAddr) {
        let (stream, address) = Listener::accept(&mut self.tcp).await;
        (
            AbortableStream { stream, own: ConnectionAborter::default(), all: self.all.clone() },
            address,
        )
    }

    fn local_addr(&self) -> io::Result<SocketAddr> {
        self.tcp.local_addr()
    }
}

/// Accepts connections and hands them out after their TLS handshake.
struct TlsListener {
    address: SocketAddr,
    accepted: mpsc::Receiver<(TlsStream<TcpStream>, SocketAddr)>,
    all: ConnectionAborter,
    _task: AbortOnDropHandle<()>,
}

impl Listener for TlsListener {
    type Io = AbortableStream<TlsStream<TcpStream>>;
    type Addr = SocketAddr;

    async fn accept(&mut self) -> (Self::Io, SocketAddr) {
        match self.accepted.recv().await {
            Some((stream, address)) => (
                AbortableStream {
                    stream,
                    own: ConnectionAborter::default(),
                    all: self.all.clone(),
                },
                address,
            ),
            // Only during shutdown: the accepting task lives as long as this listener.
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
        // In a task of its own, so that a client that never sends its hello does not block the others.
        tokio::spawn(async move {
            if let Ok(stream) = acceptor.accept(stream).await {
                let _ = accepted.send((stream, address)).await;
            }
        });
    }
}

/// A connection that its own aborter or that of the server can abort.
struct AbortableStream<S> {
    stream: S,
    own: ConnectionAborter,
    all: ConnectionAborter,
}

/// A stream over a TCP connection.
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

impl<S: OverTcp> AbortableStream<S> {
    fn check(&self) -> io::Result<()> {
        if self.own.is_aborted() || self.all.is_aborted() {
            // Makes the following close a reset instead of an orderly shutdown.
            self.stream.tcp().set_zero_linger()?;
            return Err(io::ErrorKind::ConnectionReset.into());
        }
        Ok(())
    }
}

impl<S: AsyncRead + OverTcp + Unpin> AsyncRead for AbortableStream<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        self.check()?;
        Pin::new(&mut self.stream).poll_read(context, buffer)
    }
}

impl<S: AsyncWrite + OverTcp + Unpin> AsyncWrite for AbortableStream<S> {
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
