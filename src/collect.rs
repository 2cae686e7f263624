//! One run: every feed's events, from the Log API into the workspace.
//!
//! The way of an event:
//! 1. [`run`] works on all feeds side by side, each in [`feed`] under its lease.
//! 2. [`live`] drains the live stream; then [`archive`] reads closed hours. [`plan`] says from the
//!    checkpoint which ones, oldest first.
//! 3. [`read`] pumps a session's events into a sink until the session ends.
//! 4. [`pipeline`] is that sink: an event becomes a row, unless the [`ledger`] knows it, and rows
//!    become batches.
//! 5. [`commit`] posts a batch, keeps what can't be delivered as dead letters, and then records
//!    all of it in the ledger.
//! 6. [`hour_status::classify_read`] says whether the hour is whole, and the checkpoint is written.

mod archive;
mod backfill;
mod commit;
mod feed;
mod hour_status;
mod ledger;
mod live;
pub mod pipeline;
pub mod plan;
mod progress;
pub mod read;
mod resend;
mod save;
pub mod timing;
mod under_lease;

use std::sync::Arc;

use proofpoint_sentinel_core::clock::Clock;
use proofpoint_sentinel_core::feed::Feed;
use tokio::task::JoinSet;
use tokio::time::{Instant, timeout_at};
use tokio_util::sync::CancellationToken;
use tracing::Instrument;

use crate::destination::{Destination, DestinationError};
use crate::lease_scope::LeaseScope;
use crate::net::{Net, NetError};
use crate::pod::SessionTimeouts;
use crate::report::{FeedOutcome, FeedReport, RunReport};
use crate::settings::{Cluster, Settings};
use crate::state::{LeaseTimes, State, StateError};
pub use backfill::{BackfillError, HourResult, backfill};
pub use progress::Progress;
pub use resend::{ResendError, Resent, resend};
pub use save::{SaveError, save};

/// What a run is given.
#[derive(Clone, Debug)]
pub struct Run {
    /// Names the run in checkpoints: the invocation's id.
    pub id: String,
    /// The settings, as they are now.
    pub settings: Settings,
    /// The wall clock.
    pub clock: Clock,
    /// Time limits of sessions.
    pub timeouts: SessionTimeouts,
    /// When leases on feeds are renewed and given up.
    pub lease_times: LeaseTimes,
    /// No more is read after this.
    pub reading_ends: Instant,
    /// Nothing is posted after this.
    pub posting_ends: Instant,
    /// Nothing is waited for after this.
    pub all_ends: Instant,
    /// Tells the run to save its progress and end.
    pub stop: CancellationToken,
    /// Counts for whoever watches.
    pub progress: Arc<Progress>,
}

/// The run could not begin.
#[derive(Debug, thiserror::Error)]
pub enum RunError {
    /// TLS or HTTP can't be set up.
    #[error(transparent)]
    Net(#[from] NetError),
    /// The state can't be opened.
    #[error(transparent)]
    State(#[from] StateError),
    /// The destination's settings are of no use.
    #[error(transparent)]
    Destination(#[from] DestinationError),
}

/// What all feeds of a run share.
struct Services {
    net: Net,
    state: State,
    destination: Destination,
}

impl Services {
    async fn open(run: &Run) -> Result<Services, RunError> {
        let net = Net::of(&run.settings.source.net)?;
        let destination = Destination::new(&run.settings.destination, &net, run.clock.clone())?;
        let state = State::open(&run.settings.state, &net).await?;
        Ok(Services { net, state: state.with_lease_times(run.lease_times), destination })
    }

    fn reader<'a>(
        &'a self,
        run: &'a Run,
        cluster: &'a Cluster,
        feed: &'a Feed,
        scope: &'a LeaseScope,
    ) -> read::Reader<'a> {
        read::Reader {
            net: &self.net,
            log_stream_uri: &run.settings.source.log_stream_uri,
            cluster,
            feed,
            timeouts: run.timeouts,
            stop: scope.halt_token(),
            reading_ends: run.reading_ends,
        }
    }

    fn ctx<'a>(&'a self, run: &'a Run, scope: &'a LeaseScope) -> pipeline::DeliveryContext<'a> {
        pipeline::DeliveryContext {
            settings: &run.settings,
            destination: &self.destination,
            state: &self.state,
            clock: &run.clock,
            progress: &run.progress,
            writer: &run.id,
            scope,
        }
    }
}

/// Collects what is there for every feed. Ends by itself in the run's time, with its progress saved.
///
/// # Errors
/// Where nothing could be begun. What fails for one feed is in the report.
pub async fn run(run: Run) -> Result<RunReport, RunError> {
    let services = Arc::new(Services::open(&run).await?);
    let run = Arc::new(run);
    let mut feeds = JoinSet::new();
    let mut running = Vec::new();
    for cluster in &run.settings.source.clusters {
        for event_type in &run.settings.source.event_types {
            let feed = Feed { cluster_id: cluster.id.clone(), event_type: *event_type };
            let work = one_feed(run.clone(), services.clone(), cluster.clone(), feed.clone());
            let task = feeds.spawn(work.in_current_span());
            running.push((task.id(), feed, cluster.name.clone()));
        }
    }
    let mut reports = Vec::new();
    while let Some(joined) = feeds.join_next_with_id().await {
        let (id, report) = match joined {
            Ok((id, report)) => (id, Ok(report)),
            Err(fault) => (fault.id(), Err(fault)),
        };
        let Some(position) = running.iter().position(|(other, ..)| *other == id) else {
            continue;
        };
        let (_, feed, cluster) = running.swap_remove(position);
        reports.push(report.unwrap_or_else(|fault| {
            failed(&feed, cluster, &format!("a fault in the program: {fault}"))
        }));
    }
    reports.sort_by(|a, b| a.feed.cmp(&b.feed));
    Ok(RunReport { feeds: reports })
}

async fn one_feed(
    run: Arc<Run>,
    services: Arc<Services>,
    cluster: Cluster,
    feed: Feed,
) -> FeedReport {
    let work = feed::collect(&run, &services, &cluster, feed.clone());
    timeout_at(run.all_ends, work).await.unwrap_or_else(|_| {
        failed(&feed, cluster.name, "the run's time was up while the storage did not answer")
    })
}

fn failed(feed: &Feed, cluster: String, reason: &str) -> FeedReport {
    let mut report = FeedReport::new(feed.to_string(), cluster);
    report.outcome = FeedOutcome::Failed(reason.to_owned());
    report.log();
    report
}
