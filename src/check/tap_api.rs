//! The TAP API: whether each account's credential is granted a call.
//!
//! Calls are few, so none is made if the app's own last run says enough.

use jiff::{SignedDuration, Timestamp};
use proofpoint_sentinel_core::clock::Clock;
use proofpoint_sentinel_core::feed::Feed;

use super::finding::{Finding, Mark};
use super::last_run::{last_run, while_it_works};
use super::limit::in_time;
use crate::net::Net;
use crate::settings::{TapAccount, TapSettings};
use crate::state::{State, StateError};
use crate::tap::{AskError, Interval, TapClient};
use crate::tap_checkpoint::TapCheckpoint;

const CHECK: &str = "tap api";

/// A run that ended well so short a time ago shows that the credential works.
const RECENT: SignedDuration = SignedDuration::from_hours(1);

/// The window of the call, by how long ago it begins and ends: the shortest that the service grants,
/// with the fewest records.
const WINDOW: (SignedDuration, SignedDuration) =
    (SignedDuration::from_secs(90), SignedDuration::from_secs(60));

pub(super) async fn check(
    tap: &TapSettings,
    net: &Net,
    state: &State,
    clock: &Clock,
    tell: &mut impl FnMut(Finding),
) {
    for account in &tap.accounts {
        let feed = Feed::tap(&account.name);
        let TapAccount { principal, secret, .. } = account;
        let client = TapClient::new(net.http.clone(), &tap.base_uri, principal, secret);
        let finding = match client {
            Ok(client) => check_account(&client, state, &feed, clock).await,
            Err(error) => Finding::failed(CHECK, feed.to_string(), &error),
        };
        tell(finding);
    }
}

async fn check_account(client: &TapClient, state: &State, feed: &Feed, clock: &Clock) -> Finding {
    if let Some(text) = recent_success(state, feed, clock.now()).await {
        return Finding::passed(CHECK, feed.to_string(), text);
    }
    let lease = match state.lease(feed).await {
        Ok(lease) => lease,
        Err(StateError::LeaseHeld { .. }) => return while_it_works(CHECK, state, feed).await,
        Err(error) => return Finding::failed("storage", format!("lease of {feed}"), &error),
    };
    let finding = in_time(call(client, state, feed, clock)).await;
    // It runs out by itself if it can't be given back.
    let _ = lease.release().await;
    finding.unwrap_or_else(|late| Finding::skipped(CHECK, feed.to_string(), late))
}

/// What a run said that ended well a short time ago; `None` if the last one did not.
async fn recent_success(state: &State, feed: &Feed, now: Timestamp) -> Option<String> {
    let status = last_run(state, feed).await?;
    let (ended, calls) = (status.finished?, status.calls?);
    let is_recent = (SignedDuration::ZERO..=RECENT).contains(&now.duration_since(ended));
    (status.outcome == "up_to_date" && is_recent).then(|| {
        let (used, limit) = (calls.used, calls.limit);
        format!(
            "the last run ended well at {ended}, so no call was made; {used} of {limit} calls in \
             24 hours are used"
        )
    })
}

/// Makes one call, which counts in the checkpoint before that. The feed's lease must be held.
async fn call(client: &TapClient, state: &State, feed: &Feed, clock: &Clock) -> Finding {
    match count_call(state, feed, clock.now()).await {
        Ok(None) => {}
        Ok(Some(until)) => {
            let text = format!("the calls of 24 hours are spent; the next is made at {until}");
            let remedy = "Wait, or stop other programs that use the credential.";
            return Finding::new(CHECK, feed.to_string(), Mark::Attention, text)
                .with_remedy(remedy);
        }
        Err(error) => return Finding::failed("storage", format!("checkpoint of {feed}"), &error),
    }
    match ask(client, clock.now()).await {
        Ok(()) => Finding::passed(CHECK, feed.to_string(), "the credential is granted a call"),
        Err(error) => Finding::failed(CHECK, feed.to_string(), &error),
    }
}

/// Counts a call. Gives until when none may be made, if that is so. An account that was never worked on
/// has no checkpoint, and gets none by this.
async fn count_call(
    state: &State,
    feed: &Feed,
    now: Timestamp,
) -> Result<Option<Timestamp>, StateError> {
    let stored = state.read_checkpoint_as::<TapCheckpoint>(feed).await?;
    let Some((mut checkpoint, version)) = stored else { return Ok(None) };
    if let Some(until) = checkpoint.progress.waits_until(now) {
        return Ok(Some(until));
    }
    checkpoint.progress.calls_mut().note(1, now);
    "check".clone_into(&mut checkpoint.writer);
    checkpoint.sequence += 1;
    // `updated` stays: it says when a run worked on the account.
    state.write_checkpoint(feed, &checkpoint, Some(&version)).await?;
    Ok(None)
}

/// Reads the records of half a minute to their end, and drops them.
async fn ask(client: &TapClient, now: Timestamp) -> Result<(), AskError> {
    let (start, end) = WINDOW;
    let interval = Interval::new(now - start, now - end, now).expect("the service grants it");
    let mut answer = client.ask(interval, None).await?;
    while answer.next_record().await?.is_some() {}
    Ok(())
}
