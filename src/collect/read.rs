//! An hour's events out of a session into a sink, until the session or something else ends.

use std::fmt;
use std::future::Future;
use std::time::Duration;

use bytes::Bytes;
use tokio::time::{Instant, sleep, sleep_until};
use tokio_util::sync::CancellationToken;
use url::Url;

use crate::feed::Feed;
use crate::hour::Hour;
use crate::net::Net;
use crate::pod::{End, Next, OpenError, Opening, Patience, Session, archive_url, open};
use crate::settings::Cluster;

/// Takes events, at its own pace.
pub trait Sink {
    /// Why it can't take more.
    type Error;

    /// Whether the next event can be taken without waiting for [`settle`](Self::settle).
    fn has_room(&self) -> bool;

    /// Waits until one of the pieces of work under way is finished, and accounts for it; pending
    /// where there is none. Cancel-safe.
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
    Session(End),
    /// The program was told to stop.
    Stopped,
    /// The run's time was up.
    OutOfTime,
}

impl fmt::Display for ReadEnd {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            ReadEnd::Session(end) => end.fmt(f),
            ReadEnd::Stopped => f.write_str("stopped"),
            ReadEnd::OutOfTime => f.write_str("out of time"),
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
    Sink(E),
    /// The program was told to stop, and what was under way took too long.
    #[error("told to stop while events were under way; they are read again")]
    Abandoned,
}

/// Reads hours of one feed from the archive.
#[derive(Clone, Copy)]
pub struct HourReader<'a> {
    /// Connections.
    pub net: &'a Net,
    /// Base of the Log API.
    pub log_stream_uri: &'a Url,
    /// The feed's cluster, for its token.
    pub cluster: &'a Cluster,
    /// What to read.
    pub feed: &'a Feed,
    /// Time limits of sessions.
    pub patience: Patience,
    /// Ends a reading early, within some seconds.
    pub stop: &'a CancellationToken,
    /// No more is read after this.
    pub reading_ends: Instant,
}

impl HourReader<'_> {
    /// Reads one hour into `sink`. On success every event that was read is accounted for.
    ///
    /// A session that did not end by itself is closed in good order, on failure too, and so is one
    /// that stalled.
    pub async fn read<S: Sink>(
        &self,
        hour: Hour,
        sink: &mut S,
    ) -> Result<ReadEnd, ReadError<S::Error>> {
        let url = archive_url(self.log_stream_uri, self.feed, hour);
        let opening = Opening {
            url: &url,
            token: &self.cluster.token,
            patience: self.patience,
            deadline: self.reading_ends,
        };
        let mut session = tokio::select! {
            session = open(self.net, &opening) => session.map_err(ReadError::Open)?,
            () = self.stop.cancelled() => return Ok(ReadEnd::Stopped),
        };
        let end = self.pump(&mut session, sink).await;
        // Where nobody said goodbye, the server may keep the token's place for a session that it
        // takes for alive.
        if !matches!(end, Ok(ReadEnd::Session(End::Closed(_) | End::Cut))) {
            session.close().await;
        }
        let end = match end {
            Ok(end) => end,
            Err(error) => {
                tokio::select! {
                    () = sink.wind_down() => {}
                    () = long_after(self.stop) => {}
                }
                return Err(ReadError::Sink(error));
            }
        };
        tokio::select! {
            finished = sink.finish() => finished.map_err(ReadError::Sink)?,
            () = long_after(self.stop) => return Err(ReadError::Abandoned),
        }
        Ok(end)
    }

    async fn pump<S: Sink>(
        &self,
        session: &mut Session,
        sink: &mut S,
    ) -> Result<ReadEnd, S::Error> {
        let stopped = self.stop.cancelled();
        let out_of_time = sleep_until(self.reading_ends);
        tokio::pin!(stopped, out_of_time);
        loop {
            let has_room = sink.has_room();
            let next = async {
                if has_room {
                    session.next().await
                } else {
                    Next::Ended(session.keep_alive().await)
                }
            };
            tokio::select! {
                biased;
                () = &mut stopped => return Ok(ReadEnd::Stopped),
                () = &mut out_of_time => return Ok(ReadEnd::OutOfTime),
                settled = sink.settle() => settled?,
                next = next => match next {
                    Next::Event(event) => sink.take(event).await?,
                    Next::Ended(end) => return Ok(ReadEnd::Session(end)),
                },
            }
        }
    }
}

/// Waits until the work under way has had its time since the program was told to stop.
pub(super) async fn long_after(stop: &CancellationToken) {
    stop.cancelled().await;
    sleep(WIND_DOWN).await;
}
