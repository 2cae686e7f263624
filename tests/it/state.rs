//! The state over a real blob service.

use std::time::Duration;

use hyper::http::Request;
use jiff::Timestamp;
use proofpoint_sentinel::net::Net;
use proofpoint_sentinel::settings::StateSettings;
use proofpoint_sentinel::state::{
    BlobError, Checkpoint, DeadLetter, DeadLetterReason, Lease, LeaseTimes, State, StateError,
};
use proofpoint_sentinel_core::feed::{EventType, Feed};
use proofpoint_sentinel_core::hour::Hour;
use proofpoint_sentinel_core::secret::Secret;

mod faults;
mod ledger;

use crate::support::azurite::{self, Azurite};
use crate::support::http;
use crate::support::relay::Relay;

/// Every wait here ends with an event; this is for the event that never comes.
const NEVER: Duration = Duration::from_secs(30);

/// Short enough for a test; the service takes no shorter length.
const QUICK: LeaseTimes = LeaseTimes {
    length: Duration::from_secs(15),
    renew_every: Duration::from_millis(50),
    retry_every: Duration::from_millis(50),
    give_up_after: Duration::from_secs(1),
};

async fn try_open(connection_string: &str, container: &str) -> Result<State, StateError> {
    let connection_string = Secret::new(connection_string);
    let container = container.to_owned();
    let settings = StateSettings::ConnectionString { connection_string, container };
    State::open(&settings, &Net::new(None).unwrap()).await
}

async fn open(container: &str) -> State {
    try_open(&Azurite::shared().connection_string(), container).await.unwrap()
}

async fn open_through(relay: &Relay, container: &str) -> State {
    let connection_string = azurite::connection_string(&relay.address.to_string(), azurite::KEY);
    try_open(&connection_string, container).await.unwrap().with_lease_times(QUICK)
}

fn feed(cluster_id: &str) -> Feed {
    Feed::log(cluster_id, EventType::Message)
}

fn acme() -> Feed {
    feed("acme_hosted")
}

fn checkpoint(feed: &Feed, writer: &str, sequence: u64) -> Checkpoint {
    let now: Timestamp = "2026-11-20T10:46:00Z".parse().unwrap();
    let first = Checkpoint::starting_at(Hour::containing(now), feed, writer, now);
    Checkpoint { sequence, ..first }
}

async fn lost_in_time(lease: &Lease) {
    tokio::time::timeout(NEVER, lease.lost()).await.expect("the lease is lost");
}

fn is_lease_held<T>(result: Result<T, StateError>) -> bool {
    matches!(result, Err(StateError::LeaseHeld { .. }))
}

fn is_conflict<T>(result: Result<T, StateError>) -> bool {
    matches!(result, Err(StateError::Conflict { .. }))
}

#[tokio::test]
async fn the_container_is_created_and_a_checkpoint_comes_back() {
    let state = open("creates").await;
    let feed = acme();
    assert!(state.read_checkpoint(&feed).await.unwrap().is_none());

    let written = checkpoint(&feed, "run-1", 0);
    let version = state.write_checkpoint(&feed, &written, None).await.unwrap();
    let again = open("creates").await.read_checkpoint(&feed).await.unwrap();
    assert_eq!(again, Some((written, version)));
}

#[tokio::test]
async fn a_checkpoint_is_only_written_over_the_one_that_was_read() {
    let state = open("stale").await;
    let acme = acme();
    let put = async |sequence, over| {
        state.write_checkpoint(&acme, &checkpoint(&acme, "run-1", sequence), over).await
    };
    let first = put(1, None).await.unwrap();
    let second = put(2, Some(&first)).await.unwrap();
    assert!(is_conflict(put(3, Some(&first)).await));
    assert!(is_conflict(put(3, None).await));
    put(3, Some(&second)).await.unwrap();

    let other = feed("other");
    let first_there = checkpoint(&other, "run-1", 1);
    assert!(is_conflict(state.write_checkpoint(&other, &first_there, Some(&second)).await));
}

#[tokio::test]
async fn a_status_is_replaced_by_the_last_writer() {
    let (one, two) = (open("status").await, open("status").await);
    assert_eq!(one.read_status(&acme()).await.unwrap(), None);
    for (state, json) in [(&one, "{}"), (&two, "{\"hours\": 1}"), (&one, "{}\n")] {
        state.write_status(&acme(), json.into()).await.unwrap();
        assert_eq!(two.read_status(&acme()).await.unwrap().unwrap(), json);
    }
    let name = format!("status/{}.json", acme());
    assert_eq!(download(Azurite::shared().blob("status", &name)).await, b"{}\n");
}

#[tokio::test]
async fn of_many_writers_exactly_one_wins() {
    let feed = acme();
    let state = open("races").await;
    let first = state.write_checkpoint(&feed, &checkpoint(&feed, "run-0", 0), None).await.unwrap();
    let writers = (1..=6).map(async |run| {
        let state = open("races").await;
        let mine = checkpoint(&feed, &format!("run-{run}"), 1);
        state.write_checkpoint(&feed, &mine, Some(&first)).await.map(|_| mine)
    });
    let results = futures_util::future::join_all(writers).await;
    let (won, refused): (Vec<_>, Vec<_>) = results.into_iter().partition(Result::is_ok);
    assert_eq!((won.len(), refused.len()), (1, 5));
    assert!(refused.into_iter().all(is_conflict));
    let (stored, _) = state.read_checkpoint(&feed).await.unwrap().unwrap();
    assert_eq!(won[0].as_ref().unwrap(), &stored);
}

#[tokio::test]
async fn a_write_whose_answer_was_lost_counts_as_done() {
    let feed = acme();
    let azurite = Azurite::shared();
    let relay = Relay::before(azurite.authority(), "if-none-match").await;
    let state = open_through(&relay, "ambiguous").await;

    relay.lose_answer_to("checkpoints");
    let first = state.write_checkpoint(&feed, &checkpoint(&feed, "run-1", 1), None).await.unwrap();
    assert!(relay.has_lost());
    assert_eq!(relay.count(), 2, "the first try and the one that was refused");

    relay.lose_answer_to("if-match");
    let second = checkpoint(&feed, "run-1", 2);
    let version = state.write_checkpoint(&feed, &second, Some(&first)).await.unwrap();
    assert!(relay.has_lost());
    assert_eq!(state.read_checkpoint(&feed).await.unwrap(), Some((second, version)));
}

#[tokio::test]
async fn a_feed_has_one_owner_until_it_is_released() {
    let (one, two) = (open("owners").await, open("owners").await);
    let lease = one.lease(&acme()).await.unwrap();
    assert!(is_lease_held(one.lease(&acme()).await));
    assert!(is_lease_held(two.lease(&acme()).await));
    two.lease(&feed("other")).await.unwrap().release().await.unwrap();

    lease.release().await.unwrap();
    two.lease(&acme()).await.unwrap();
}

#[tokio::test]
async fn a_lease_is_renewed_while_it_is_held_and_no_longer() {
    let relay = Relay::before(Azurite::shared().authority(), "x-ms-lease-action: renew").await;
    let state = open_through(&relay, "renewals").await;
    let lease = state.lease(&acme()).await.unwrap();
    tokio::select! {
        () = relay.counted(5) => {}
        () = lease.lost() => panic!("it was lost"),
        () = tokio::time::sleep(NEVER) => panic!("it is not renewed"),
    }
    assert!(is_lease_held(open("renewals").await.lease(&acme()).await));

    drop(lease);
    // One may have been in flight.
    let more = relay.counted(relay.count() + 2);
    let waited = tokio::time::timeout(QUICK.renew_every * 20, more).await;
    assert!(waited.is_err(), "it is still renewed");
}

#[tokio::test]
async fn a_lease_that_is_taken_away_is_lost() {
    let state = open("broken").await.with_lease_times(QUICK);
    let lease = state.lease(&acme()).await.unwrap();
    break_lease("broken").await;
    lost_in_time(&lease).await;
    lost_in_time(&lease).await;
    lease.release().await.expect("there is nothing left to release");
}

/// Takes the lease away from its owner.
async fn break_lease(container: &str) {
    let mut url = Azurite::shared().blob(container, &format!("leases/{}", acme()));
    url.query_pairs_mut().append_pair("comp", "lease");
    let request = Request::put(url.as_str())
        .header("x-ms-lease-action", "break")
        .header("x-ms-lease-break-period", "0");
    let broken = http::send_plain(request, "").await;
    assert_eq!(broken.status(), 202);
}

#[tokio::test]
async fn a_lease_that_nobody_can_renew_is_lost() {
    let relay = Relay::before(Azurite::shared().authority(), "x-ms-lease-action: renew").await;
    let state = open_through(&relay, "unplugged").await;
    let lease = state.lease(&acme()).await.unwrap();
    relay.counted(1).await;
    relay.cut();
    lost_in_time(&lease).await;
}

#[tokio::test]
async fn a_damaged_checkpoint_stops_the_feed() {
    let state = open("damaged").await;
    let azurite = Azurite::shared();
    let foreign = serde_json::to_string(&checkpoint(&feed("other"), "run-1", 1)).unwrap();
    for content in ["", "{", "null", &foreign] {
        let name = format!("checkpoints/{}.json", acme());
        upload(azurite.blob("damaged", &name), content).await;
        let error = state.read_checkpoint(&acme()).await.unwrap_err();
        assert!(matches!(error, StateError::Checkpoint { .. }), "{error}");
        assert!(error.to_string().contains("ProofpointInitialLookbackHours"), "{error}");
    }
}

async fn upload(blob: url::Url, content: &str) {
    let request = Request::put(blob.as_str()).header("x-ms-blob-type", "BlockBlob");
    assert_eq!(http::send_plain(request, content.to_owned()).await.status(), 201);
}

async fn download(url: url::Url) -> Vec<u8> {
    let answer = http::send_plain(Request::get(url.as_str()), "").await;
    assert_eq!(answer.status(), 200);
    answer.into_body().to_vec()
}

/// The last one is larger than what the SDK sends in one request.
#[tokio::test]
async fn a_dead_letter_keeps_the_event_as_it_came() {
    let state = open("letters").await;
    let large = b"\x00\xff\r\n\n".repeat(2 << 20);
    for event in [&b""[..], b"{\"a\": 1.0}\r\n\n", b"\xff\x00\n", &large] {
        let feed = acme();
        let at = Timestamp::UNIX_EPOCH;
        let reason = DeadLetterReason::Malformed;
        let letter = DeadLetter { reason, feed: &feed, detail: "no JSON", event, at };
        let name = state.put_dead_letter(&letter).await.unwrap();
        assert_eq!(state.put_dead_letter(&letter).await.unwrap(), name, "put again");

        let stored = download(Azurite::shared().blob("letters", &name)).await;
        let stored = DeadLetter::parse(&stored).unwrap();
        assert!(stored.event == event, "{} bytes came back", stored.event.len());
    }
}

#[tokio::test]
async fn odd_characters_in_a_cluster_id_are_encoded_once() {
    let feed = feed("a/b c%41+ü_hosted");
    let state = open("odd").await;
    let written = checkpoint(&feed, "run-1", 1);
    let version = state.write_checkpoint(&feed, &written, None).await.unwrap();
    assert_eq!(state.read_checkpoint(&feed).await.unwrap(), Some((written, version)));
    let lease = state.lease(&feed).await.unwrap();
    assert!(is_lease_held(state.lease(&feed).await));
    lease.release().await.unwrap();

    let mut list = Azurite::shared().container("odd");
    list.query_pairs_mut().append_pair("restype", "container").append_pair("comp", "list");
    let list = String::from_utf8(download(list).await).unwrap();
    let name = "<Name>checkpoints/a%2Fb%20c%2541%2B%C3%BC_hosted-message.json</Name>";
    assert!(list.contains(name), "{list}");
}

#[tokio::test]
async fn a_sas_is_enough_for_an_existing_container() {
    let objects_only = Azurite::shared().connection_string_with_sas("rwc", "o");
    let error = try_open(&objects_only, "not-there").await.unwrap_err();
    assert!(matches!(error, StateError::Blob(BlobError::NotFound { .. })), "{error}");

    open("there").await;
    let state = try_open(&objects_only, "there").await.unwrap();
    let (feed, first) = (acme(), checkpoint(&acme(), "run-1", 1));
    state.write_checkpoint(&feed, &first, None).await.unwrap();
    state.lease(&feed).await.unwrap().release().await.unwrap();

    let read_only = Azurite::shared().connection_string_with_sas("r", "o");
    let state = try_open(&read_only, "there").await.unwrap();
    let error = state.write_checkpoint(&feed, &first, None).await.unwrap_err();
    assert!(matches!(error, StateError::Blob(BlobError::Denied { .. })), "{error}");
    assert!(!format!("{error:?} {state:?}").contains("sig="), "{error:?} {state:?}");
}

#[tokio::test]
async fn a_wrong_key_is_told_and_not_repeated() {
    let wrong = "aHVudGVyMg==";
    let connection_string = azurite::connection_string(Azurite::shared().authority(), wrong);
    let error = try_open(&connection_string, "wrong-key").await.unwrap_err();
    assert!(matches!(error, StateError::Blob(BlobError::Denied { .. })), "{error}");
    assert!(!format!("{error} {error:?}").contains(wrong), "{error:?}");
}
