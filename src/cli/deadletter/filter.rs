//! Which dead letters a command is about.

use clap::Args;
use jiff::Timestamp;
use proofpoint_sentinel::state::{DeadLetterName, DeadLetterReason};
use proofpoint_sentinel_core::clock::Clock;
use proofpoint_sentinel_core::feed::FeedType;

use super::since::Since;

/// Which dead letters a command is about.
#[derive(Args)]
pub(crate) struct Filter {
    /// malformed, oversize or refused
    #[arg(long)]
    pub(super) reason: Option<DeadLetterReason>,
    /// The cluster's id, or the name of the TAP account
    #[arg(long)]
    cluster: Option<String>,
    /// message, maillog, audit or tap
    #[arg(long = "type")]
    feed_type: Option<FeedType>,
    /// Those that were kept after this: 90m, 24h or 7d ago, the hour 2026-11-20T06, or a time
    #[arg(long)]
    since: Option<Since>,
}

impl Filter {
    /// Whether it is about a dead letter, as far as its name says.
    pub(super) fn matches(&self, name: &DeadLetterName) -> bool {
        let feed = name.feed();
        self.reason.is_none_or(|reason| reason == name.reason())
            && self.cluster.as_ref().is_none_or(|cluster| *cluster == feed.account)
            && self.feed_type.is_none_or(|feed_type| feed_type == feed.feed_type)
    }

    /// The time before which it is about no dead letter, if it names one.
    pub(super) fn since(&self) -> Option<Timestamp> {
        self.since.map(|since| since.time(Clock::system().now()))
    }
}
