//! The Log API: whether each feed's token opens a session.

use jiff::SignedDuration;
use proofpoint_sentinel_core::clock::Clock;
use proofpoint_sentinel_core::feed::Feed;
use proofpoint_sentinel_core::hour::Hour;
use proofpoint_sentinel_core::secret::Secret;
use tokio::time::Instant;
use url::Url;

use super::finding::Finding;
use super::last_run::while_it_works;
use super::limit::{LIMIT, in_time};
use crate::net::Net;
use crate::pod::{ClusterSessions, SessionRequest, SessionTimeouts, archive_url, open_session};
use crate::settings::SourceSettings;
use crate::state::{State, StateError};

const CHECK: &str = "log api";

pub(super) async fn check(
    source: &SourceSettings,
    net: &Net,
    state: &State,
    clock: &Clock,
    tell: &mut impl FnMut(Finding),
) {
    let delay = SignedDuration::try_from(source.archive_delay).unwrap_or_default();
    let hour = Hour::newest_due(clock.now(), delay);
    for cluster in &source.clusters {
        for event_type in &source.event_types {
            let feed = Feed::log(&cluster.id, *event_type);
            let url = archive_url(&source.log_stream_uri, &cluster.id, *event_type, hour);
            let finding = in_time(check_feed(net, state, &feed, &url, &cluster.token)).await;
            tell(finding.unwrap_or_else(|late| Finding::skipped(CHECK, feed.to_string(), late)));
        }
    }
}

/// Opens a session under the feed's lease, or says what the run said that has it.
async fn check_feed(net: &Net, state: &State, feed: &Feed, url: &Url, token: &Secret) -> Finding {
    let lease = match state.lease(feed).await {
        Ok(lease) => lease,
        Err(StateError::LeaseHeld { .. }) => return while_it_works(CHECK, state, feed).await,
        Err(error) => return Finding::failed("storage", format!("lease of {feed}"), &error),
    };
    let request = SessionRequest {
        url,
        token,
        timeouts: SessionTimeouts::default(),
        deadline: Instant::now() + LIMIT / 2,
    };
    let sessions = ClusterSessions::default();
    let opened = open_session(net, &request, &sessions).await;
    let finding = match opened {
        Ok(Some((session, _turn))) => {
            session.close().await;
            Finding::passed(CHECK, feed.to_string(), "the token opens a session")
        }
        Ok(None) => Finding::skipped(CHECK, feed.to_string(), "no session could be opened in time"),
        Err(error) => Finding::failed(CHECK, feed.to_string(), &error),
    };
    // It runs out by itself if it can't be given back.
    let _ = lease.release().await;
    finding
}
