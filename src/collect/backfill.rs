//! Chosen hours of a feed into the workspace, as a run would deliver them.

use std::sync::Arc;

use proofpoint_sentinel_core::feed::{EventType, Feed};
use proofpoint_sentinel_core::hour::Hour;

use super::delivery_error::DeliveryError;
use super::hour_report::HourReport;
use super::ledger::Ledger;
use super::pipeline::EventDelivery;
use super::row_type::RowType;
use super::run::Run;
use super::services::{RunError, Services};
use super::session_reader::ReadError;
use super::under_lease::under_lease;
use crate::error_code::{self, Coded, ErrorCode};
use crate::lease_scope::LeaseScope;
use crate::row::CollectedBy;
use crate::settings::Cluster;
use crate::state::StateError;

/// The hours could not be read and delivered.
#[derive(Debug, thiserror::Error)]
pub enum BackfillError {
    /// Nothing could begin.
    #[error(transparent)]
    Run(#[from] RunError),
    /// The feed's lease can't be taken.
    #[error("{0}")]
    State(#[from] StateError),
    /// The lease went away while hours were read.
    #[error("the feed's lease was lost: a run of the Function App may have it")]
    LeaseLost,
    /// An hour could not be read or delivered.
    #[error("{0}")]
    Read(#[from] ReadError<DeliveryError>),
}

impl Coded for BackfillError {
    fn code(&self) -> ErrorCode {
        match self {
            BackfillError::Run(error) => error.code(),
            BackfillError::State(error) => error.code(),
            BackfillError::LeaseLost => error_code::LEASE_LOST,
            BackfillError::Read(error) => error.code(),
        }
    }
}

/// Which events of an hour are delivered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Deliver {
    /// Those that the ledger does not know.
    Missing,
    /// All of them, each once, whatever the ledger knows: for rows that the workspace has lost.
    Everything,
}

/// Reads `hours` one after the other and hands each report to `done`. Ends early, without an
/// error, after a report that [was interrupted](HourReport::was_interrupted).
///
/// The feed's lease is held meanwhile, so that no run of the Function App reads it at the same
/// time; its checkpoint is not touched.
///
/// # Errors
/// Rows that were delivered before the error stay delivered; the hour of the error is the one
/// after the last report.
pub async fn backfill(
    run: &Run,
    cluster: &Cluster,
    event_type: EventType,
    hours: impl IntoIterator<Item = Hour>,
    deliver: Deliver,
    mut done: impl FnMut(&HourReport),
) -> Result<(), BackfillError> {
    let services = Services::open(run).await?;
    let feed = &Feed::log(&cluster.id, event_type);
    let scope = LeaseScope::new(&run.stop, run.posting_ends);
    let place = services.place();
    // On the heap: a future of this size is too much for the stack of a thread.
    let work = Box::pin(async {
        place.enter(None).await;
        let reader = services.session_reader(run, (cluster, event_type), &scope, &place);
        let state = services.state().clone();
        let evidence = Arc::default();
        let mut ledger = match deliver {
            Deliver::Missing => Ledger::new(state, feed.clone(), place.clone()),
            Deliver::Everything => Ledger::forgetful(state, feed.clone(), place.clone()),
        };
        let rows = (feed, RowType::Log(event_type));
        for hour in hours {
            ledger.keep_recent(2);
            ledger.begin_reading(hour);
            let ctx = services.delivery_context(run, rows, &scope, &evidence, &place);
            let by = CollectedBy::Backfill;
            let mut delivery = EventDelivery::archive(hour, by, &mut ledger, ctx);
            let end = reader.read_hour(hour, &mut delivery).await?;
            let report = HourReport { hour, end, counts: delivery.counts().clone() };
            done(&report);
            if report.was_interrupted() {
                break;
            }
        }
        Ok::<_, BackfillError>(())
    });
    under_lease(services.state(), feed, &scope, BackfillError::LeaseLost, work).await
}
