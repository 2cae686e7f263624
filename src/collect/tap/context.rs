//! What the parts of the work on one TAP account share.

use std::sync::Arc;

use jiff::Timestamp;
use proofpoint_sentinel_core::feed::Feed;
use proofpoint_sentinel_core::tap_kind::TapKind;
use tokio::time::Instant;

use crate::collect::delivery_context::DeliveryContext;
use crate::collect::evidence::Evidence;
use crate::collect::memory::Place;
use crate::collect::row_type::RowType;
use crate::collect::run::Run;
use crate::collect::services::Services;
use crate::lease_scope::LeaseScope;
use crate::settings::TapSettings;

/// What the parts of the work on one TAP account share in one run.
#[derive(Clone, Copy)]
pub(super) struct TapContext<'a> {
    pub(super) run: &'a Run,
    pub(super) services: &'a Services,
    pub(super) tap: &'a TapSettings,
    pub(super) feed: &'a Feed,
    pub(super) scope: &'a LeaseScope,
    pub(super) place: &'a Arc<Place>,
}

impl<'a> TapContext<'a> {
    pub(super) fn now(self) -> Timestamp {
        self.run.clock.now()
    }

    /// Whether the run may go on reading.
    pub(super) fn may_read(self) -> bool {
        !self.scope.is_halted() && Instant::now() < self.run.reading_ends
    }

    /// For rows of records of a kind.
    pub(super) fn delivery_context<'b>(
        self,
        kind: TapKind,
        evidence: &'b Arc<Evidence>,
    ) -> DeliveryContext<'b>
    where
        'a: 'b,
    {
        let rows = (self.feed, RowType::Tap(kind));
        self.services.delivery_context(self.run, rows, self.scope, evidence, self.place)
    }
}
