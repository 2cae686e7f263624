//! What the last run of the app said of a feed.

use proofpoint_sentinel_core::feed::Feed;

use super::finding::{Finding, Mark};
use crate::error_code::ErrorCode;
use crate::report::FeedStatus;
use crate::state::State;

/// What the last run said; `None` if none has ended, or if that can't be read.
pub(super) async fn last_run(state: &State, feed: &Feed) -> Option<FeedStatus> {
    let stored = state.read_status(feed).await.ok().flatten();
    stored.and_then(|json| FeedStatus::from_json(&json))
}

/// Of a feed on which another run works now.
pub(super) async fn while_it_works(check: &'static str, state: &State, feed: &Feed) -> Finding {
    let subject = feed.to_string();
    let Some(status) = last_run(state, feed).await else {
        return Finding::skipped(check, subject, "a run works on it, and none has ended yet");
    };
    let ended = status.finished.map(|at| at.to_string()).unwrap_or_default();
    if status.outcome != "failed" {
        let text = format!("a run works on it; the last one ended well at {ended}");
        return Finding::passed(check, subject, text);
    }
    let failure = status.failure.unwrap_or_default();
    let text = format!("a run works on it; the last one failed at {ended}: {failure}");
    let finding = Finding::new(check, subject, Mark::Failed, text);
    match status.code.as_deref().and_then(ErrorCode::parse) {
        Some(code) => finding.with_code(code),
        None => finding,
    }
}
