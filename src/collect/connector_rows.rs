//! Tells the connector's table, at the end of a run, what it did for each feed and which hours have
//! another state. Whatever becomes of these rows, no feed fails or waits for it.

use std::collections::BTreeMap;
use std::time::Duration;

use futures_util::{StreamExt as _, stream};
use proofpoint_sentinel_core::feed::Feed;
use proofpoint_sentinel_core::tables::connector_table;
use tokio::time::{Instant, timeout_at};

use super::feed_error::FeedError;
use super::row_type::row_shape;
use super::run::Run;
use super::services::Services;
use super::under_lease::under_lease;
use super::waiting_rows::change_waiting_rows;
use crate::destination::{Batch, BatchOutcome, HeldReason, Packer};
use crate::error_code;
use crate::lease_scope::LeaseScope;
use crate::report::{ConnectorRowBuilder, FeedOutcome, FeedReport};
use crate::settings::ConnectorTable;
use crate::state::{HourRow, forget_hour_rows};

/// The table gets this much of a run's time at most.
const LONGEST: Duration = Duration::from_secs(30);

/// So many feeds forget their rows side by side.
const FEEDS_AT_A_TIME: usize = 8;

/// What a row is of: an hour of a feed, which waits until it is taken, or else a run.
type Tag = Option<(Feed, HourRow)>;

/// Posts the rows of all feeds together. Those of hours stay in the feeds' checkpoints until the
/// workspace took them; those of runs are not sent again.
pub(super) async fn tell_connector_table(run: &Run, services: &Services, feeds: &[FeedReport]) {
    let is_off = run.settings.connector_table == ConnectorTable::Off;
    let is_over = run.stop.is_cancelled() || Instant::now() >= run.posting_ends;
    if is_off || is_over || is_on_hold(feeds) {
        return;
    }
    let until = run.posting_ends.min(Instant::now() + LONGEST);
    let scope = LeaseScope::new(&run.stop, until);
    let mut taken: BTreeMap<Feed, Vec<HourRow>> = BTreeMap::new();
    let destination = services.destination().with_few_tries();
    for batch in batches(run, services, feeds) {
        let outcome = destination.deliver(connector_table(), batch, &scope, |_| false).await;
        let fault = fault(&outcome);
        let has_ended = outcome.hold.is_some();
        // A row that is refused for good would be so the next time.
        let refused = outcome.refused.into_iter().map(|refused| refused.tag);
        for (feed, row) in outcome.delivered.into_iter().chain(refused).flatten() {
            taken.entry(feed).or_default().push(row);
        }
        if let Some(reason) = fault {
            warn_once_a_day(run, services, &reason).await;
        }
        if has_ended {
            break;
        }
    }
    let forget = taken.into_iter().map(|(feed, rows)| forget(run, services, feed, rows));
    let forget = stream::iter(forget).buffer_unordered(FEEDS_AT_A_TIME).collect::<()>();
    // What was not forgotten in time is sent again, which does no harm: the newest row counts.
    let _ = timeout_at(run.all_ends, forget).await;
}

/// Why the table did not take all rows, if more is wrong than that time is short.
fn fault(outcome: &BatchOutcome<Tag>) -> Option<String> {
    if let Some(HeldReason::OutOfTime { .. }) = outcome.hold {
        return None;
    }
    let refused = outcome.refused.first().or(outcome.unconfirmed.first());
    let refusal = refused.map(|refused| refused.reason.to_string());
    outcome.hold.as_ref().map(HeldReason::to_string).or(refusal)
}

/// Whether the destination takes no rows of any feed.
fn is_on_hold(feeds: &[FeedReport]) -> bool {
    let has_delivered = feeds.iter().any(|feed| feed.counts.delivered > 0);
    !has_delivered && feeds.iter().any(|feed| feed.is_on_hold)
}

/// The rows of all feeds. A feed that another run has is that run's to tell of.
fn batches(run: &Run, services: &Services, feeds: &[FeedReport]) -> Vec<Batch<Tag>> {
    let builder = ConnectorRowBuilder::new(row_shape(&run.settings));
    let mut packer = Packer::new(services.destination().limits());
    let mut batches = Vec::new();
    let mut push = |row: Vec<u8>, tag| match packer.push(&row, tag) {
        Ok(full) => batches.extend(full),
        Err(error) => tracing::info!(%error, "a row of the connector's table is left out"),
    };
    for report in feeds.iter().filter(|it| it.outcome != FeedOutcome::OwnedElsewhere) {
        push(builder.run_row(report, &run.id, run.clock.now()), None);
        let Ok(feed) = report.feed.parse::<Feed>() else { continue };
        for row in &report.hour_rows {
            push(builder.hour_row(&feed, row), Some((feed.clone(), row.clone())));
        }
    }
    batches.extend(packer.finish());
    batches
}

/// Takes the rows that the workspace took out of the feed's checkpoint.
async fn forget(run: &Run, services: &Services, feed: Feed, taken: Vec<HourRow>) {
    let state = services.state();
    let scope = LeaseScope::new(&run.stop, run.posting_ends);
    let change = async {
        let forget = |waiting: &mut Vec<HourRow>| forget_hour_rows(waiting, &taken);
        Ok(change_waiting_rows(state, run, &feed, forget).await?)
    };
    let changed = under_lease(state, &feed, &scope, FeedError::LeaseLost, change).await;
    if let Err(error) = changed {
        tracing::info!(%feed, %error, "rows of the connector's table will be sent again");
    }
}

/// Says that the table took no rows, once a day: a stream is missing until someone deploys it.
async fn warn_once_a_day(run: &Run, services: &Services, reason: &str) {
    let code = error_code::CONNECTOR_TABLE;
    let is_new = services.state().take_daily_warning(code, run.clock.now()).await;
    // If the storage does not say, one warning too many is better than none.
    if is_new.unwrap_or(true) {
        tracing::warn!(%code, "the table ProofpointConnector_CL took no rows, and all other tables go on: {reason}. If the app was deployed by an older template, deploy it again");
    } else {
        tracing::info!(%code, reason, "the table ProofpointConnector_CL took no rows");
    }
}
