//! What becomes of a connection: TLS, the request, a slot, the session.

use std::io;
use std::sync::Arc;
use std::sync::atomic::AtomicU64;
use std::sync::atomic::Ordering::Relaxed;

use bytes::BytesMut;
use proofpoint_sentinel_core::feed::Feed;
use proofpoint_sentinel_core::hour::Hour;
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

use crate::certificates::Authority;
use crate::watched::Watched;

use super::positions::Positions;
use super::request::{self, Wanted, Window};
use super::scripts::Scripts;
use super::session::{Ended, Session, Socket, update};
use super::slots::{Key, Slot, Slots};
use super::source::{Events, Position};
use super::supply::{Origin, Supply};
use super::wire::Wire;
use super::{PodCounters, PodSettings, RefusedHandshake, SessionFault};

/// The longest request head that is read.
const HEAD_BYTES: usize = 16 * 1024;

/// What all connections share.
pub(super) struct Shared {
    settings: PodSettings,
    acceptor: TlsAcceptor,
    slots: Slots,
    positions: Positions,
    pub scripts: Scripts,
    /// How many connections are still to be reset before TLS.
    pub resets: AtomicU64,
    pub counters: Arc<Watched<PodCounters>>,
}

/// A request that has its session.
struct Admitted {
    wanted: Wanted,
    slot: Slot,
    fault: Option<SessionFault>,
    response: Vec<u8>,
}

/// Serves whoever connects.
pub(super) async fn serve(listener: TcpListener, shared: Arc<Shared>) {
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
    pub(super) fn new(authority: &Authority, settings: PodSettings) -> Shared {
        Shared {
            settings,
            acceptor: TlsAcceptor::from(authority.server_config()),
            slots: Slots::default(),
            positions: Positions::default(),
            scripts: Scripts::default(),
            resets: AtomicU64::new(0),
            counters: Arc::new(Watched::new(PodCounters::default())),
        }
    }

    async fn connection(self: Arc<Self>, tcp: TcpStream) -> io::Result<()> {
        if self.resets.fetch_update(Relaxed, Relaxed, |left| left.checked_sub(1)).is_ok() {
            self.counters.update(|all| all.resets += 1);
            return tcp.set_zero_linger();
        }
        tcp.set_nodelay(true)?;
        let mut tls = self.acceptor.accept(tcp).await?;
        let admitted = match read_head(&mut tls).await? {
            Ok((request, rest)) => self.admit(&request).map(|admitted| (admitted, rest)),
            Err(refusal) => Err(refusal),
        };
        match admitted {
            Ok((admitted, rest)) => {
                tls.write_all(&admitted.response).await?;
                let wire = Wire::new(tls, admitted.fault.as_ref());
                let socket =
                    WebSocketStream::from_partially_read(wire, rest, Role::Server, None).await;
                self.session(admitted, socket).await;
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
    fn admit(&self, request: &Request) -> Result<Admitted, RefusedHandshake> {
        let now = self.settings.clock.now();
        let wanted = request::check(request, &self.settings.clusters, now)?;
        let mut response = Vec::new();
        create_response(request)
            .and_then(|accepted| write_response(&mut response, &accepted))
            .map_err(|error| RefusedHandshake::new(400, &error.to_string()))?;
        let refused = |refusal| {
            update(&self.counters, &wanted.feed, |counters| counters.refused += 1);
            Err(refusal)
        };
        let Some(slot) = self.slots.take(&wanted.token, wanted.feed.event_type) else {
            return refused(RefusedHandshake::second_session());
        };
        match self.scripts.take(&wanted.feed, wanted.window) {
            Some(SessionFault::Refuse(refusal)) => refused(refusal),
            fault => Ok(Admitted { wanted, slot, fault, response }),
        }
    }

    async fn session(&self, admitted: Admitted, socket: Socket) {
        let Admitted { wanted: Wanted { feed, window, .. }, mut slot, fault, .. } = admitted;
        update(&self.counters, &feed, |counters| {
            counters.opened += 1;
            match window {
                Window::Live => counters.live_opened += 1,
                Window::Archive(..) => counters.archive_opened += 1,
            }
            counters.open += 1;
            counters.most_open = counters.most_open.max(counters.open);
        });
        let (origin, position) = self.origin(&feed, window, slot.key());
        let supply = Supply::new(origin, fault.as_ref());
        let (pace, counters) = (self.settings.pace, Arc::clone(&self.counters));
        let mut session = Session { feed, fault, supply, position, pace, counters };
        let ended = session.run(socket).await;
        if let Some(position) = session.position {
            self.positions.leave(slot.key(), position, self.settings.clock.now());
        }
        if ended == Ended::Dropped {
            slot.leave_ghost(self.settings.ghost);
        }
        // First the slot, so that who waits for the count may come back at once.
        drop(slot);
        update(&self.counters, &session.feed, |counters| {
            counters.open -= 1;
            match ended {
                Ended::Closed => counters.closed += 1,
                Ended::Dropped => counters.dropped += 1,
            }
        });
    }

    /// Where a session's events come from, and where a live feed is before it.
    fn origin(&self, feed: &Feed, window: Window, key: &Key) -> (Origin, Option<Position>) {
        let PodSettings { clock, source, .. } = &self.settings;
        match window {
            Window::Live => {
                let start = self.positions.resume(key, clock.now());
                (Origin::Live(source.arrivals(feed, start), clock.clone()), Some(start))
            }
            Window::Archive(first, last) => {
                (Origin::Archive(self.archived(feed.clone(), first, last)), None)
            }
        }
    }

    /// The events of the hours that have settled.
    fn archived(&self, feed: Feed, first: Hour, last: Hour) -> Events {
        let source = Arc::clone(&self.settings.source);
        let settled = self.settings.clock.now() - self.settings.settle;
        Box::new(
            first
                .through(last)
                .filter(move |hour| hour.end() <= settled)
                .flat_map(move |hour| source.archived(&feed, hour, settled)),
        )
    }
}

/// Reads the request up to its empty line; what came after that is returned as well.
async fn read_head(
    tls: &mut TlsStream<TcpStream>,
) -> io::Result<Result<(Request, Vec<u8>), RefusedHandshake>> {
    let mut bytes = BytesMut::new();
    while bytes.len() < HEAD_BYTES {
        if tls.read_buf(&mut bytes).await? == 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        match Request::try_parse(&bytes) {
            Ok(None) => {}
            Ok(Some((head, request))) => return Ok(Ok((request, bytes[head..].to_vec()))),
            Err(Error::Protocol(ProtocolError::WrongHttpMethod)) => {
                return Ok(Err(RefusedHandshake::new(405, "Method Not Allowed")));
            }
            Err(error) => return Ok(Err(RefusedHandshake::new(400, &error.to_string()))),
        }
    }
    Ok(Err(RefusedHandshake::new(400, "The request's head is too long")))
}
