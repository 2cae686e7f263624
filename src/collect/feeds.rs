//! All feeds of a run, side by side.

use std::sync::Arc;

use proofpoint_sentinel_core::feed::Feed;
use tokio::task::JoinSet;
use tokio::time::timeout_at;
use tracing::Instrument;

use super::feed::collect_feed;
use super::run::Run;
use super::services::Services;
use crate::error_code::{self, ErrorCode};
use crate::report::{FeedOutcome, FeedReport};
use crate::settings::Cluster;

/// Works on every feed of the run, each in a task of its own. What fails for one feed, even a
/// panic, is in its report alone. The reports are in the feeds' order.
pub(super) async fn collect_feeds(run: Run, services: Services) -> Vec<FeedReport> {
    let (run, services) = (Arc::new(run), Arc::new(services));
    let mut tasks = JoinSet::new();
    let mut running = Vec::new();
    for cluster in &run.settings.source.clusters {
        for event_type in &run.settings.source.event_types {
            let feed = Feed { cluster_id: cluster.id.clone(), event_type: *event_type };
            let work = within_time(run.clone(), services.clone(), cluster.clone(), feed.clone());
            let task = tasks.spawn(work.in_current_span());
            running.push((task.id(), feed, cluster.name.clone()));
        }
    }
    let mut reports = Vec::new();
    while let Some(joined) = tasks.join_next_with_id().await {
        let (id, report) = match joined {
            Ok((id, report)) => (id, Ok(report)),
            Err(fault) => (fault.id(), Err(fault)),
        };
        let Some(position) = running.iter().position(|(other, ..)| *other == id) else {
            continue;
        };
        let (_, feed, cluster) = running.swap_remove(position);
        reports.push(report.unwrap_or_else(|fault| {
            let reason = format!("a fault in the program: {fault}");
            failed(&feed, cluster, error_code::PROGRAM_FAULT, reason)
        }));
    }
    reports.sort_by(|a, b| a.feed.cmp(&b.feed));
    reports
}

/// Works on one feed until the run's time is up at the latest.
async fn within_time(
    run: Arc<Run>,
    services: Arc<Services>,
    cluster: Cluster,
    feed: Feed,
) -> FeedReport {
    let work = collect_feed(&run, &services, &cluster, &feed);
    timeout_at(run.all_ends, work).await.unwrap_or_else(|_| {
        let reason = "the run's time was up while the storage did not answer".to_owned();
        failed(&feed, cluster.name, error_code::STORAGE_OUT_OF_TIME, reason)
    })
}

fn failed(feed: &Feed, cluster: String, code: ErrorCode, reason: String) -> FeedReport {
    let mut report = FeedReport::new(feed.to_string(), cluster);
    report.outcome = FeedOutcome::Failed { code, reason };
    report.log();
    report
}
