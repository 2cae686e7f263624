//! A stand-in for the Log API of Proofpoint on Demand: TLS, WebSockets, the archive's rules and
//! its ways to fail.
//!
//! It refuses what the real one refuses, with the same status codes, and keeps one session for
//! each token and event type. Live sessions (without times) are answered with 501.

mod counters;
mod fault;
mod frames;
mod refusal;
mod request;
mod session;
mod slots;
mod source;
mod times;

use std::collections::{HashMap, VecDeque};
use std::io;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use bytes::BytesMut;
use jiff::SignedDuration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::server::TlsStream;
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::error::{Error, ProtocolError};
use tokio_tungstenite::tungstenite::handshake::machine::TryParse;
use tokio_tungstenite::tungstenite::handshake::server::{Request, create_response, write_response};
use tokio_tungstenite::tungstenite::protocol::Role;
use tokio_util::task::AbortOnDropHandle;
use url::Url;

use crate::clock::Clock;
use crate::feed::Feed;
use crate::secret::Secret;

use super::certificates::Authority;
use super::watched::Watched;

pub use counters::{FeedCounters, PodCounters};
pub use fault::Fault;
pub use refusal::Refusal;
pub use source::{EventSource, GeneratedEvents, GivenEvents, Volume};

use request::Wanted;
use session::{Ended, Session, update};
use slots::{Slot, Slots};

/// The longest request head that is read.
const HEAD_BYTES: usize = 16 * 1024;

/// A cluster that the simulated Log API knows.
#[derive(Clone, Debug)]
pub struct PodCluster {
    /// The cluster id.
    pub id: String,
    /// The token that opens its log.
    pub token: Secret,
}

/// How the simulated Log API behaves.
#[derive(Clone)]
pub struct PodSettings {
    /// Decides which hours are over and how old a window is.
    pub clock: Clock,
    /// Who may ask.
    pub clusters: Vec<PodCluster>,
    /// Where events come from.
    pub source: Arc<dyn EventSource>,
    /// How long after its end an hour's events are in the archive. Before that it is empty.
    pub settle: SignedDuration,
    /// How long the slot of a session that was dropped without a close frame stays taken.
    pub ghost: Duration,
    /// Events in a second that a session sends at most.
    pub pace: Option<u32>,
}

impl PodSettings {
    /// An archive that fills half an hour late, without ghosts and as fast as it goes.
    pub fn new(clock: Clock, clusters: Vec<PodCluster>, source: Arc<dyn EventSource>) -> Self {
        let settle = SignedDuration::from_mins(30);
        PodSettings { clock, clusters, source, settle, ghost: Duration::ZERO, pace: None }
    }
}

/// The simulated Log API. Everything of it ends when this is dropped.
pub struct Pod {
    port: u16,
    shared: Arc<Shared>,
    _task: AbortOnDropHandle<()>,
}

struct Shared {
    settings: PodSettings,
    acceptor: TlsAcceptor,
    slots: Slots,
    faults: Mutex<HashMap<Feed, VecDeque<Fault>>>,
    counters: Arc<Watched<PodCounters>>,
}

impl Pod {
    /// Starts to listen on a free port of the loopback interface.
    ///
    /// # Errors
    /// Where no port can be had.
    pub async fn start(authority: &Authority, settings: PodSettings) -> io::Result<Pod> {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await?;
        let port = listener.local_addr()?.port();
        let shared = Arc::new(Shared {
            settings,
            acceptor: TlsAcceptor::from(authority.server_config()),
            slots: Slots::default(),
            faults: Mutex::default(),
            counters: Arc::new(Watched::new(PodCounters::default())),
        });
        let task = tokio::spawn(serve(listener, Arc::clone(&shared)));
        Ok(Pod { port, shared, _task: AbortOnDropHandle::new(task) })
    }

    /// `wss://localhost:<port>`.
    pub fn uri(&self) -> Url {
        let text = format!("wss://localhost:{}", self.port);
        text.parse().expect("a host and a port make a URL")
    }

    /// Appends to what the next sessions of `feed` do wrong. Each fault serves one session; after
    /// the last of them sessions are sound again.
    pub fn script(&self, feed: &Feed, faults: impl IntoIterator<Item = Fault>) {
        self.shared.faults().entry(feed.clone()).or_default().extend(faults);
    }

    /// What has happened so far.
    pub fn counters(&self) -> PodCounters {
        self.shared.counters.get()
    }

    /// Waits until the counters are as `wanted`.
    pub async fn wait_for(&self, wanted: impl FnMut(&PodCounters) -> bool) -> PodCounters {
        self.shared.counters.wait_for(wanted).await
    }
}

async fn serve(listener: TcpListener, shared: Arc<Shared>) {
    let mut connections = JoinSet::new();
    loop {
        tokio::select! {
            accepted = listener.accept() => {
                if let Ok((tcp, _)) = accepted {
                    // A connection that breaks is the client's to notice.
                    connections.spawn(Arc::clone(&shared).connection(tcp));
                }
            }
            Some(_) = connections.join_next() => {}
        }
    }
}

impl Shared {
    fn faults(&self) -> std::sync::MutexGuard<'_, HashMap<Feed, VecDeque<Fault>>> {
        self.faults.lock().expect("no holder of the faults panics")
    }

    async fn connection(self: Arc<Self>, tcp: TcpStream) -> io::Result<()> {
        tcp.set_nodelay(true)?;
        let mut tls = self.acceptor.accept(tcp).await?;
        let admitted = match read_head(&mut tls).await? {
            Ok((request, rest)) => self.admit(&request).map(|admitted| (admitted, rest)),
            Err(refusal) => Err(refusal),
        };
        match admitted {
            Ok(((wanted, slot, fault, response), rest)) => {
                tls.write_all(&response).await?;
                let socket =
                    WebSocketStream::from_partially_read(tls, rest, Role::Server, None).await;
                self.session(wanted, slot, fault, socket).await;
                Ok(())
            }
            Err(refusal) => {
                self.counters.update(|all| *all.refused.entry(refusal.status).or_default() += 1);
                tls.write_all(&refusal.to_http()).await?;
                tls.shutdown().await
            }
        }
    }

    /// Gives the request a slot, or says why there is none.
    fn admit(&self, request: &Request) -> Result<(Wanted, Slot, Option<Fault>, Vec<u8>), Refusal> {
        let now = self.settings.clock.now();
        let wanted = request::check(request, &self.settings.clusters, now)?;
        let mut response = Vec::new();
        create_response(request)
            .and_then(|accepted| write_response(&mut response, &accepted))
            .map_err(|error| Refusal::new(400, &error.to_string()))?;
        let refused = |refusal| {
            update(&self.counters, &wanted.feed, |counters| counters.refused += 1);
            Err(refusal)
        };
        let Some(slot) = self.slots.take(&wanted.token, wanted.feed.event_type) else {
            return refused(Refusal::second_session());
        };
        let fault = self.faults().get_mut(&wanted.feed).and_then(VecDeque::pop_front);
        match fault {
            Some(Fault::Refuse(refusal)) => refused(refusal),
            fault => Ok((wanted, slot, fault, response)),
        }
    }

    async fn session(
        &self,
        wanted: Wanted,
        mut slot: Slot,
        fault: Option<Fault>,
        socket: WebSocketStream<TlsStream<TcpStream>>,
    ) {
        let feed = wanted.feed.clone();
        update(&self.counters, &feed, |counters| {
            counters.opened += 1;
            counters.open += 1;
            counters.most_open = counters.most_open.max(counters.open);
        });
        let session = Session {
            feed: wanted.feed.clone(),
            fault,
            events: self.archived(wanted),
            pace: self.settings.pace,
            counters: Arc::clone(&self.counters),
        };
        let ended = session.run(socket).await;
        if ended == Ended::Dropped {
            slot.leave_ghost(self.settings.ghost);
        }
        // First the slot, so that who waits for the count may come back at once.
        drop(slot);
        update(&self.counters, &feed, |counters| {
            counters.open -= 1;
            match ended {
                Ended::Closed => counters.closed += 1,
                Ended::Dropped => counters.dropped += 1,
            }
        });
    }

    /// The events of the window's hours that have settled.
    fn archived(&self, wanted: Wanted) -> frames::Events {
        let source = Arc::clone(&self.settings.source);
        let settled = self.settings.clock.now() - self.settings.settle;
        let (first, last) = wanted.hours;
        Box::new(
            first
                .through(last)
                .filter(move |hour| hour.end() <= settled)
                .flat_map(move |hour| source.events(&wanted.feed, hour)),
        )
    }
}

/// Reads the request up to its empty line; what came after that is returned as well.
async fn read_head(
    tls: &mut TlsStream<TcpStream>,
) -> io::Result<Result<(Request, Vec<u8>), Refusal>> {
    let mut bytes = BytesMut::new();
    while bytes.len() < HEAD_BYTES {
        if tls.read_buf(&mut bytes).await? == 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        match Request::try_parse(&bytes) {
            Ok(None) => {}
            Ok(Some((head, request))) => return Ok(Ok((request, bytes[head..].to_vec()))),
            Err(Error::Protocol(ProtocolError::WrongHttpMethod)) => {
                return Ok(Err(Refusal::new(405, "Method Not Allowed")));
            }
            Err(error) => return Ok(Err(Refusal::new(400, &error.to_string()))),
        }
    }
    Ok(Err(Refusal::new(400, "The request's head is too long")))
}

#[cfg(test)]
mod tests;
