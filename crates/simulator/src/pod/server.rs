//! Serves connections: TLS, the request, a slot, the session.

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

use crate::certificates::CertificateAuthority;
use crate::watch_cell::WatchCell;

use super::connection::Connection;
use super::counters::{PodCounters, update_feed};
use super::event_source::{Events, Position};
use super::fault_queues::FaultQueues;
use super::live_positions::LivePositions;
use super::refused_handshake::RefusedHandshake;
use super::request::{self, SessionRequest, SessionWindow};
use super::session::{Session, SessionOutcome, Socket};
use super::session_events::{EventOrigin, SessionEvents};
use super::session_fault::SessionFault;
use super::session_slots::{SessionSlot, SessionSlots, SlotKey};
use super::settings::PodSettings;

/// The longest request head.
const MAX_HEAD_BYTES: usize = 16 * 1024;

/// The state that all connections share.
pub(super) struct PodServer {
    settings: PodSettings,
    acceptor: TlsAcceptor,
    slots: SessionSlots,
    live_positions: LivePositions,
    pub fault_queues: FaultQueues,
    /// How many of the next connections to reset before TLS.
    pub resets: AtomicU64,
    pub counters: Arc<WatchCell<PodCounters>>,
}

/// A request that gets a session.
struct Admitted {
    request: SessionRequest,
    slot: SessionSlot,
    fault: Option<SessionFault>,
    response: Vec<u8>,
}

/// Accepts and serves connections.
pub(super) async fn serve(listener: TcpListener, server: Arc<PodServer>) {
    let mut connections = JoinSet::new();
    loop {
        tokio::select! {
            accepted = listener.accept() => {
                if let Ok((tcp, _)) = accepted {
                    // Errors of a connection are for its client to notice.
                    connections.spawn(Arc::clone(&server).connection(tcp));
                }
            }
            Some(_) = connections.join_next() => {}
        }
    }
}

impl PodServer {
    pub(super) fn new(authority: &CertificateAuthority, settings: PodSettings) -> PodServer {
        PodServer {
            settings,
            acceptor: TlsAcceptor::from(authority.server_config()),
            slots: SessionSlots::default(),
            live_positions: LivePositions::default(),
            fault_queues: FaultQueues::default(),
            resets: AtomicU64::new(0),
            counters: Arc::new(WatchCell::new(PodCounters::default())),
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
                let connection = Connection::new(tls, admitted.fault.as_ref());
                let socket =
                    WebSocketStream::from_partially_read(connection, rest, Role::Server, None)
                        .await;
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

    /// Gives the request a slot, or refuses it.
    fn admit(&self, request: &Request) -> Result<Admitted, RefusedHandshake> {
        let now = self.settings.clock.now();
        let oldest = now - self.settings.retention;
        let checked = request::check(request, &self.settings.clusters, oldest)?;
        let mut response = Vec::new();
        create_response(request)
            .and_then(|accepted| write_response(&mut response, &accepted))
            .map_err(|error| RefusedHandshake::new(400, &error.to_string()))?;
        let head = String::from_utf8(response).expect("an answer to a handshake is ASCII");
        let response = (self.settings.change_head)(head).into_bytes();
        let refused = |refusal| {
            update_feed(&self.counters, &checked.feed, |counters| counters.refused += 1);
            Err(refusal)
        };
        let one_in_all = self.settings.one_session_per_token;
        let slot = self.slots.take(
            &checked.token,
            checked.feed.event_type().expect("a feed of the Log API"),
            one_in_all,
        );
        let Some(slot) = slot else {
            return refused(RefusedHandshake::second_session());
        };
        match self.fault_queues.take(&checked.feed, checked.window) {
            Some(SessionFault::Refuse(refusal)) => refused(refusal),
            fault => Ok(Admitted { request: checked, slot, fault, response }),
        }
    }

    async fn session(&self, admitted: Admitted, socket: Socket) {
        let Admitted { request: SessionRequest { feed, window, .. }, mut slot, fault, .. } =
            admitted;
        update_feed(&self.counters, &feed, |counters| {
            counters.opened += 1;
            match window {
                SessionWindow::Live => {
                    counters.live_opened += 1;
                    counters.live_open += 1;
                }
                SessionWindow::Archive(..) => counters.archive_opened += 1,
            }
            counters.open += 1;
            counters.most_open = counters.most_open.max(counters.open);
        });
        let (origin, position) = self.origin(&feed, window, slot.key());
        let events = SessionEvents::new(origin, fault.as_ref());
        let events_per_second = self.settings.events_per_second;
        let counters = Arc::clone(&self.counters);
        let mut session = Session { feed, fault, events, position, events_per_second, counters };
        let ended = session.run(socket).await;
        if let Some(position) = session.position {
            self.live_positions.save(slot.key(), position, self.settings.clock.now());
        }
        if ended == SessionOutcome::Dropped {
            slot.release_after(self.settings.slot_release_delay);
        }
        // The slot first, so that a client that waits for the counters can reconnect at once.
        drop(slot);
        update_feed(&self.counters, &session.feed, |counters| {
            counters.open -= 1;
            counters.live_open -= u64::from(window == SessionWindow::Live);
            match ended {
                SessionOutcome::Closed => counters.closed += 1,
                SessionOutcome::Dropped => counters.dropped += 1,
            }
        });
    }

    /// The origin of a session's events, and the start position of a live session.
    fn origin(
        &self,
        feed: &Feed,
        window: SessionWindow,
        key: &SlotKey,
    ) -> (EventOrigin, Option<Position>) {
        let PodSettings { clock, source, .. } = &self.settings;
        match window {
            SessionWindow::Live => {
                let start = self.live_positions.resume(key, clock.now());
                (EventOrigin::Live(source.arrivals(feed, start), clock.clone()), Some(start))
            }
            SessionWindow::Archive(first, last) => {
                (EventOrigin::Archive(self.archived(feed.clone(), first, last)), None)
            }
        }
    }

    /// The events of the hours that are in the archive.
    fn archived(&self, feed: Feed, first: Hour, last: Hour) -> Events {
        let source = Arc::clone(&self.settings.source);
        let cutoff = self.settings.clock.now() - self.settings.archive_delay;
        Box::new(
            first
                .through(last)
                .filter(move |hour| hour.end() <= cutoff)
                .flat_map(move |hour| source.archived(&feed, hour, cutoff)),
        )
    }
}

/// Reads the request up to its empty line. Returns it with the bytes after that line.
async fn read_head(
    tls: &mut TlsStream<TcpStream>,
) -> io::Result<Result<(Request, Vec<u8>), RefusedHandshake>> {
    let mut bytes = BytesMut::new();
    while bytes.len() < MAX_HEAD_BYTES {
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
