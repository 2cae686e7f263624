//! The connection below the frames: how slow it is, and what only happens there.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use bytes::Bytes;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, ReadBuf};
use tokio::net::TcpStream;
use tokio::time::{Instant, Sleep, sleep};
use tokio_rustls::server::TlsStream;
use tokio_tungstenite::tungstenite::protocol::frame::coding::{Data, OpCode};
use tokio_tungstenite::tungstenite::protocol::frame::{Frame, FrameHeader};

use super::SessionFault;

/// TLS over TCP, with a bound on the speed of sending if there is to be one.
pub(super) struct Wire {
    tls: TlsStream<TcpStream>,
    trickle: Option<Trickle>,
}

/// Sends a piece, rests, sends a piece.
struct Trickle {
    piece: usize,
    rest: Duration,
    resting: Pin<Box<Sleep>>,
}

impl Trickle {
    fn new(per_second: u32) -> Trickle {
        let per_second = per_second.max(1);
        // Rests are not shorter than a timer can be trusted with.
        let piece = (per_second / 100).max(1);
        let rest = Duration::from_secs(piece.into()) / per_second;
        Trickle { piece: piece as usize, rest, resting: Box::pin(sleep(Duration::ZERO)) }
    }
}

/// How a connection ends that nobody says goodbye on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Break {
    /// It is dropped.
    Cut,
    /// It is dropped within the frame of this event.
    Torn(Bytes),
    /// It is reset.
    Reset,
    /// It is held, deaf and mute, until the client ends it.
    HalfOpen,
}

impl Wire {
    pub(super) fn new(tls: TlsStream<TcpStream>, fault: Option<&SessionFault>) -> Wire {
        let trickle = match fault {
            Some(SessionFault::Trickle(per_second)) => Some(Trickle::new(*per_second)),
            _ => None,
        };
        Wire { tls, trickle }
    }

    /// Breaks the connection, which is to be dropped afterwards.
    pub(super) async fn end(&mut self, how: Break) -> io::Result<()> {
        match how {
            Break::Cut => Ok(()),
            Break::Torn(event) => {
                let mut bytes = Vec::new();
                let frame = Frame::message(event, OpCode::Data(Data::Text), true);
                frame.format(&mut bytes).map_err(io::Error::other)?;
                self.tls.write_all(&bytes[..bytes.len() / 2]).await?;
                self.tls.flush().await
            }
            Break::Reset => self.tls.get_ref().0.set_zero_linger(),
            Break::HalfOpen => {
                let tcp = self.tls.get_mut().0;
                let mut ignored = [0; 1024];
                while tcp.read(&mut ignored).await? > 0 {}
                Ok(())
            }
        }
    }

    /// Begins a frame that is longer than any message may be.
    pub(super) async fn begin_oversized(&mut self) -> io::Result<()> {
        let mut bytes = Vec::new();
        let header = FrameHeader { opcode: OpCode::Data(Data::Text), ..FrameHeader::default() };
        header.format(65 << 20, &mut bytes).map_err(io::Error::other)?;
        bytes.extend_from_slice(b"{\"guid\":\"");
        self.tls.write_all(&bytes).await?;
        self.tls.flush().await
    }
}

impl AsyncRead for Wire {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.tls).poll_read(context, buffer)
    }
}

impl AsyncWrite for Wire {
    fn poll_write(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        let Wire { tls, trickle } = self.get_mut();
        let Some(trickle) = trickle else {
            return Pin::new(tls).poll_write(context, bytes);
        };
        ready!(trickle.resting.as_mut().poll(context));
        let piece = &bytes[..bytes.len().min(trickle.piece)];
        let written = ready!(Pin::new(tls).poll_write(context, piece))?;
        trickle.resting.as_mut().reset(Instant::now() + trickle.rest);
        Poll::Ready(Ok(written))
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.tls).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.tls).poll_shutdown(context)
    }
}
