//! The ledger over a real blob service.

use jiff::Timestamp;
use proofpoint_sentinel::state::{Arrival, BlobError, EventId, State, StateError};
use proofpoint_sentinel_core::feed::Feed;
use proofpoint_sentinel_core::hour::Hour;

use super::{acme, download, feed, open, open_through, try_open, upload};
use crate::support::azurite::Azurite;
use crate::support::relay::Relay;

const RUN: &str = "run-1";
/// The hour of [`now`] and the start of the SHA-256 of `run-1`.
const SEGMENT: &str = "2026-11-20T10-4e65d3fbe8ad6535.ids";

fn hour() -> Hour {
    "2026-11-20T06".parse().unwrap()
}

fn now() -> Timestamp {
    "2026-11-20T10:46:00Z".parse().unwrap()
}

/// After every hour of these tests.
fn ever() -> Hour {
    hour().plus(1_000)
}

fn ids(numbers: std::ops::Range<u32>) -> Vec<EventId> {
    numbers.map(|number| EventId::of(number.to_string())).collect()
}

async fn append(state: &State, feed: &Feed, numbers: std::ops::Range<u32>) {
    state
        .append_ledger(feed, Arrival::Uncounted.of(hour()), now(), RUN, &ids(numbers))
        .await
        .unwrap();
}

async fn assert_holds(state: &State, feed: &Feed, expected: std::ops::Range<u32>) {
    let stored = state.read_ledger(feed, hour()).await.unwrap().ids;
    assert_eq!(stored.len(), expected.len());
    assert!(ids(expected).into_iter().all(|id| stored.contains(id)));
}

fn segment(container: &str, feed: &Feed) -> url::Url {
    Azurite::shared().blob(container, &format!("ledger/{feed}/{}/{SEGMENT}", hour()))
}

#[tokio::test]
async fn the_first_append_creates_a_segment_and_the_next_add_to_it() {
    let state = open("segments").await;
    assert!(state.read_ledger(&acme(), hour()).await.unwrap().ids.is_empty());
    append(&state, &acme(), 0..3).await;
    append(&state, &acme(), 3..5).await;
    // This one does not know that the segment is there.
    append(&open("segments").await, &acme(), 5..6).await;
    state
        .append_ledger(&acme(), Arrival::Uncounted.of(hour()), now(), "run-2", &ids(6..8))
        .await
        .unwrap();

    assert_holds(&state, &acme(), 0..8).await;
    let stored = download(segment("segments", &acme())).await;
    assert!(stored.starts_with(b"PODLDG01"));
    assert_eq!(stored.len(), 8 + 6 * 16);
}

#[tokio::test]
async fn appends_side_by_side_lose_nothing() {
    let (one, two) = (open("crowd").await, open("crowd").await);
    let appends = (0..40).map(|number| {
        let state = [&one, &two][number as usize % 2];
        async move { append(state, &acme(), number * 5..number * 5 + 5).await }
    });
    futures_util::future::join_all(appends).await;
    assert_holds(&one, &acme(), 0..200).await;
    assert_eq!(download(segment("crowd", &acme())).await.len(), 8 + 200 * 16);
}

#[tokio::test]
async fn an_append_whose_answer_was_lost_counts_as_done() {
    let relay = Relay::before(Azurite::shared().authority(), "comp=appendblock").await;
    let state = open_through(&relay, "lost-appends").await;
    let lost = ["x-ms-blob-type: AppendBlob", "x-ms-blob-condition-appendpos: 0"];
    for (number, marker) in (0..).zip(lost) {
        let feed = feed(&format!("lost-{number}"));
        relay.lose_answer_to(marker);
        append(&state, &feed, 0..4).await;
        assert!(relay.has_lost(), "{marker}");
        assert_holds(&state, &feed, 0..4).await;
    }
    let feed = feed("lost-1");
    relay.lose_answer_to("comp=appendblock");
    let before = relay.count();
    append(&state, &feed, 4..6).await;
    assert!(relay.has_lost());
    assert_eq!(relay.count(), before + 2, "the try whose answer was lost and one more");
    assert_holds(&state, &feed, 0..6).await;
}

#[tokio::test]
async fn an_append_to_a_known_segment_is_one_request() {
    let relay = Relay::before(Azurite::shared().authority(), "ledger%2F").await;
    let state = open_through(&relay, "requests").await;
    append(&state, &acme(), 0..1).await;
    assert_eq!(relay.count(), 3, "not there, created, begun");
    append(&state, &acme(), 1..2).await;
    append(&state, &acme(), 2..3).await;
    assert_eq!(relay.count(), 5);
}

/// So large that it is read in two requests, the second of which waits until there is more.
#[tokio::test]
async fn a_segment_that_is_appended_to_while_it_is_read_is_read_again() {
    const COUNT: u32 = 263_000;
    let writer = open("growing").await;
    append(&writer, &acme(), 0..COUNT).await;

    let relay = Relay::before(Azurite::shared().authority(), "GET /").await;
    let reader = open_through(&relay, "growing").await;
    let acme = acme();
    let second_request = relay.hold("bytes=4194304-");
    let meanwhile = async {
        let held = second_request.await.expect("a large segment takes two requests");
        append(&writer, &acme, COUNT..COUNT + 1).await;
        drop(held);
    };
    tokio::join!(assert_holds(&reader, &acme, 0..COUNT + 1), meanwhile);
    assert_eq!(relay.count(), 5, "a list, two halves of which one came too late, and both again");
}

#[tokio::test]
async fn many_segments_are_read_whole() {
    let state = open("many-segments").await;
    let runs = (0..30).map(|run| {
        let state = &state;
        async move {
            let ids = ids(run * 3..run * 3 + 3);
            state
                .append_ledger(
                    &acme(),
                    Arrival::Uncounted.of(hour()),
                    now(),
                    &run.to_string(),
                    &ids,
                )
                .await
                .unwrap();
        }
    });
    futures_util::future::join_all(runs).await;
    assert_holds(&state, &acme(), 0..90).await;
}

#[tokio::test]
async fn a_segment_that_was_deleted_is_begun_anew() {
    let state = open("anew").await;
    append(&state, &acme(), 0..4).await;
    assert_eq!(state.prune_ledger(&acme(), hour().plus(1), ever()).await.unwrap(), 1);
    append(&state, &acme(), 0..2).await;
    assert_holds(&state, &acme(), 0..2).await;
}

#[tokio::test]
async fn the_names_of_odd_feeds_are_listed_as_they_were_written() {
    let state = open("odd-ledgers").await;
    let odd = feed("a/b c%41+ü&<_hosted");
    append(&state, &odd, 0..3).await;
    assert_holds(&state, &odd, 0..3).await;
    assert_eq!(state.prune_ledger(&odd, hour(), ever()).await.unwrap(), 0);
    assert_eq!(state.prune_ledger(&odd, hour().plus(1), ever()).await.unwrap(), 1);
    assert_holds(&state, &odd, 0..0).await;
}

#[tokio::test]
async fn pruning_deletes_earlier_hours_only() {
    let state = open("pruned").await;
    for back in 0..4 {
        for run in ["run-1", "run-2"] {
            let hour = hour().plus(-back);
            state
                .append_ledger(&acme(), Arrival::Uncounted.of(hour), now(), run, &ids(0..2))
                .await
                .unwrap();
        }
    }
    let foreign = format!("ledger/{}/2020-01-01T00/notes.txt", acme());
    upload(Azurite::shared().blob("pruned", &foreign), "mine").await;

    assert_eq!(state.prune_ledger(&acme(), hour().plus(-1), ever()).await.unwrap(), 4);
    assert_eq!(state.prune_ledger(&acme(), hour().plus(-1), ever()).await.unwrap(), 0);
    for (back, left) in [(0, 2), (1, 2), (2, 0), (3, 0)] {
        let stored = state.read_ledger(&acme(), hour().plus(-back)).await.unwrap().ids;
        assert_eq!(stored.len(), left, "{back}");
    }
    assert_eq!(download(Azurite::shared().blob("pruned", &foreign)).await, b"mine");
}

#[tokio::test]
async fn a_damaged_segment_stops_the_hour_and_an_empty_one_does_not() {
    let state = open("damaged-ledger").await;
    upload(segment("damaged-ledger", &acme()), "{}").await;
    let error = state.read_ledger(&acme(), hour()).await.unwrap_err();
    assert!(matches!(error, StateError::Ledger { .. }), "{error}");
    upload(segment("damaged-ledger", &acme()), "").await;
    assert_holds(&state, &acme(), 0..0).await;
}

#[tokio::test]
async fn a_shared_access_signature_needs_to_list_and_delete() {
    let full = open("granted").await;
    append(&full, &acme(), 0..2).await;
    let granted = Azurite::shared().connection_string_with_sas("rawcdl", "co");
    let state = try_open(&granted, "granted").await.unwrap();
    append(&state, &acme(), 2..4).await;
    assert_holds(&state, &acme(), 0..4).await;

    let objects_only = Azurite::shared().connection_string_with_sas("rawc", "o");
    let state = try_open(&objects_only, "granted").await.unwrap();
    let denied = state.read_ledger(&acme(), hour()).await.unwrap_err();
    assert!(denied.to_string().contains("on containers and objects"), "{denied}");
    let denied = state.prune_ledger(&acme(), hour(), ever()).await.unwrap_err();
    assert!(matches!(denied, StateError::Blob(BlobError::Denied { .. })), "{denied}");
}

/// Prints what an hour of two million ids costs to read, in as many segments as live delivery makes.
#[tokio::test]
#[ignore = "a measurement"]
async fn two_million_ids_are_read_in_a_few_seconds() {
    const COUNT: u32 = 2_000_000;
    const WRITERS: u32 = 16;
    let state = open("two-million").await;
    for writer in 0..WRITERS {
        let ids = ids(COUNT / WRITERS * writer..COUNT / WRITERS * (writer + 1));
        let writer = writer.to_string();
        state
            .append_ledger(&acme(), Arrival::Uncounted.of(hour()), now(), &writer, &ids)
            .await
            .unwrap();
    }
    let started = std::time::Instant::now();
    let stored = state.read_ledger(&acme(), hour()).await.unwrap().ids;
    let loading = started.elapsed();
    assert_eq!(stored.len() as u32, COUNT);
    println!("loaded in {loading:?}");
    assert!(loading.as_secs() < 20, "{loading:?}");
}
