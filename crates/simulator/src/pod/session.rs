//! One open session: sends what is to be sent, answers pings and notices how it ends.

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

use crate::watched::Watched;

use super::frames::{self, Finish, Frame};
use super::source::Position;
use super::supply::{Next, Supply, Taken};
use super::wire::{Break, Wire};
use super::{FeedCounters, PodCounters, SessionFault};

/// How long the client may take to answer a close frame or the last ping.
const CLIENT_TIMEOUT: Duration = Duration::from_secs(10);

/// How often a live session looks for what has arrived.
const LOOK: Duration = Duration::from_millis(10);

/// The connection of a session.
pub(super) type Socket = WebSocketStream<Wire>;

type Sink = SplitSink<Socket, Message>;

/// What a session is about.
pub(super) struct Session {
    pub feed: Feed,
    pub fault: Option<SessionFault>,
    pub supply: Supply,
    /// Where a live feed is: behind everything that was handed to the connection.
    pub position: Option<Position>,
    /// Events in a second; as fast as the connection takes them where there is none.
    pub pace: Option<u32>,
    pub counters: Arc<Watched<PodCounters>>,
}

/// How a session ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Ended {
    /// With a close frame from the client.
    Closed,
    /// In any other way.
    Dropped,
}

/// Who was the first to be done.
enum First {
    Client(Ended),
    Server(Result<Finish, Error>),
}

impl Session {
    /// Runs the session to its end.
    pub(super) async fn run(&mut self, socket: Socket) -> Ended {
        let mut inbox = Inbox::new(self);
        let (mut sink, mut stream) = socket.split();
        let first = tokio::select! {
            ended = inbox.read(&mut stream) => First::Client(ended),
            finish = self.send(&mut sink) => First::Server(finish),
        };
        let mut socket = sink.reunite(stream).expect("the halves of one socket");
        let ended = match first {
            First::Client(ended) => ended,
            First::Server(Ok(Finish::Break(how))) => {
                // It breaks either way.
                let _ = socket.get_mut().end(how).await;
                return Ended::Dropped;
            }
            First::Server(Ok(Finish::Eof)) => Ended::Dropped,
            First::Server(Ok(Finish::Stall)) => inbox.read(&mut socket).await,
            First::Server(Ok(Finish::Oversized)) => {
                let _ = socket.get_mut().begin_oversized().await;
                inbox.read(&mut socket).await
            }
            // The reader knows whether an error while sending was the client's goodbye.
            First::Server(Ok(Finish::Close(_)) | Err(_)) => {
                timeout(CLIENT_TIMEOUT, inbox.read(&mut socket)).await.unwrap_or(Ended::Dropped)
            }
        };
        // Ends TLS in good order, which a connection that is only dropped does not.
        let _ = timeout(CLIENT_TIMEOUT, socket.get_mut().shutdown()).await;
        ended
    }

    async fn send(&mut self, sink: &mut Sink) -> Result<Finish, Error> {
        let fault = self.fault.take();
        let fault = fault.as_ref();
        let (most, finish) = frames::course(fault);
        let mut outbox = Outbox::new(self, sink);
        if let Some(frame) = frames::prelude(fault) {
            outbox.hand_over(frame).await?;
        }
        for number in 1..=most {
            let Some(Taken { event, then }) = self.take(&mut outbox).await? else { break };
            for frame in frames::dressed(fault, number, event) {
                let is_event = frame.is_event;
                outbox.hand_over(frame).await?;
                if is_event {
                    // Handed over is sent: there is no acknowledgement to wait for.
                    self.position = then.or(self.position);
                }
            }
            // What is left out is passed as well.
            self.position = then.or(self.position);
        }
        let torn = match fault {
            Some(SessionFault::CutWithinEvent(_)) => self.take(&mut outbox).await?,
            _ => None,
        };
        outbox.finish(&finish).await?;
        Ok(match torn {
            Some(Taken { event, then }) => {
                self.position = then.or(self.position);
                Finish::Break(Break::Torn(event))
            }
            None => finish,
        })
    }

    /// The next event, once there is one; `None` at the end.
    async fn take(&mut self, outbox: &mut Outbox<'_>) -> Result<Option<Taken>, Error> {
        loop {
            match self.supply.next() {
                Next::Event(taken) => return Ok(Some(taken)),
                Next::Later => outbox.wait_for_more().await?,
                Next::End => return Ok(None),
            }
        }
    }
}

/// The sending side of a session.
struct Outbox<'a> {
    sink: &'a mut Sink,
    feed: Feed,
    is_live: bool,
    counters: Arc<Watched<PodCounters>>,
    pace: Option<u32>,
    /// Since when the pace is kept, and how many events were sent since.
    paced: (Instant, u64),
    /// How many pongs will have been counted when all pings are answered.
    pongs: u64,
}

impl<'a> Outbox<'a> {
    fn new(session: &Session, sink: &'a mut Sink) -> Outbox<'a> {
        Outbox {
            sink,
            feed: session.feed.clone(),
            is_live: session.supply.is_live(),
            counters: Arc::clone(&session.counters),
            pace: session.pace,
            paced: (Instant::now(), 0),
            pongs: session.counters.get().feed(&session.feed).pongs,
        }
    }

    async fn hand_over(&mut self, frame: Frame) -> Result<(), Error> {
        if let (Some(pace), true) = (self.pace, frame.is_event) {
            self.sink.flush().await?;
            let (since, sent) = &mut self.paced;
            sleep_until(*since + Duration::from_secs(*sent) / pace).await;
            *sent += 1;
        }
        self.pongs += u64::from(frame.message.is_ping());
        self.sink.feed(frame.message).await?;
        if frame.is_event {
            let is_live = self.is_live;
            update(&self.counters, &self.feed, |counters| {
                counters.events_sent += 1;
                counters.live_events_sent += u64::from(is_live);
            });
        }
        Ok(())
    }

    /// Lets everything out that has arrived, and some time pass.
    async fn wait_for_more(&mut self) -> Result<(), Error> {
        self.sink.flush().await?;
        update(&self.counters, &self.feed, |counters| counters.live_caught_up += 1);
        sleep(LOOK).await;
        self.paced = (Instant::now(), 0);
        Ok(())
    }

    async fn finish(&mut self, finish: &Finish) -> Result<(), Error> {
        self.sink.flush().await?;
        let answered = |counters: &PodCounters| counters.feed(&self.feed).pongs >= self.pongs;
        let _ = timeout(CLIENT_TIMEOUT, self.counters.wait_for(answered)).await;
        if let Finish::Close(code) = finish {
            let frame = code.map(|code| CloseFrame { code, reason: "".into() });
            self.sink.send(Message::Close(frame)).await?;
        }
        Ok(())
    }
}

/// The receiving side of a session. What it knows outlives a reading that is given up.
struct Inbox {
    feed: Feed,
    counters: Arc<Watched<PodCounters>>,
    answered: u64,
    ended: Ended,
}

impl Inbox {
    fn new(session: &Session) -> Inbox {
        Inbox {
            feed: session.feed.clone(),
            counters: Arc::clone(&session.counters),
            answered: 0,
            ended: Ended::Dropped,
        }
    }

    /// Reads until the connection ends. Pings are answered on the way, by the WebSocket itself.
    async fn read<S>(&mut self, stream: &mut S) -> Ended
    where
        S: Stream<Item = Result<Message, Error>> + Unpin,
    {
        while let Some(Ok(message)) = stream.next().await {
            match message {
                Message::Close(_) => self.ended = Ended::Closed,
                Message::Ping(_) => self.count(|counters| counters.pings += 1),
                Message::Pong(payload) if payload[..] == (self.answered + 1).to_be_bytes() => {
                    self.answered += 1;
                    self.count(|counters| counters.pongs += 1);
                }
                // Unsolicited pongs keep a session alive; data from a client means nothing here.
                _ => {}
            }
        }
        self.ended
    }

    fn count(&self, change: impl FnOnce(&mut FeedCounters)) {
        update(&self.counters, &self.feed, change);
    }
}

/// Changes the counts of one feed.
pub(super) fn update(
    counters: &Watched<PodCounters>,
    feed: &Feed,
    change: impl FnOnce(&mut FeedCounters),
) {
    counters.update(|all| match all.feeds.get_mut(feed) {
        Some(counters) => change(counters),
        None => change(all.feeds.entry(feed.clone()).or_default()),
    });
}
