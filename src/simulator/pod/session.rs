//! One open session: sends what is to be sent, answers pings and notices how it ends.

use std::sync::Arc;
use std::time::Duration;

use futures_util::stream::{SplitSink, SplitStream};
use futures_util::{SinkExt, StreamExt};
use tokio::io::{AsyncRead, AsyncWrite, AsyncWriteExt};
use tokio::time::{Instant, sleep_until, timeout};
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::protocol::CloseFrame;
use tokio_tungstenite::tungstenite::{Error, Message};

use crate::feed::Feed;
use crate::simulator::watched::Watched;

use super::frames::{self, Events, Finish};
use super::{Fault, FeedCounters, PodCounters};

/// How long the client may take to answer a close frame or the last ping.
const PATIENCE: Duration = Duration::from_secs(10);

/// What a session is about.
pub(super) struct Session {
    pub feed: Feed,
    pub fault: Option<Fault>,
    pub events: Events,
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

impl Session {
    /// Runs the session to its end.
    pub(super) async fn run<S>(mut self, socket: WebSocketStream<S>) -> Ended
    where
        S: AsyncRead + AsyncWrite + Unpin,
    {
        let (mut sink, mut stream) = socket.split();
        let (feed, counters) = (self.feed.clone(), Arc::clone(&self.counters));
        let ended = {
            let reading = read(&mut stream, &feed, &counters);
            tokio::pin!(reading);
            tokio::select! {
                ended = &mut reading => ended,
                finish = self.send(&mut sink) => match finish {
                    Ok(Finish::Cut) => return Ended::Dropped,
                    Ok(Finish::Eof) => Ended::Dropped,
                    Ok(Finish::Stall) => reading.await,
                    // The reader knows whether an error while sending was the client's goodbye.
                    Ok(Finish::Close(_)) | Err(_) => {
                        timeout(PATIENCE, reading).await.unwrap_or(Ended::Dropped)
                    }
                },
            }
        };
        // Ends TLS in good order, which a connection that is only dropped does not.
        if let Ok(mut socket) = sink.reunite(stream) {
            let _ = timeout(PATIENCE, socket.get_mut().shutdown()).await;
        }
        ended
    }

    async fn send<S>(
        &mut self,
        sink: &mut SplitSink<WebSocketStream<S>, Message>,
    ) -> Result<Finish, Error>
    where
        S: AsyncRead + AsyncWrite + Unpin,
    {
        let events = std::mem::replace(&mut self.events, Box::new(std::iter::empty()));
        let (frames, finish) = frames::frames(self.fault.take(), events);
        let answered = self.counters.get().feed(&self.feed).pongs;
        let (started, mut sent, mut pings) = (Instant::now(), 0, 0);
        for frame in frames {
            if let (Some(pace), true) = (self.pace, frame.is_event) {
                sink.flush().await?;
                sleep_until(started + Duration::from_secs(sent) / pace).await;
            }
            pings += u64::from(frame.message.is_ping());
            sink.feed(frame.message).await?;
            if frame.is_event {
                sent += 1;
                update(&self.counters, &self.feed, |counters| counters.events_sent += 1);
            }
        }
        sink.flush().await?;
        let all = |counters: &PodCounters| counters.feed(&self.feed).pongs >= answered + pings;
        let _ = timeout(PATIENCE, self.counters.wait_for(all)).await;
        if let Finish::Close(code) = finish {
            let frame = code.map(|code| CloseFrame { code, reason: "".into() });
            sink.send(Message::Close(frame)).await?;
        }
        Ok(finish)
    }
}

/// Reads until the connection ends. Pings are answered on the way, by the WebSocket itself.
async fn read<S>(
    stream: &mut SplitStream<WebSocketStream<S>>,
    feed: &Feed,
    counters: &Watched<PodCounters>,
) -> Ended
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    let mut ended = Ended::Dropped;
    let mut answered: u64 = 0;
    while let Some(Ok(message)) = stream.next().await {
        match message {
            Message::Close(_) => ended = Ended::Closed,
            Message::Ping(_) => update(counters, feed, |counters| counters.pings += 1),
            Message::Pong(payload) if payload[..] == (answered + 1).to_be_bytes() => {
                answered += 1;
                update(counters, feed, |counters| counters.pongs += 1);
            }
            // Unsolicited pongs keep a session alive; data from a client means nothing here.
            _ => {}
        }
    }
    ended
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
