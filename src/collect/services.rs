//! What all feeds of a run share.

use std::collections::BTreeMap;
use std::sync::Arc;

use proofpoint_sentinel_core::feed::{EventType, Feed};

use super::delivery_context::DeliveryContext;
use super::evidence::Evidence;
use super::memory::{MemoryPool, Place};
use super::row_type::RowType;
use super::run::Run;
use super::session_reader::SessionReader;
use crate::destination::{Destination, DestinationError};
use crate::error_code::{Coded, ErrorCode};
use crate::lease_scope::LeaseScope;
use crate::net::{Net, NetError};
use crate::pod::ClusterSessions;
use crate::settings::{Cluster, TapAccount, TapSettings};
use crate::state::{State, StateError};
use crate::tap::{AskError, TapClient};

/// The run could not begin.
#[derive(Debug, thiserror::Error)]
pub enum RunError {
    /// TLS or HTTP can't be set up.
    #[error(transparent)]
    Net(#[from] NetError),
    /// The state can't be opened.
    #[error(transparent)]
    State(#[from] StateError),
    /// The destination's settings can't be used.
    #[error(transparent)]
    Destination(#[from] DestinationError),
}

impl Coded for RunError {
    fn code(&self) -> ErrorCode {
        match self {
            RunError::Net(error) => error.code(),
            RunError::State(error) => error.code(),
            RunError::Destination(error) => error.code(),
        }
    }
}

/// What all feeds of a run share: connections, the state and the destination.
pub(super) struct Services {
    net: Net,
    /// By the cluster's id.
    sessions: BTreeMap<String, Arc<ClusterSessions>>,
    memory: MemoryPool,
    state: State,
    destination: Destination,
}

impl Services {
    /// Opens them by the settings of `run`.
    pub(super) async fn open(run: &Run) -> Result<Services, RunError> {
        let net = Net::of(&run.settings.source.net)?;
        let destination = Destination::new(&run.settings.destination, &net, run.clock.clone())?;
        let state = State::open(&run.settings.state, &net).await?;
        let clusters = run.settings.source.clusters.iter();
        let sessions = clusters
            .map(|cluster| (cluster.id.clone(), run.sessions.of_cluster(&cluster.id)))
            .collect();
        let state = state.with_lease_times(run.lease_times);
        let memory = run.memory.clone();
        Ok(Services { net, sessions, memory, state, destination })
    }

    pub(super) fn state(&self) -> &State {
        &self.state
    }

    pub(super) fn destination(&self) -> &Destination {
        &self.destination
    }

    /// A place for the work on a feed.
    pub(super) fn place(&self) -> Arc<Place> {
        self.memory.place()
    }

    /// Reads sessions of an event type of `cluster` until `scope` halts.
    pub(super) fn session_reader<'a>(
        &'a self,
        run: &'a Run,
        (cluster, event_type): (&'a Cluster, EventType),
        scope: &'a LeaseScope,
        place: &'a Place,
    ) -> SessionReader<'a> {
        SessionReader {
            net: &self.net,
            log_stream_uri: &run.settings.source.log_stream_uri,
            cluster,
            sessions: &self.sessions[&cluster.id],
            place: Some(place),
            event_type,
            timeouts: run.timeouts,
            stop: scope.halt_token(),
            reading_ends: run.reading_ends,
        }
    }

    /// Asks the SIEM API with the credential of `account`.
    ///
    /// # Errors
    /// If the credential can't be sent.
    pub(super) fn tap_client(
        &self,
        tap: &TapSettings,
        account: &TapAccount,
    ) -> Result<TapClient, AskError> {
        let TapAccount { principal, secret, .. } = account;
        TapClient::new(self.net.http.clone(), &tap.base_uri, principal, secret)
    }

    /// What deliveries of rows of a feed within `scope` share.
    pub(super) fn delivery_context<'a>(
        &'a self,
        run: &'a Run,
        (feed, row_type): (&'a Feed, RowType),
        scope: &'a LeaseScope,
        evidence: &'a Arc<Evidence>,
        place: &'a Arc<Place>,
    ) -> DeliveryContext<'a> {
        DeliveryContext {
            feed,
            row_type,
            settings: &run.settings,
            destination: &self.destination,
            state: &self.state,
            clock: &run.clock,
            counters: &run.counters,
            writer: &run.id,
            scope,
            evidence,
            place,
        }
    }
}
