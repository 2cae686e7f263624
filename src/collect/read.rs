//! Events out of a session into a sink, until the session or something else ends.

use std::fmt;
use std::future::Future;
use std::time::Duration;

use bytes::Bytes;
use proofpoint_sentinel_core::feed::Feed;
use proofpoint_sentinel_core::hour::Hour;
use tokio::time::{Instant, sleep, sleep_until};
use tokio_util::sync::CancellationToken;
use url::Url;

use crate::net::Net;
use crate::pod::{
    OpenError, Session, SessionEnd, SessionItem, SessionRequest, SessionTimeouts, archive_url,
    live_url, open_session,
};
use crate::settings::Cluster;

/// Takes events, at its own pace.
pub trait EventSink {
    /// Why it can't take more.
    type Error;

    /// Whether the next event can be taken without waiting for [`settle`](Self::settle).
    fn has_room(&self) -> bool;

    /// Waits until one of the pieces of work under way is finished, and accounts for it, or until
    /// another is to be begun though no event came; pending where there is neither. Cancel-safe.
    fn settle(&mut self) -> impl Future<Output = Result<(), Self::Error>> + Send;

    /// Takes an event.
    fn take(&mut self, event: Bytes) -> impl Future<Output = Result<(), Self::Error>> + Send;

    /// Finishes all work, so that every event taken is accounted for.
    fn finish(&mut self) -> impl Future<Output = Result<(), Self::Error>> + Send;

    /// After a failure: begins nothing more, but waits for what is under way and accounts for it.
    fn wind_down(&mut self) -> impl Future<Output = ()> + Send;
}

/// How a reading ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ReadEnd {
    /// The session ended by itself.
    Session(SessionEnd),
    /// The program was told to stop.
    Stopped,
    /// The time for this reading was up.
    OutOfTime,
    /// No event has come for as long as a live session waits for one.
    Quiet,
}

impl fmt::Display for ReadEnd {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            ReadEnd::Session(end) => end.fmt(f),
            ReadEnd::Stopped => f.write_str("stopped"),
            ReadEnd::OutOfTime => f.write_str("out of time"),
            ReadEnd::Quiet => f.write_str("quiet"),
        }
    }
}

/// How long the work under way may take once the program was told to stop.
const WIND_DOWN: Duration = Duration::from_secs(10);

/// Why a reading failed: what was read is not accounted for.
#[derive(Debug, thiserror::Error)]
pub enum ReadError<E> {
    /// No session was opened.
    #[error("{0}")]
    Open(OpenError),
    /// The sink failed.
    #[error("{0}")]
    EventSink(E),
    /// The program was told to stop, and what was under way took too long.
    #[error("told to stop while events were under way; they are read again")]
    Abandoned,
}

/// Reads one feed, session by session.
#[derive(Clone, Copy)]
pub struct Reader<'a> {
    /// Connections.
    pub net: &'a Net,
    /// Base of the Log API.
    pub log_stream_uri: &'a Url,
    /// The feed's cluster, for its token.
    pub cluster: &'a Cluster,
    /// What to read.
    pub feed: &'a Feed,
    /// Time limits of sessions.
    pub timeouts: SessionTimeouts,
    /// Ends a reading early, within some seconds.
    pub stop: &'a CancellationToken,
    /// No more is read after this.
    pub reading_ends: Instant,
}

/// What ends a session from our side, besides the order to stop.
#[derive(Clone, Copy)]
struct Bounds {
    until: Instant,
    quiet: Option<Duration>,
}

impl Reader<'_> {
    /// Reads one hour from the archive into `sink`. On success every event that was read is
    /// accounted for.
    pub async fn hour<S: EventSink>(
        &self,
        hour: Hour,
        sink: &mut S,
    ) -> Result<ReadEnd, ReadError<S::Error>> {
        let url = archive_url(self.log_stream_uri, self.feed, hour);
        let bounds = Bounds { until: self.reading_ends, quiet: None };
        let end = self.session(&url, self.timeouts, bounds, sink).await?;
        self.finish(sink).await?;
        Ok(end)
    }

    /// Reads one live session into `sink`, until no event came for `quiet` or it is `until`. What
    /// was read is accounted for only after [`finish`](Self::finish).
    pub async fn live<S: EventSink>(
        &self,
        quiet: Duration,
        until: Instant,
        sink: &mut S,
    ) -> Result<ReadEnd, ReadError<S::Error>> {
        let url = live_url(self.log_stream_uri, self.feed);
        // The stream may be silent for as long as it likes.
        let timeouts = SessionTimeouts { no_event: Duration::MAX, ..self.timeouts };
        self.session(&url, timeouts, Bounds { until, quiet: Some(quiet) }, sink).await
    }

    /// Waits until every event that was read is accounted for.
    pub async fn finish<S: EventSink>(&self, sink: &mut S) -> Result<(), ReadError<S::Error>> {
        tokio::select! {
            finished = sink.finish() => finished.map_err(ReadError::EventSink),
            () = long_after(self.stop) => Err(ReadError::Abandoned),
        }
    }

    /// Reads one session. One that did not end by itself is closed in good order, on failure too,
    /// and so is one that stalled.
    async fn session<S: EventSink>(
        &self,
        url: &Url,
        timeouts: SessionTimeouts,
        bounds: Bounds,
        sink: &mut S,
    ) -> Result<ReadEnd, ReadError<S::Error>> {
        let (token, deadline) = (&self.cluster.token, bounds.until);
        let request = SessionRequest { url, token, timeouts, deadline };
        let mut session = tokio::select! {
            session = open_session(self.net, &request) => session.map_err(ReadError::Open)?,
            () = self.stop.cancelled() => return Ok(ReadEnd::Stopped),
        };
        let end = self.pump(&mut session, bounds, sink).await;
        // Where nobody said goodbye, the server may keep the token's place for a session that it
        // takes for alive.
        if let Ok(ReadEnd::Session(SessionEnd::Stalled | SessionEnd::Invalid(_))) | Err(_) = end {
            session.close().await;
        }
        match end {
            Ok(end) => Ok(end),
            Err(error) => {
                tokio::select! {
                    () = sink.wind_down() => {}
                    () = long_after(self.stop) => {}
                }
                Err(ReadError::EventSink(error))
            }
        }
    }

    /// Moves events from the session to the sink. An end of ours leaves the server a moment to
    /// send what it takes for sent: a live session's events are not sent again.
    async fn pump<S: EventSink>(
        &self,
        session: &mut Session,
        bounds: Bounds,
        sink: &mut S,
    ) -> Result<ReadEnd, S::Error> {
        let stopped = self.stop.cancelled();
        let out_of_time = sleep_until(bounds.until);
        tokio::pin!(stopped, out_of_time);
        let mut silence = Silence::new(bounds.quiet);
        let own_end = loop {
            let has_room = sink.has_room();
            let next = async {
                if has_room {
                    session.next().await
                } else {
                    SessionItem::Ended(session.keep_alive().await)
                }
            };
            tokio::select! {
                biased;
                () = &mut stopped => break ReadEnd::Stopped,
                () = &mut out_of_time => break ReadEnd::OutOfTime,
                settled = sink.settle() => {
                    settled?;
                    if !has_room {
                        silence.broken();
                    }
                }
                next = next => match next {
                    SessionItem::Event(event) => {
                        sink.take(event).await?;
                        silence.broken();
                    }
                    SessionItem::Ended(end) => return Ok(ReadEnd::Session(end)),
                },
                () = silence.long_enough(), if has_room => break ReadEnd::Quiet,
            }
        };
        session.begin_close().await;
        self.take_the_rest(session, sink).await?;
        Ok(own_end)
    }

    /// Takes what was on its way when we said that we close.
    async fn take_the_rest<S: EventSink>(
        &self,
        session: &mut Session,
        sink: &mut S,
    ) -> Result<(), S::Error> {
        let over = sleep(self.timeouts.close);
        tokio::pin!(over);
        loop {
            let has_room = sink.has_room();
            tokio::select! {
                biased;
                () = &mut over => return Ok(()),
                settled = sink.settle() => settled?,
                next = session.next(), if has_room => match next {
                    SessionItem::Event(event) => sink.take(event).await?,
                    SessionItem::Ended(_) => return Ok(()),
                },
            }
        }
    }
}

/// How long no event has come while events could be taken.
struct Silence {
    limit: Option<Duration>,
    since: Instant,
}

impl Silence {
    fn new(limit: Option<Duration>) -> Silence {
        Silence { limit, since: Instant::now() }
    }

    fn broken(&mut self) {
        // Asking the clock for each event of an archive session would be for nothing.
        if self.limit.is_some() {
            self.since = Instant::now();
        }
    }

    /// Waits until the limit is reached; pending where there is none. Cancel-safe.
    async fn long_enough(&self) {
        match self.limit {
            Some(limit) => sleep_until(self.since + limit).await,
            None => std::future::pending().await,
        }
    }
}

/// Waits until the work under way has had its time since the program was told to stop.
pub(super) async fn long_after(stop: &CancellationToken) {
    stop.cancelled().await;
    sleep(WIND_DOWN).await;
}
