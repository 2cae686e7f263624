//! What the parts of the work on one feed share.

use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use proofpoint_sentinel_core::feed::{EventType, Feed};
use tokio::time::Instant;

use super::delivery_context::DeliveryContext;
use super::evidence::Evidence;
use super::memory::Place;
use super::row_type::RowType;
use super::run::Run;
use super::services::Services;
use super::session_reader::SessionReader;
use super::timing::Timing;
use crate::destination::Destination;
use crate::lease_scope::LeaseScope;
use crate::settings::{Cluster, Mode};
use crate::state::State;

/// What the parts of the work on one feed of the Log API share in one run.
#[derive(Clone, Copy)]
pub(super) struct FeedContext<'a> {
    pub(super) run: &'a Run,
    pub(super) services: &'a Services,
    pub(super) cluster: &'a Cluster,
    pub(super) event_type: EventType,
    /// The feed of that cluster and type.
    pub(super) feed: &'a Feed,
    pub(super) scope: &'a LeaseScope,
    pub(super) place: &'a Arc<Place>,
}

impl<'a> FeedContext<'a> {
    pub(super) fn run(self) -> &'a Run {
        self.run
    }

    pub(super) fn feed(self) -> &'a Feed {
        self.feed
    }

    pub(super) fn row_type(self) -> RowType {
        RowType::Log(self.event_type)
    }

    pub(super) fn scope(self) -> &'a LeaseScope {
        self.scope
    }

    pub(super) fn place(self) -> &'a Arc<Place> {
        self.place
    }

    pub(super) fn state(self) -> &'a State {
        self.services.state()
    }

    pub(super) fn mode(self) -> Mode {
        self.run.settings.source.mode
    }

    pub(super) fn timing(self) -> Timing {
        (&self.run.settings.source).into()
    }

    pub(super) fn now(self) -> Timestamp {
        self.run.clock.now()
    }

    /// How long the run may go on reading.
    pub(super) fn time_left(self) -> Duration {
        self.run.reading_ends.saturating_duration_since(Instant::now())
    }

    pub(super) fn destination(self) -> &'a Destination {
        self.services.destination()
    }

    pub(super) fn session_reader(self) -> SessionReader<'a> {
        let source = (self.cluster, self.event_type);
        self.services.session_reader(self.run, source, self.scope, self.place)
    }

    pub(super) fn delivery_context<'b>(self, evidence: &'b Arc<Evidence>) -> DeliveryContext<'b>
    where
        'a: 'b,
    {
        let rows = (self.feed, self.row_type());
        self.services.delivery_context(self.run, rows, self.scope, evidence, self.place)
    }
}
