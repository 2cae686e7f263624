//! One run: every feed's events, from the Log API to the workspace.
//!
//! The way of an event:
//! 1. [`run()`] works on all feeds side by side (`feeds`), each under its lease (`feed`).
//! 2. `live` drains the live stream, and `archive` reads closed hours. `plan` says from the
//!    checkpoint which ones, and in which order.
//! 3. [`SessionReader`] moves a session's events into an [`EventSink`] until the session ends.
//! 4. `pipeline` is that sink: an event becomes a row, unless the `ledger` knows it, and rows become
//!    batches.
//! 5. `commit` posts a batch, keeps what can't be delivered as dead letters, and then records all of
//!    it in the ledger.
//! 6. `hour_status` says whether the hour is whole, `record` changes the checkpoint by that, and
//!    `feed_progress` saves it.
//! 7. `connector_rows` tells the workspace what the run did and which hours are done.
//!
//! Commands go parts of the same way: [`backfill()`] and [`export()`] read chosen hours, and
//! [`resend()`] delivers dead letters.

mod archive;
mod archive_pass;
mod backfill;
mod batches_in_flight;
mod commit;
mod connector_rows;
mod counters;
mod delivery_context;
mod delivery_error;
mod event_key;
mod event_origin;
mod event_sink;
mod evidence;
mod export;
mod fault;
mod feed;
mod feed_context;
mod feed_error;
mod feed_progress;
mod feeds;
mod hold;
mod hour_report;
mod hour_rows;
mod hour_status;
mod kept_events;
mod ledger;
mod live;
mod memory;
mod pipeline;
pub(crate) mod plan;
mod read_end;
pub(crate) mod record;
mod recorder;
mod reported;
mod resend;
mod row_type;
mod run;
mod services;
mod session_reader;
mod stored_checkpoint;
mod tap;
pub(crate) mod timing;
mod told_hours;
mod under_lease;
#[cfg(test)]
mod upgrade_tests;
mod waiting_rows;

use std::sync::Arc;

use crate::report::RunReport;

pub use backfill::{BackfillError, Deliver, backfill};
pub use counters::RunCounters;
pub use delivery_error::DeliveryError;
pub use event_sink::EventSink;
pub use export::{ExportError, export};
pub use hour_report::HourReport;
pub use read_end::ReadEnd;
pub use resend::{ResendError, ResendOutcome, resend};
pub use run::Run;
pub use services::RunError;
pub use session_reader::{ReadError, SessionReader};

use connector_rows::tell_connector_table;
use feeds::collect_feeds;
use services::Services;

/// Collects what is there for every feed. Ends by itself in the run's time, with its progress saved.
///
/// # Errors
/// If nothing could begin. What fails for one feed is in the report.
pub async fn run(run: Run) -> Result<RunReport, RunError> {
    let services = Arc::new(Services::open(&run).await?);
    let run = Arc::new(run);
    let feeds = collect_feeds(&run, &services).await;
    // On the heap: a future of this size is too much for the stack of a thread.
    Box::pin(tell_connector_table(&run, &services, &feeds)).await;
    Ok(RunReport { feeds })
}
