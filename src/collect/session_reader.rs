//! Moves the events of a session into a sink, until the session or something else ends it.

use std::time::Duration;

use bytes::Bytes;
use proofpoint_sentinel_core::feed::EventType;
use proofpoint_sentinel_core::hour::Hour;
use tokio::time::{Instant, sleep, sleep_until};
use tokio_util::sync::CancellationToken;
use url::Url;

use super::event_sink::EventSink;
use super::memory::Place;
use super::read_end::ReadEnd;
use crate::error_code::{self, Coded, ErrorCode};
use crate::net::Net;
use crate::pod::{
    ClusterSessions, OpenError, Session, SessionEnd, SessionItem, SessionRequest, SessionTimeouts,
    archive_url, live_url, open_session,
};
use crate::settings::Cluster;

/// How long the work in flight may take once the program was told to stop.
const GRACE_PERIOD: Duration = Duration::from_secs(10);

/// So many events are pushed at most before anything else is looked at.
const MAX_AT_ONCE: usize = 64;

/// Why a reading failed: what was read is not accounted for.
#[derive(Debug, thiserror::Error)]
pub enum ReadError<E> {
    /// No session was opened.
    #[error("{0}")]
    Open(OpenError),
    /// The sink failed.
    #[error("{0}")]
    Sink(E),
    /// The program was told to stop, and what was in flight took too long.
    #[error("the run was stopped while events were in flight; they are read again")]
    Abandoned,
}

impl<E: Coded> Coded for ReadError<E> {
    fn code(&self) -> ErrorCode {
        match self {
            ReadError::Open(error) => error.code(),
            ReadError::Sink(error) => error.code(),
            ReadError::Abandoned => error_code::STOPPED,
        }
    }
}

/// Reads sessions of one feed.
#[derive(Clone, Copy)]
pub struct SessionReader<'a> {
    /// Connections.
    pub net: &'a Net,
    /// Base of the Log API.
    pub log_stream_uri: &'a Url,
    /// The feed's cluster, for its token.
    pub cluster: &'a Cluster,
    /// What the cluster's sessions share.
    pub sessions: &'a ClusterSessions,
    /// The feed's place among those at work, where there are others.
    pub place: Option<&'a Place>,
    /// What to read.
    pub event_type: EventType,
    /// Time limits of sessions.
    pub timeouts: SessionTimeouts,
    /// Ends a reading early, within some seconds.
    pub stop: &'a CancellationToken,
    /// No more is read after this.
    pub reading_ends: Instant,
}

/// How long a live session may last if another event type of the account waits for its end, or
/// another feed for its memory.
const MIN_SHARED_TIME: Duration = Duration::from_secs(30);

/// When we end a session, besides being told to stop.
#[derive(Clone, Copy)]
struct SessionLimits {
    until: Instant,
    /// Of a live session alone, which also makes way for other event types of the account.
    quiet: Option<Duration>,
}

impl SessionReader<'_> {
    /// Reads one hour from the archive into `sink`. On success every event that was read is
    /// accounted for.
    pub async fn read_hour<S: EventSink>(
        &self,
        hour: Hour,
        sink: &mut S,
    ) -> Result<ReadEnd, ReadError<S::Error>> {
        let url = archive_url(self.log_stream_uri, &self.cluster.id, self.event_type, hour);
        let limits = SessionLimits { until: self.reading_ends, quiet: None };
        let end = self.read_session(&url, self.timeouts, limits, sink).await?;
        self.flush(sink).await?;
        Ok(end)
    }

    /// Reads one live session into `sink`, until the sink has caught up, no event came for `quiet`,
    /// or it is `until`. What was read is accounted for only after [`flush`](Self::flush).
    pub async fn read_live<S: EventSink>(
        &self,
        quiet: Duration,
        until: Instant,
        sink: &mut S,
    ) -> Result<ReadEnd, ReadError<S::Error>> {
        let url = live_url(self.log_stream_uri, &self.cluster.id, self.event_type);
        // The stream may be silent for any time.
        let timeouts = SessionTimeouts { no_event: Duration::MAX, ..self.timeouts };
        self.read_session(&url, timeouts, SessionLimits { until, quiet: Some(quiet) }, sink).await
    }

    /// Waits until every event that was read is accounted for.
    pub async fn flush<S: EventSink>(&self, sink: &mut S) -> Result<(), ReadError<S::Error>> {
        tokio::select! {
            flushed = sink.flush() => flushed.map_err(ReadError::Sink),
            () = grace_period_over(self.stop) => Err(ReadError::Abandoned),
        }
    }

    /// Reads one session. One that did not end by itself, or that stalled, is closed in good order,
    /// on failure too.
    async fn read_session<S: EventSink>(
        &self,
        url: &Url,
        timeouts: SessionTimeouts,
        limits: SessionLimits,
        sink: &mut S,
    ) -> Result<ReadEnd, ReadError<S::Error>> {
        let (token, deadline) = (&self.cluster.token, limits.until);
        let request = SessionRequest { url, token, timeouts, deadline };
        let opened = tokio::select! {
            opened = open_session(self.net, &request, self.sessions) => {
                opened.map_err(ReadError::Open)?
            }
            () = self.stop.cancelled() => None,
        };
        let Some((mut session, _turn)) = opened else {
            return Ok(ReadEnd::NotOpened);
        };
        let end = self.pump(&mut session, limits, sink).await;
        // Where nobody said goodbye, the server may keep the token's place for a session that it
        // takes for alive.
        if let Ok(ReadEnd::Session(SessionEnd::Stalled | SessionEnd::Invalid(_))) | Err(_) = end {
            session.close().await;
        }
        match end {
            Ok(end) => Ok(end),
            Err(error) => {
                tokio::select! {
                    () = sink.drain_in_flight() => {}
                    () = grace_period_over(self.stop) => {}
                }
                Err(ReadError::Sink(error))
            }
        }
    }

    /// Moves events from the session to the sink. Where we end the session, the server gets a moment
    /// to send what it takes for sent: a live session's events are not sent again.
    async fn pump<S: EventSink>(
        &self,
        session: &mut Session,
        limits: SessionLimits,
        sink: &mut S,
    ) -> Result<ReadEnd, S::Error> {
        let stopped = self.stop.cancelled();
        let out_of_time = self.out_of_time(limits);
        tokio::pin!(stopped, out_of_time);
        let mut quiet = QuietTimer::new(limits.quiet);
        let own_end = loop {
            let has_capacity = sink.has_capacity();
            if !has_capacity && sink.is_out_of_time() {
                break ReadEnd::OutOfTime;
            }
            let next = async {
                if has_capacity {
                    session.next().await
                } else {
                    SessionItem::Ended(session.keep_alive().await)
                }
            };
            tokio::select! {
                biased;
                () = &mut stopped => break ReadEnd::Stopped,
                () = &mut out_of_time => break ReadEnd::OutOfTime,
                progressed = sink.make_progress() => {
                    progressed?;
                    if !has_capacity {
                        quiet.reset();
                    }
                }
                next = next => match next {
                    SessionItem::Event(event) => {
                        push_with_ready(event, session, sink).await?;
                        if sink.has_caught_up() {
                            break ReadEnd::CaughtUp;
                        }
                        quiet.reset();
                    }
                    SessionItem::Ended(end) => return Ok(ReadEnd::Session(end)),
                },
                () = quiet.elapsed(), if has_capacity => break ReadEnd::Quiet,
            }
        };
        session.begin_close().await;
        self.take_remaining(session, sink).await?;
        Ok(own_end)
    }

    /// Waits until the session's time is up, or that of its turn.
    async fn out_of_time(&self, limits: SessionLimits) {
        let turn_is_over = async {
            sleep(MIN_SHARED_TIME).await;
            let memory_is_waited_for = async {
                match self.place {
                    Some(place) => place.until_waited_for().await,
                    None => std::future::pending().await,
                }
            };
            tokio::select! {
                () = self.sessions.until_waited_for() => {}
                () = memory_is_waited_for => {}
            }
        };
        tokio::select! {
            () = sleep_until(limits.until) => {}
            () = turn_is_over, if limits.quiet.is_some() => {}
        }
    }

    /// Takes what was on its way when we said that we close.
    async fn take_remaining<S: EventSink>(
        &self,
        session: &mut Session,
        sink: &mut S,
    ) -> Result<(), S::Error> {
        let over = sleep(self.timeouts.close);
        tokio::pin!(over);
        loop {
            let has_capacity = sink.has_capacity();
            tokio::select! {
                biased;
                () = &mut over => return Ok(()),
                progressed = sink.make_progress() => progressed?,
                next = session.next(), if has_capacity => match next {
                    SessionItem::Event(event) => sink.push(event).await?,
                    SessionItem::Ended(_) => return Ok(()),
                },
            }
        }
    }
}

/// Pushes an event, and those that have come with it.
async fn push_with_ready<S: EventSink>(
    event: Bytes,
    session: &mut Session,
    sink: &mut S,
) -> Result<(), S::Error> {
    sink.push(event).await?;
    for _ in 1..MAX_AT_ONCE {
        if !sink.has_capacity() || sink.has_caught_up() {
            break;
        }
        let Some(event) = session.next_ready() else { break };
        sink.push(event).await?;
    }
    Ok(())
}

/// Measures for how long no event has come while events could be taken.
struct QuietTimer {
    limit: Option<Duration>,
    since: Instant,
}

impl QuietTimer {
    fn new(limit: Option<Duration>) -> QuietTimer {
        QuietTimer { limit, since: Instant::now() }
    }

    fn reset(&mut self) {
        // An archive session need not ask the clock for each event.
        if self.limit.is_some() {
            self.since = Instant::now();
        }
    }

    /// Waits until the limit is reached. Pending where there is none. Cancel-safe.
    async fn elapsed(&self) {
        match self.limit {
            Some(limit) => sleep_until(self.since + limit).await,
            None => std::future::pending().await,
        }
    }
}

/// Waits until the work in flight has had its time since `stop` was cancelled.
pub(super) async fn grace_period_over(stop: &CancellationToken) {
    stop.cancelled().await;
    sleep(GRACE_PERIOD).await;
}
