//! Which dead letters a command is about.

use clap::Args;
use proofpoint_sentinel::state::{DeadLetterName, DeadLetterReason};
use proofpoint_sentinel_core::feed::EventType;

/// Which dead letters a command is about.
#[derive(Args)]
pub(crate) struct Filter {
    /// malformed, oversize or refused
    #[arg(long)]
    pub(super) reason: Option<DeadLetterReason>,
    /// The cluster's id
    #[arg(long)]
    cluster: Option<String>,
    /// message, maillog or audit
    #[arg(long = "type")]
    event_type: Option<EventType>,
}

impl Filter {
    pub(super) fn matches(&self, name: &DeadLetterName) -> bool {
        let feed = name.feed();
        self.reason.is_none_or(|reason| reason == name.reason())
            && self.cluster.as_ref().is_none_or(|cluster| *cluster == feed.cluster_id)
            && self.event_type.is_none_or(|event_type| event_type == feed.event_type)
    }
}
