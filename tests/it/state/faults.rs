//! The blob service fails, or somebody else gets in between.

use proofpoint_sentinel::state::{
    Arrival, BlobError, Checkpoint, EventId, LeaseTimes, State, StateError, Version,
};

use super::{QUICK, acme, break_lease, checkpoint, is_conflict, is_lease_held, lost_in_time};
use super::{open, open_through};
use crate::support::azurite::Azurite;
use crate::support::relay::Relay;

/// What each operation says where all of them fail, beside the name of what it was about.
async fn failures(state: &State, over: &Version) -> [(String, StateError); 6] {
    let feed = acme();
    let next = checkpoint(&feed, "run-1", 2);
    let (hour, now, ids) = (next.next_hour, next.updated, [EventId::of("1")]);
    [
        (format!("leases/{feed}"), state.lease(&feed).await.unwrap_err()),
        (format!("checkpoints/{feed}.json"), state.read_checkpoint(&feed).await.unwrap_err()),
        (
            format!("checkpoints/{feed}.json"),
            state.write_checkpoint(&feed, &next, Some(over)).await.unwrap_err(),
        ),
        (format!("ledger/{feed}/{hour}/"), state.read_ledger(&feed, hour).await.unwrap_err()),
        (
            format!("ledger/{feed}/{hour}/{hour}-"),
            state
                .append_ledger(&feed, Arrival::Uncounted.of(hour), now, "run-1", &ids)
                .await
                .unwrap_err(),
        ),
        (format!("status/{feed}.json"), state.write_status(&feed, "{}".into()).await.unwrap_err()),
    ]
}

/// A state through a relay, and what it holds: one checkpoint.
async fn with_checkpoint(container: &str) -> (Relay, State, Checkpoint, Version) {
    let relay = Relay::before(Azurite::shared().authority(), "").await;
    let state = open_through(&relay, container).await;
    let first = checkpoint(&acme(), "run-1", 1);
    let version = state.write_checkpoint(&acme(), &first, None).await.unwrap();
    (relay, state, first, version)
}

/// From here on, the waits between tries take no time.
fn skip_waits() {
    tokio::time::pause();
}

#[tokio::test]
async fn an_unreachable_service_is_reported_and_retried() {
    let (relay, state, _, version) = with_checkpoint("unreachable").await;
    relay.cut();
    skip_waits();
    for (name, error) in failures(&state, &version).await {
        assert!(
            matches!(error, StateError::Blob(BlobError::Unreachable { .. })),
            "{name}: {error}"
        );
        let text = error.to_string();
        for told in ["127.0.0.1", "The next run tries again", "StateStorage"] {
            assert!(text.contains(told), "{name}: `{text}` does not tell `{told}`");
        }
    }
}

#[tokio::test]
async fn a_busy_service_is_reported_and_changes_nothing() {
    let (relay, state, first, version) = with_checkpoint("busy").await;
    relay.refuse("", "503 Busy", "ServerBusy");
    skip_waits();
    for (name, error) in failures(&state, &version).await {
        assert!(
            matches!(error, StateError::Blob(BlobError::Service { status: 503, .. })),
            "{name}: {error}"
        );
        let text = error.to_string();
        for told in ["127.0.0.1", "ServerBusy", &name, "the next run tries again"] {
            assert!(text.contains(told), "{name}: `{text}` does not tell `{told}`");
        }
    }
    tokio::time::resume();
    relay.refuse_nothing();
    let hour = first.next_hour;
    assert_eq!(state.read_checkpoint(&acme()).await.unwrap(), Some((first, version)));
    assert!(state.read_ledger(&acme(), hour).await.unwrap().ids.is_empty());
    assert_eq!(state.read_status(&acme()).await.unwrap(), None);
    state.lease(&acme()).await.unwrap();
}

#[tokio::test]
async fn a_taken_lease_is_lost_at_the_next_renewal() {
    let relay = Relay::before(Azurite::shared().authority(), "x-ms-lease-action: renew").await;
    let patient = LeaseTimes { give_up_after: QUICK.length, ..QUICK };
    let state = open_through(&relay, "stolen").await.with_lease_times(patient);
    let lease = state.lease(&acme()).await.unwrap();
    relay.counted(2).await;

    break_lease("stolen").await;
    let other = open("stolen").await;
    let theirs = other.lease(&acme()).await.unwrap();
    let before = relay.count();
    lost_in_time(&lease).await;
    // One may have been in flight.
    assert!(relay.count() <= before + 2, "{} renewals", relay.count() - before);

    lease.release().await.expect("there is nothing left to release");
    assert!(is_lease_held(other.lease(&acme()).await));
    theirs.release().await.unwrap();
    other.lease(&acme()).await.unwrap();
}

/// The first try was refused as busy; by the second, another run has written.
#[tokio::test]
async fn a_checkpoint_that_changed_between_two_tries_is_a_conflict() {
    let (relay, state, _, version) = with_checkpoint("changed").await;
    let (acme, other) = (acme(), open("changed").await);
    let (ours, theirs) = (checkpoint(&acme, "run-1", 2), checkpoint(&acme, "run-2", 2));
    relay.refuse("", "503 Busy", "ServerBusy");
    let before = relay.count();
    let meanwhile = async {
        relay.counted(before + 1).await;
        other.write_checkpoint(&acme, &theirs, Some(&version)).await.unwrap();
        relay.refuse_nothing();
    };
    let write = state.write_checkpoint(&acme, &ours, Some(&version));
    let (written, ()) = tokio::join!(write, meanwhile);
    assert!(is_conflict(written));
    assert_eq!(other.read_checkpoint(&acme).await.unwrap().unwrap().0, theirs);
}
