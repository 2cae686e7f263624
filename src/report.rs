//! What a run did, for the operator.

mod counts;
mod feed_report;
mod status;

pub use counts::FeedCounts;
pub use feed_report::{FeedOutcome, FeedReport};
pub(crate) use status::status_json;

/// What a run did.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RunReport {
    /// Each feed's part.
    pub feeds: Vec<FeedReport>,
}

impl RunReport {
    /// Whether nothing failed.
    pub fn is_success(&self) -> bool {
        !self.feeds.iter().any(|feed| matches!(feed.outcome, FeedOutcome::Failed { .. }))
    }
}
