//! All feeds of a run, side by side.

use std::sync::Arc;

use proofpoint_sentinel_core::feed::{EventType, Feed};
use tokio::task::JoinSet;
use tokio::time::timeout_at;
use tracing::Instrument;

use super::feed::collect_feed;
use super::feed_error::FeedError;
use super::reported::write_status;
use super::run::Run;
use super::services::Services;
use super::tap::collect_tap;
use super::under_lease::under_lease;
use crate::error_code::{self, ErrorCode};
use crate::lease_scope::LeaseScope;
use crate::report::{FeedOutcome, FeedReport};
use crate::settings::{Cluster, TapAccount, UnusableCluster};

/// Works on every feed of the run, each in a task of its own. What fails for one feed, even a
/// panic, is in its report alone, and so is what is wrong with the settings of its cluster. The
/// reports are in the order of the feeds' names.
pub(super) async fn collect_feeds(run: &Arc<Run>, services: &Arc<Services>) -> Vec<FeedReport> {
    let mut tasks = FeedTasks::default();
    for cluster in &run.settings.source.clusters {
        for event_type in &run.settings.source.event_types {
            let feed = Feed::log(&cluster.id, *event_type).to_string();
            let work = within_time(run.clone(), services.clone(), cluster.clone(), *event_type);
            tasks.spawn(feed, &cluster.name, work);
        }
    }
    for cluster in &run.settings.source.unusable_clusters {
        let Some(id) = &cluster.id else {
            let name = format!("cluster {}", cluster.name);
            let report = unusable(name.clone(), cluster);
            tasks.spawn(name, &cluster.name, async { report });
            continue;
        };
        for event_type in &run.settings.source.event_types {
            let feed = Feed::log(id, *event_type);
            let name = feed.to_string();
            let report = unusable(name.clone(), cluster);
            let work = report_unusable(run.clone(), services.clone(), report, feed);
            tasks.spawn(name, &cluster.name, work);
        }
    }
    for account in run.settings.tap.iter().flat_map(|tap| &tap.accounts) {
        let work = account_within_time(run.clone(), services.clone(), account.clone());
        tasks.spawn(Feed::tap(&account.name).to_string(), &account.name, work);
    }
    for account in run.settings.tap.iter().flat_map(|tap| &tap.unusable_accounts) {
        let feed = Feed::tap(&account.name);
        let report =
            failed(feed.to_string(), account.name.clone(), account.code(), account.to_string());
        let work = report_unusable(run.clone(), services.clone(), report, feed.clone());
        tasks.spawn(feed.to_string(), &account.name, work);
    }
    tasks.join_all().await
}

/// The tasks of all feeds, with what is told of one that panics.
#[derive(Default)]
struct FeedTasks {
    tasks: JoinSet<FeedReport>,
    /// Each task with the names of its feed and its cluster.
    running: Vec<(tokio::task::Id, String, String)>,
}

impl FeedTasks {
    fn spawn(
        &mut self,
        feed: String,
        cluster: &str,
        work: impl Future<Output = FeedReport> + Send + 'static,
    ) {
        let task = self.tasks.spawn(work.in_current_span());
        self.running.push((task.id(), feed, cluster.to_owned()));
    }

    async fn join_all(mut self) -> Vec<FeedReport> {
        let mut reports = Vec::new();
        while let Some(joined) = self.tasks.join_next_with_id().await {
            let (id, report) = match joined {
                Ok((id, report)) => (id, Ok(report)),
                Err(fault) => (fault.id(), Err(fault)),
            };
            let Some(position) = self.running.iter().position(|(other, ..)| *other == id) else {
                continue;
            };
            let (_, feed, cluster) = self.running.swap_remove(position);
            reports.push(report.unwrap_or_else(|fault| {
                let reason = format!("a fault in the program: {fault}");
                failed(feed, cluster, error_code::PROGRAM_FAULT, reason)
            }));
        }
        reports.sort_by(|a, b| a.feed.cmp(&b.feed));
        reports
    }
}

/// Works on one feed until the run's time is up at the latest.
async fn within_time(
    run: Arc<Run>,
    services: Arc<Services>,
    cluster: Cluster,
    event_type: EventType,
) -> FeedReport {
    let work = collect_feed(&run, &services, &cluster, event_type);
    timeout_at(run.all_ends, work).await.unwrap_or_else(|_| {
        let feed = Feed::log(&cluster.id, event_type).to_string();
        out_of_time(feed, cluster.name)
    })
}

/// Works on one TAP account until the run's time is up at the latest.
async fn account_within_time(
    run: Arc<Run>,
    services: Arc<Services>,
    account: TapAccount,
) -> FeedReport {
    let tap = run.settings.tap.as_ref().expect("its settings have the account");
    let work = collect_tap(&run, &services, tap, &account);
    timeout_at(run.all_ends, work).await.unwrap_or_else(|_| {
        let feed = Feed::tap(&account.name).to_string();
        out_of_time(feed, account.name)
    })
}

fn out_of_time(feed: String, name: String) -> FeedReport {
    let reason = "the run's time was up while the storage did not answer".to_owned();
    failed(feed, name, error_code::STORAGE_OUT_OF_TIME, reason)
}

/// Writes the status of a feed that can't be worked on, under its lease: nobody else will.
async fn report_unusable(
    run: Arc<Run>,
    services: Arc<Services>,
    report: FeedReport,
    feed: Feed,
) -> FeedReport {
    let scope = LeaseScope::new(&run.stop, run.posting_ends);
    let write = async {
        write_status(services.state(), &run, &feed, &report).await;
        Ok(())
    };
    let write = under_lease(services.state(), &feed, &scope, FeedError::LeaseLost, write);
    // In vain if another run has the feed, or the time is up: then the log alone says it.
    let _ = timeout_at(run.all_ends, write).await;
    report
}

fn unusable(feed: String, cluster: &UnusableCluster) -> FeedReport {
    failed(feed, cluster.name.clone(), cluster.code(), cluster.to_string())
}

fn failed(feed: String, cluster: String, code: ErrorCode, reason: String) -> FeedReport {
    let mut report = FeedReport::new(feed, cluster);
    report.outcome = FeedOutcome::Failed { code, reason };
    report.log();
    report
}
