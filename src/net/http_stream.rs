//! A connection of the HTTP client, with or without TLS.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};

use hyper::rt::{Read, ReadBufCursor, Write};
use hyper_util::client::legacy::connect::{Connected, Connection};
use hyper_util::rt::TokioIo;
use tokio::net::TcpStream;
use tokio_util::either::Either;

use super::tls::TlsStream;

/// A connection, as hyper reads and writes it.
#[derive(Debug)]
pub(super) struct HttpStream(TokioIo<Either<TcpStream, Box<TlsStream>>>);

impl HttpStream {
    pub(super) fn plain(tcp: TcpStream) -> HttpStream {
        HttpStream(TokioIo::new(Either::Left(tcp)))
    }

    pub(super) fn tls(tls: TlsStream) -> HttpStream {
        HttpStream(TokioIo::new(Either::Right(Box::new(tls))))
    }

    fn inner(self: Pin<&mut Self>) -> Pin<&mut TokioIo<Either<TcpStream, Box<TlsStream>>>> {
        Pin::new(&mut self.get_mut().0)
    }
}

impl Connection for HttpStream {
    fn connected(&self) -> Connected {
        Connected::new()
    }
}

impl Read for HttpStream {
    fn poll_read(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: ReadBufCursor<'_>,
    ) -> Poll<io::Result<()>> {
        self.inner().poll_read(cx, buffer)
    }
}

impl Write for HttpStream {
    fn poll_write(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        self.inner().poll_write(cx, bytes)
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.inner().poll_flush(cx)
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.inner().poll_shutdown(cx)
    }

    fn is_write_vectored(&self) -> bool {
        self.0.is_write_vectored()
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        parts: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        self.inner().poll_write_vectored(cx, parts)
    }
}
