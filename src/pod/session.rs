//! An open session: reads its events, keeps it alive with pings, and says how it ended.

use std::fmt;
use std::time::Duration;

use bytes::Bytes;
use futures_util::{FutureExt, SinkExt, StreamExt};
use tokio::time::{Instant, Interval, MissedTickBehavior, interval, timeout};
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::error::{CapacityError, ProtocolError};
use tokio_tungstenite::tungstenite::protocol::frame::coding::CloseCode;
use tokio_tungstenite::tungstenite::{Error, Message, protocol::CloseFrame};

use crate::net::TlsStream;

/// Time limits of a session.
#[derive(Clone, Copy, Debug)]
pub struct SessionTimeouts {
    /// For TCP, TLS and the handshake together.
    pub open: Duration,
    /// How often a ping is sent while nothing comes. The server cuts a connection that is idle for
    /// about 300 s.
    pub ping: Duration,
    /// How long nothing at all may come, pongs included, before the connection counts as dead. The
    /// server's pongs can be a minute late.
    pub silence: Duration,
    /// How long no event may come, whatever else comes, before an archive session counts as stalled.
    pub no_event: Duration,
    /// How long the other side gets to answer our close.
    pub close: Duration,
}

impl Default for SessionTimeouts {
    fn default() -> SessionTimeouts {
        SessionTimeouts {
            open: Duration::from_secs(30),
            ping: Duration::from_secs(60),
            silence: Duration::from_secs(150),
            no_event: Duration::from_secs(300),
            close: Duration::from_secs(3),
        }
    }
}

/// What a session yields.
#[derive(Debug, PartialEq, Eq)]
pub enum SessionItem {
    /// One event: the payload of a text or binary message, without surrounding white space.
    /// Never empty; whether it is JSON or even UTF-8 is not checked.
    Event(Bytes),
    /// The session is over.
    Ended(SessionEnd),
}

/// How a session ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SessionEnd {
    /// The server closed it, with this code if it gave one. 1000 after an archive session means
    /// that everything has been sent.
    Closed(Option<u16>),
    /// The connection ended without a close: what the standard calls 1006, the commonest end of
    /// sessions with this service.
    Cut,
    /// Nothing came for too long.
    Stalled,
    /// What came is not the WebSocket protocol, or longer than a message may be.
    Invalid(String),
}

impl fmt::Display for SessionEnd {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            SessionEnd::Closed(Some(code)) => write!(f, "closed with {code}"),
            SessionEnd::Closed(None) => f.write_str("closed without a code"),
            SessionEnd::Cut => f.write_str("cut"),
            SessionEnd::Stalled => f.write_str("stalled"),
            SessionEnd::Invalid(reason) => write!(f, "invalid data: {reason}"),
        }
    }
}

/// An open session.
pub struct Session {
    socket: WebSocketStream<TlsStream>,
    timeouts: SessionTimeouts,
    heartbeat: Interval,
    last_frame: Instant,
    last_event: Instant,
    last_ping: Instant,
    /// What [`next_ready`](Self::next_ready) met that is no event. [`next`](Self::next) treats it.
    met: Option<Option<Result<Message, Error>>>,
    /// Set once the server has closed. A caller that stopped waiting while our answer was sent gets
    /// it from the next call.
    closed: Option<SessionEnd>,
    /// Set once we have sent a close frame.
    closing: bool,
}

impl Session {
    pub(super) fn new(socket: WebSocketStream<TlsStream>, timeouts: SessionTimeouts) -> Session {
        // Often enough to exceed no limit by more than a quarter.
        let shortest = timeouts.ping.min(timeouts.silence).min(timeouts.no_event);
        let mut heartbeat = interval((shortest / 4).max(Duration::from_millis(1)));
        heartbeat.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let now = Instant::now();
        Session {
            socket,
            timeouts,
            heartbeat,
            last_frame: now,
            last_event: now,
            last_ping: now,
            met: None,
            closed: None,
            closing: false,
        }
    }

    /// Waits for the next event or the session's end. Cancel-safe: neither is ever lost.
    ///
    /// Pings are sent and answered meanwhile. After an end, do not call it again.
    pub async fn next(&mut self) -> SessionItem {
        if let Some(end) = self.closed.take() {
            return SessionItem::Ended(end);
        }
        loop {
            let message = match self.met.take() {
                Some(met) => met,
                None => tokio::select! {
                    biased;
                    message = self.socket.next() => message,
                    _ = self.heartbeat.tick() => {
                        if let Some(end) = self.check_alive(true).await {
                            return SessionItem::Ended(end);
                        }
                        continue;
                    }
                },
            };
            self.last_frame = Instant::now();
            match message {
                Some(Ok(message @ (Message::Text(_) | Message::Binary(_)))) => {
                    if let Some(event) = self.event_of(message.into_data()) {
                        return SessionItem::Event(event);
                    }
                }
                Some(Ok(Message::Close(frame))) => {
                    let end = SessionEnd::Closed(frame.map(|frame| frame.code.into()));
                    self.closed = Some(end.clone());
                    self.answer_close().await;
                    return SessionItem::Ended(end);
                }
                Some(Ok(Message::Ping(_) | Message::Pong(_) | Message::Frame(_))) => {}
                Some(Err(error)) => return SessionItem::Ended(ended(error)),
                None => return SessionItem::Ended(SessionEnd::Cut),
            }
        }
    }

    /// The next event, if it has come and nothing else has come before it. Call
    /// [`next`](Self::next) before, and again once there is none: it notices silence and waits.
    pub fn next_ready(&mut self) -> Option<Bytes> {
        while self.met.is_none() && self.closed.is_none() {
            match self.socket.next().now_or_never()? {
                Some(Ok(message @ (Message::Text(_) | Message::Binary(_)))) => {
                    let event = self.event_of(message.into_data());
                    if event.is_some() {
                        return event;
                    }
                }
                other => self.met = Some(other),
            }
        }
        None
    }

    /// Keeps the connection alive while the caller can't take events. Resolves only when it is dead.
    /// Cancel-safe.
    pub async fn keep_alive(&mut self) -> SessionEnd {
        loop {
            self.heartbeat.tick().await;
            // What the server sent meanwhile is unread, so its silence proves nothing.
            self.last_frame = Instant::now();
            self.last_event = self.last_frame;
            if let Some(end) = self.check_alive(false).await {
                return end;
            }
        }
    }

    /// Sends a close frame, so that the server frees the token's place. [`next`](Self::next) still
    /// yields the events that the server sent before it received the frame, and then the end.
    pub async fn begin_close(&mut self) {
        self.closing = true;
        let frame = CloseFrame { code: CloseCode::Normal, reason: "".into() };
        // If the connection no longer takes it, the next read sees its end.
        let _ = timeout(self.timeouts.close, self.socket.close(Some(frame))).await;
    }

    /// Closes the session with a handshake. What still comes is dropped.
    pub async fn close(mut self) {
        self.begin_close().await;
        self.answer_close().await;
    }

    /// The event in a message, if it has one.
    fn event_of(&mut self, payload: Bytes) -> Option<Bytes> {
        let event = trimmed(payload);
        // Some servers send an empty message to say that there is nothing.
        if event.is_empty() {
            return None;
        }
        self.last_event = self.last_frame;
        Some(event)
    }

    /// Sends the ping that is due, or finds that the server is gone.
    async fn check_alive(&mut self, reading: bool) -> Option<SessionEnd> {
        let now = Instant::now();
        let silent = now - self.last_frame >= self.timeouts.silence;
        let idle = now - self.last_event >= self.timeouts.no_event;
        if reading && (silent || idle) {
            return Some(SessionEnd::Stalled);
        }
        if self.closing || now - self.last_ping < self.timeouts.ping {
            return None;
        }
        self.last_ping = now;
        // While the caller does not read, an answer to a ping would stay unread too. An unsolicited
        // pong needs no answer, and keeps the connection just as well.
        let frame = if reading { Message::Ping(Bytes::new()) } else { Message::Pong(Bytes::new()) };
        match timeout(self.timeouts.ping, self.socket.send(frame)).await {
            Ok(Ok(())) => None,
            Ok(Err(error)) => Some(ended(error)),
            Err(_) => Some(SessionEnd::Stalled),
        }
    }

    async fn answer_close(&mut self) {
        let rest = async { while let Some(Ok(_)) = self.socket.next().await {} };
        let _ = timeout(self.timeouts.close, rest).await;
    }
}

fn trimmed(payload: Bytes) -> Bytes {
    let inner = payload.trim_ascii();
    if inner.len() == payload.len() { payload } else { payload.slice_ref(inner) }
}

fn ended(error: Error) -> SessionEnd {
    match error {
        Error::ConnectionClosed
        | Error::AlreadyClosed
        | Error::Io(_)
        | Error::Protocol(ProtocolError::ResetWithoutClosingHandshake) => SessionEnd::Cut,
        Error::Capacity(CapacityError::MessageTooLong { size, max_size }) => {
            SessionEnd::Invalid(format!("a message of {size} bytes, over the limit of {max_size}"))
        }
        other => SessionEnd::Invalid(other.to_string()),
    }
}
