//! The connection below the WebSocket frames: its speed, and the faults below the frames.

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

use super::session_fault::SessionFault;

/// TLS over TCP, with an optional limit on the sending speed.
pub(super) struct Connection {
    tls: TlsStream<TcpStream>,
    rate_limit: Option<RateLimit>,
}

/// Limits the sending speed: a pause follows each piece.
struct RateLimit {
    piece: usize,
    pause: Duration,
    pausing: Pin<Box<Sleep>>,
}

impl RateLimit {
    fn new(per_second: u32) -> RateLimit {
        let per_second = per_second.max(1);
        // Pauses of 10 ms: timers are not precise enough for much shorter ones.
        let piece = (per_second / 100).max(1);
        let pause = Duration::from_secs(piece.into()) / per_second;
        RateLimit { piece: piece as usize, pause, pausing: Box::pin(sleep(Duration::ZERO)) }
    }
}

/// How a connection ends without a close frame.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Disruption {
    /// It is dropped.
    Dropped,
    /// It is dropped within the frame of this event.
    DroppedWithin(Bytes),
    /// It is reset.
    Reset,
    /// It stays open without reading or writing until the client ends it.
    HalfOpen,
}

impl Connection {
    pub(super) fn new(tls: TlsStream<TcpStream>, fault: Option<&SessionFault>) -> Connection {
        let rate_limit = match fault {
            Some(SessionFault::Trickle(per_second)) => Some(RateLimit::new(*per_second)),
            _ => None,
        };
        Connection { tls, rate_limit }
    }

    /// Disrupts the connection. The caller drops it afterwards.
    pub(super) async fn disrupt(&mut self, how: Disruption) -> io::Result<()> {
        match how {
            Disruption::Dropped => Ok(()),
            Disruption::DroppedWithin(event) => {
                let mut bytes = Vec::new();
                let frame = Frame::message(event, OpCode::Data(Data::Text), true);
                frame.format(&mut bytes).map_err(io::Error::other)?;
                self.tls.write_all(&bytes[..bytes.len() / 2]).await?;
                self.tls.flush().await
            }
            Disruption::Reset => self.tls.get_ref().0.set_zero_linger(),
            Disruption::HalfOpen => {
                let tcp = self.tls.get_mut().0;
                let mut ignored = [0; 1024];
                while tcp.read(&mut ignored).await? > 0 {}
                Ok(())
            }
        }
    }

    /// Begins a frame that exceeds the limit of any message.
    pub(super) async fn begin_oversized(&mut self) -> io::Result<()> {
        let mut bytes = Vec::new();
        let header = FrameHeader { opcode: OpCode::Data(Data::Text), ..FrameHeader::default() };
        header.format(65 << 20, &mut bytes).map_err(io::Error::other)?;
        bytes.extend_from_slice(b"{\"guid\":\"");
        self.tls.write_all(&bytes).await?;
        self.tls.flush().await
    }
}

impl AsyncRead for Connection {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.tls).poll_read(context, buffer)
    }
}

impl AsyncWrite for Connection {
    fn poll_write(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        let Connection { tls, rate_limit } = self.get_mut();
        let Some(rate_limit) = rate_limit else {
            return Pin::new(tls).poll_write(context, bytes);
        };
        ready!(rate_limit.pausing.as_mut().poll(context));
        let piece = &bytes[..bytes.len().min(rate_limit.piece)];
        let written = ready!(Pin::new(tls).poll_write(context, piece))?;
        rate_limit.pausing.as_mut().reset(Instant::now() + rate_limit.pause);
        Poll::Ready(Ok(written))
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.tls).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.tls).poll_shutdown(context)
    }
}
