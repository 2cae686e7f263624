//! Work on a feed under its lease, with its report in the log and in the state.

use std::time::Instant as Stopwatch;

use proofpoint_sentinel_core::feed::Feed;
use tracing::Instrument;

use super::feed_error::FeedError;
use super::run::Run;
use super::under_lease::under_lease;
use crate::error_code;
use crate::lease_scope::LeaseScope;
use crate::report::{FeedOutcome, FeedReport, status_json};
use crate::state::{State, StateError};

/// Does `work`, which heeds `scope`, on `feed` under its lease. Gives its report, which is logged and is
/// the feed's status.
pub(super) async fn report_work(
    run: &Run,
    state: &State,
    feed: &Feed,
    scope: &LeaseScope,
    mut report: FeedReport,
    work: impl AsyncFnOnce(&mut FeedReport) -> Result<(), FeedError>,
) -> FeedReport {
    let started = Stopwatch::now();
    let span = tracing::info_span!("feed", feed = %feed);
    let reported = async {
        let result = work(&mut report).await;
        report.conclude(result.as_ref().err(), run.clock.now(), started.elapsed());
        if scope.is_lost() {
            // They are those of the run that has the lease.
            report.hour_rows.clear();
        } else {
            write_status(state, run, feed, &report).await;
        }
        result
    };
    let reported = under_lease(state, feed, scope, FeedError::LeaseLost, reported);
    match reported.instrument(span.clone()).await {
        Err(FeedError::State(StateError::LeaseHeld { .. })) => {
            report.outcome = FeedOutcome::OwnedElsewhere;
        }
        result => report.conclude(result.as_ref().err(), run.clock.now(), started.elapsed()),
    }
    span.in_scope(|| report.log());
    report
}

/// Writes what the report says for who looks at the feed from outside. A status that can't be
/// written fails nothing: the log says the same.
pub(super) async fn write_status(state: &State, run: &Run, feed: &Feed, report: &FeedReport) {
    let write = async {
        let previous = state.read_status(feed).await?;
        let status = status_json(report, &run.id, run.clock.now(), previous.as_deref());
        state.write_status(feed, status.into()).await
    };
    if let Err(error) = write.await {
        tracing::warn!(code = %error_code::STATUS_NOT_WRITTEN, %error, "the feed's status was not written");
    }
}
