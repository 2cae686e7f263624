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
use super::told_hours::state_of;
use super::under_lease::under_lease;
use super::waiting_rows::change_waiting_rows;
use crate::error_code::{self, Coded, ErrorCode};
use crate::lease_scope::LeaseScope;
use crate::row::CollectedBy;
use crate::settings::{Cluster, ConnectorTable};
use crate::state::{Arrival, Completeness, HourRow, State, StateError, add_hour_row};

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
/// time. What its checkpoint says is done or due stays as it is. What became of the hours waits there
/// for the connector's table, which the app's next run tells.
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
            let by = (CollectedBy::Backfill, Arrival::Late);
            let mut delivery = EventDelivery::archive(hour, by, &mut ledger, ctx);
            let end = reader.read_hour(hour, &mut delivery).await?;
            let report = HourReport { hour, end, counts: delivery.counts().clone() };
            done(&report);
            if let Err(error) = tell_hour(services.state(), run, feed, &report, &mut ledger).await {
                tracing::info!(%hour, %error, "the connector's table is not told of the hour");
            }
            if report.was_interrupted() {
                break;
            }
        }
        Ok::<_, BackfillError>(())
    });
    under_lease(services.state(), feed, &scope, BackfillError::LeaseLost, work).await
}

/// Puts in line for the connector's table what the reading made of its hour. Without a checkpoint no run
/// of the app has the feed, and nobody would tell. One of an earlier release stays as it is: the app could
/// not read another.
async fn tell_hour(
    state: &State,
    run: &Run,
    feed: &Feed,
    report: &HourReport,
    ledger: &mut Ledger,
) -> Result<(), StateError> {
    let hour = report.hour;
    let is_off = run.settings.connector_table == ConnectorTable::Off;
    if is_off || !state.has_current_checkpoint(feed).await? {
        return Ok(());
    }
    let Some((checkpoint, _)) = state.read_checkpoint(feed).await? else { return Ok(()) };
    // A ledger that was not asked knows only this reading.
    let recorded = state.read_ledger(feed, hour).await?;
    let missing =
        ledger.missing(hour).await? + recorded.ids.len().saturating_sub(ledger.known(hour).await?);
    let is_proof = report.is_complete() && report.counts.events > 0 && missing == 0;
    let known = state_of(&checkpoint, hour).map(|known| known.completeness);
    let row = HourRow {
        hour,
        at: run.clock.now(),
        run: run.id.clone(),
        completeness: match known {
            _ if is_proof => Completeness::Proved,
            Some(known) => known,
            None => Completeness::Unknown,
        },
        attempts: None,
        counts: recorded.counts,
        repeated: ledger.tally(hour).await?.repeated,
    };
    change_waiting_rows(state, run, feed, |waiting| add_hour_row(waiting, row)).await
}
