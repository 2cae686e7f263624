//! An open session: sends events, answers pings and detects its end.

use std::sync::Arc;
use std::time::Duration;

use futures_util::stream::SplitSink;
use futures_util::{SinkExt, Stream, StreamExt};
use proofpoint_sentinel_core::feed::Feed;
use tokio::io::AsyncWriteExt;
use tokio::time::{Instant, sleep, sleep_until, timeout};
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::protocol::CloseFrame;
use tokio_tungstenite::tungstenite::{Error, Message};

use crate::watch_cell::WatchCell;

use super::connection::{Connection, Disruption};
use super::counters::{FeedCounters, PodCounters, update_feed};
use super::event_source::Position;
use super::frames::{self, OutgoingFrame, SessionEnd};
use super::session_events::{NextEvent, OutgoingEvent, SessionEvents};
use super::session_fault::SessionFault;

/// How long the client may take to answer a close frame or the last ping.
const CLIENT_TIMEOUT: Duration = Duration::from_secs(10);

/// How often a live session checks for new events.
const CHECK_INTERVAL: Duration = Duration::from_millis(10);

/// The connection of a session.
pub(super) type Socket = WebSocketStream<Connection>;

type FrameSink = SplitSink<Socket, Message>;

/// A session.
pub(super) struct Session {
    pub feed: Feed,
    pub fault: Option<SessionFault>,
    pub events: SessionEvents,
    /// The position of a live session: after all events that were handed to the connection.
    pub position: Option<Position>,
    /// The maximum of events per second, if there is one.
    pub events_per_second: Option<u32>,
    pub counters: Arc<WatchCell<PodCounters>>,
}

/// How a session ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum SessionOutcome {
    /// The client sent a close frame.
    Closed,
    /// It ended in any other way.
    Dropped,
}

/// Which side finished first.
enum FinishedFirst {
    Client(SessionOutcome),
    Server(Result<SessionEnd, Error>),
}

impl Session {
    /// Runs the session to its end.
    pub(super) async fn run(&mut self, socket: Socket) -> SessionOutcome {
        let mut receiver = SessionReceiver::new(self);
        let (mut sink, mut stream) = socket.split();
        let first = tokio::select! {
            ended = receiver.read(&mut stream) => FinishedFirst::Client(ended),
            finish = self.send(&mut sink) => FinishedFirst::Server(finish),
        };
        let mut socket = sink.reunite(stream).expect("the halves of one socket");
        let ended = match first {
            FinishedFirst::Client(ended) => ended,
            FinishedFirst::Server(Ok(SessionEnd::Disrupt(how))) => {
                // The connection ends even if this fails.
                let _ = socket.get_mut().disrupt(how).await;
                return SessionOutcome::Dropped;
            }
            FinishedFirst::Server(Ok(SessionEnd::Eof)) => SessionOutcome::Dropped,
            FinishedFirst::Server(Ok(SessionEnd::Stall)) => receiver.read(&mut socket).await,
            FinishedFirst::Server(Ok(SessionEnd::Oversized)) => {
                let _ = socket.get_mut().begin_oversized().await;
                receiver.read(&mut socket).await
            }
            // The receiver knows whether the client closed the session while the server was sending.
            FinishedFirst::Server(Ok(SessionEnd::Close(_)) | Err(_)) => {
                timeout(CLIENT_TIMEOUT, receiver.read(&mut socket))
                    .await
                    .unwrap_or(SessionOutcome::Dropped)
            }
        };
        // Shuts TLS down cleanly, which dropping the connection does not.
        let _ = timeout(CLIENT_TIMEOUT, socket.get_mut().shutdown()).await;
        ended
    }

    async fn send(&mut self, sink: &mut FrameSink) -> Result<SessionEnd, Error> {
        let fault = self.fault.take();
        let fault = fault.as_ref();
        let (limit, end) = frames::limit_and_end(fault);
        let mut sender = SessionSender::new(self, sink);
        if let Some(frame) = frames::frame_before_events(fault) {
            sender.send_frame(frame).await?;
        }
        for number in 1..=limit {
            let Some(OutgoingEvent { event, next_position }) = self.take(&mut sender).await? else {
                break;
            };
            for frame in frames::frames_for_event(fault, number, event) {
                let is_event = frame.is_event;
                sender.send_frame(frame).await?;
                if is_event {
                    // It counts as sent now: there is no acknowledgement to wait for.
                    self.position = next_position.or(self.position);
                }
            }
            // The session also moves past events that its fault leaves out.
            self.position = next_position.or(self.position);
        }
        let torn = match fault {
            Some(SessionFault::CutWithinEvent(_)) => self.take(&mut sender).await?,
            _ => None,
        };
        sender.finish(&end).await?;
        Ok(match torn {
            Some(OutgoingEvent { event, next_position }) => {
                self.position = next_position.or(self.position);
                SessionEnd::Disrupt(Disruption::DroppedWithin(event))
            }
            None => end,
        })
    }

    /// The next event, once there is one; `None` at the end.
    async fn take(
        &mut self,
        sender: &mut SessionSender<'_>,
    ) -> Result<Option<OutgoingEvent>, Error> {
        loop {
            match self.events.next() {
                NextEvent::Event(event) => return Ok(Some(event)),
                NextEvent::NotYet => sender.wait_for_more().await?,
                NextEvent::End => return Ok(None),
            }
        }
    }
}

/// The sending side of a session.
struct SessionSender<'a> {
    sink: &'a mut FrameSink,
    feed: Feed,
    is_live: bool,
    counters: Arc<WatchCell<PodCounters>>,
    events_per_second: Option<u32>,
    /// The start of the rate limit, and how many events were sent since then.
    paced: (Instant, u64),
    /// The number of pongs once all pings are answered.
    pongs: u64,
}

impl<'a> SessionSender<'a> {
    fn new(session: &Session, sink: &'a mut FrameSink) -> SessionSender<'a> {
        SessionSender {
            sink,
            feed: session.feed.clone(),
            is_live: session.events.is_live(),
            counters: Arc::clone(&session.counters),
            events_per_second: session.events_per_second,
            paced: (Instant::now(), 0),
            pongs: session.counters.get().feed(&session.feed).pongs,
        }
    }

    async fn send_frame(&mut self, frame: OutgoingFrame) -> Result<(), Error> {
        if let (Some(rate), true) = (self.events_per_second, frame.is_event) {
            self.sink.flush().await?;
            let (since, sent) = &mut self.paced;
            sleep_until(*since + Duration::from_secs(*sent) / rate).await;
            *sent += 1;
        }
        self.pongs += u64::from(frame.message.is_ping());
        self.sink.feed(frame.message).await?;
        if frame.is_event {
            let is_live = self.is_live;
            update_feed(&self.counters, &self.feed, |counters| {
                counters.events_sent += 1;
                counters.live_events_sent += u64::from(is_live);
            });
        }
        Ok(())
    }

    /// Flushes what was sent, and waits for a moment.
    async fn wait_for_more(&mut self) -> Result<(), Error> {
        self.sink.flush().await?;
        update_feed(&self.counters, &self.feed, |counters| counters.live_caught_up += 1);
        sleep(CHECK_INTERVAL).await;
        self.paced = (Instant::now(), 0);
        Ok(())
    }

    async fn finish(&mut self, end: &SessionEnd) -> Result<(), Error> {
        self.sink.flush().await?;
        let answered = |counters: &PodCounters| counters.feed(&self.feed).pongs >= self.pongs;
        let _ = timeout(CLIENT_TIMEOUT, self.counters.wait_for(answered)).await;
        if let SessionEnd::Close(code) = end {
            let frame = code.map(|code| CloseFrame { code, reason: "".into() });
            self.sink.send(Message::Close(frame)).await?;
        }
        Ok(())
    }
}

/// The receiving side of a session. Its state survives a cancelled `read`.
struct SessionReceiver {
    feed: Feed,
    counters: Arc<WatchCell<PodCounters>>,
    answered: u64,
    ended: SessionOutcome,
}

impl SessionReceiver {
    fn new(session: &Session) -> SessionReceiver {
        SessionReceiver {
            feed: session.feed.clone(),
            counters: Arc::clone(&session.counters),
            answered: 0,
            ended: SessionOutcome::Dropped,
        }
    }

    /// Reads until the connection ends. The WebSocket itself answers pings.
    async fn read<S>(&mut self, stream: &mut S) -> SessionOutcome
    where
        S: Stream<Item = Result<Message, Error>> + Unpin,
    {
        while let Some(Ok(message)) = stream.next().await {
            match message {
                Message::Close(_) => self.ended = SessionOutcome::Closed,
                Message::Ping(_) => self.count(|counters| counters.pings += 1),
                Message::Pong(payload) if payload[..] == (self.answered + 1).to_be_bytes() => {
                    self.answered += 1;
                    self.count(|counters| counters.pongs += 1);
                }
                // Unsolicited pongs keep a session alive. Data from the client is ignored.
                _ => {}
            }
        }
        self.ended
    }

    fn count(&self, change: impl FnOnce(&mut FeedCounters)) {
        update_feed(&self.counters, &self.feed, change);
    }
}
