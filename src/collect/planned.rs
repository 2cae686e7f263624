//! Work on one feed that was planned before, perhaps by another process.

use jiff::{SignedDuration, Timestamp};
use proofpoint_sentinel_core::feed::Feed;

use super::feeds::collect_feeds;
use super::run::Run;
use super::services::{RunError, Services};
use crate::report::{FeedStatus, RunReport};
use crate::state::StateError;

/// What became of planned work.
#[derive(Debug)]
pub enum PlannedWork {
    /// It was done now.
    Done(RunReport),
    /// A run that began after it was planned has done it.
    DoneBefore {
        /// Whether that run failed.
        failed: bool,
    },
    /// The settings no longer name the feed.
    FeedGone,
}

/// Collects `feed` alone, as [`run`](super::run()) would, unless a run that began at `planned` or
/// later has ended. So work that is asked for twice, or was left for long, costs one look.
///
/// # Errors
/// If nothing could begin. What fails for the feed is in the report.
pub async fn run_planned(
    run: Run,
    feed: &Feed,
    planned: Option<Timestamp>,
) -> Result<PlannedWork, RunError> {
    let Some(settings) = run.settings.narrowed_to(feed) else {
        return Ok(PlannedWork::FeedGone);
    };
    let run = Run { settings, ..run };
    let services = Services::open(&run).await?;
    if let Some(planned) = planned
        && let Some(last) = last_status(&services, feed).await?
        && began(&last).is_some_and(|began| began >= planned)
    {
        return Ok(PlannedWork::DoneBefore { failed: last.failure.is_some() });
    }
    Ok(PlannedWork::Done(collect_feeds(run, services).await))
}

/// The status after the last run of `feed` that ended.
async fn last_status(services: &Services, feed: &Feed) -> Result<Option<FeedStatus>, StateError> {
    let status = services.state().read_status(feed).await?;
    Ok(status.and_then(|json| FeedStatus::from_json(&json)))
}

/// When the run of a status had begun.
fn began(status: &FeedStatus) -> Option<Timestamp> {
    let took = SignedDuration::try_from_secs_f64(status.seconds).ok()?;
    status.finished?.checked_sub(took).ok()
}
