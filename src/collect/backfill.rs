//! Chosen hours of a feed into the workspace, as a run would deliver them.

use proofpoint_sentinel_core::feed::Feed;
use proofpoint_sentinel_core::hour::Hour;

use super::ledger::Ledger;
use super::pipeline::{DeliveryError, EventDelivery};
use super::read::{ReadEnd, ReadError};
use super::under_lease::under_lease;
use super::{Run, RunError, Services};
use crate::lease_scope::LeaseScope;
use crate::pod::SessionEnd;
use crate::report::FeedCounts;
use crate::settings::Cluster;
use crate::state::StateError;

/// What came of one hour.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HourResult {
    /// The hour.
    pub hour: Hour,
    /// How its reading ended.
    pub end: ReadEnd,
    /// What became of its events.
    pub counts: FeedCounts,
}

impl HourResult {
    /// Whether Proofpoint said that this was all.
    pub fn is_whole(&self) -> bool {
        self.end == ReadEnd::Session(SessionEnd::Closed(Some(1000)))
    }

    /// Whether the reading was ended from outside, so that no further hour was begun.
    pub fn is_last(&self) -> bool {
        !matches!(self.end, ReadEnd::Session(_))
    }
}

/// The hours could not be read and delivered.
#[derive(Debug, thiserror::Error)]
pub enum BackfillError {
    /// Nothing could be begun.
    #[error(transparent)]
    Run(#[from] RunError),
    /// The feed's lease can't be had.
    #[error("{0}")]
    State(#[from] StateError),
    /// The lease went away while hours were read.
    #[error("the feed's lease was lost: a run of the Function App may have it")]
    LeaseLost,
    /// An hour could not be read or delivered.
    #[error("{0}")]
    Read(#[from] ReadError<DeliveryError>),
}

/// Reads `hours` one after the other and hands each result to `done`. Ends early, without an
/// error, after a result that [is the last](HourResult::is_last).
///
/// What the ledger knows is not delivered again.
///
/// The feed's lease is held meanwhile, so that no run of the Function App reads it at the same
/// time; its checkpoint is not touched.
///
/// # Errors
/// Rows that were delivered before the error stay delivered; the hour of the error is the one
/// after the last result.
pub async fn backfill(
    run: &Run,
    cluster: &Cluster,
    feed: &Feed,
    hours: impl IntoIterator<Item = Hour>,
    mut done: impl FnMut(&HourResult),
) -> Result<(), BackfillError> {
    let services = Services::open(run).await?;
    let scope = LeaseScope::new(&run.stop, run.posting_ends);
    let work = async {
        let reader = services.reader(run, cluster, feed, &scope);
        let mut ledger = Ledger::new(services.state.clone(), feed.clone());
        for hour in hours {
            ledger.forget_all_but(2);
            let ctx = services.ctx(run, &scope);
            let mut delivery = EventDelivery::archive(feed, hour, &mut ledger, ctx);
            let end = reader.hour(hour, &mut delivery).await?;
            let result = HourResult { hour, end, counts: delivery.counts().clone() };
            done(&result);
            if result.is_last() {
                break;
            }
        }
        Ok::<_, BackfillError>(())
    };
    under_lease(&services.state, feed, &scope, BackfillError::LeaseLost, work).await
}
