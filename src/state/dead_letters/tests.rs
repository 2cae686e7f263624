use std::path::{Path, PathBuf};

use jiff::Timestamp;
use proofpoint_sentinel_core::feed::EventType;
use proptest::prelude::*;

use super::*;
use crate::net::Net;
use crate::settings::StateSettings;

const HASH: &str = "0123456789abcdef0123456789abcdef";

struct Scene {
    directory: tempfile::TempDir,
    state: State,
}

impl Scene {
    async fn new() -> Scene {
        let directory = tempfile::tempdir().unwrap();
        let settings = StateSettings::Directory(directory.path().to_owned());
        let state = State::open(&settings, &Net::new(None).unwrap()).await.unwrap();
        Scene { directory, state }
    }

    async fn put(&self, reason: DeadLetterReason, event: &[u8]) -> DeadLetterName {
        let letter =
            DeadLetter { reason, feed: &feed(), detail: "why", event, at: Timestamp::UNIX_EPOCH };
        self.state.put_dead_letter(&letter).await.unwrap().parse().unwrap()
    }

    fn path(&self, name: impl AsRef<Path>) -> PathBuf {
        self.directory.path().join(name)
    }
}

fn feed() -> Feed {
    Feed::log("a/b-c%ü", EventType::Message)
}

#[tokio::test]
async fn is_listed_and_read_until_it_is_deleted() {
    let scene = Scene::new().await;
    assert_eq!(scene.state.list_dead_letters().await.unwrap(), []);
    let refused = scene.put(DeadLetterReason::Refused, b"{}\n").await;
    let malformed = scene.put(DeadLetterReason::Malformed, b"\xff").await;
    let listed = scene.state.list_dead_letters().await.unwrap();
    assert_eq!(listed, [malformed.clone(), refused.clone()]);
    assert_eq!((refused.reason(), refused.feed()), (DeadLetterReason::Refused, &feed()));

    let letter = scene.state.read_dead_letter(&refused).await.unwrap().unwrap();
    assert_eq!((letter.event.as_slice(), letter.detail.as_str()), (&b"{}\n"[..], "why"));
    for _ in 0..2 {
        scene.state.delete_dead_letter(&refused).await.unwrap();
        assert_eq!(scene.state.read_dead_letter(&refused).await.unwrap(), None);
    }
    assert_eq!(scene.state.list_dead_letters().await.unwrap(), [malformed]);
}

#[tokio::test]
async fn a_damaged_or_renamed_one_is_told_and_stays() {
    let scene = Scene::new().await;
    let name = scene.put(DeadLetterReason::Refused, b"{\"guid\":1}").await;
    let whole = std::fs::read(scene.path(name.to_string())).unwrap();
    let other = scene.put(DeadLetterReason::Refused, b"{}").await;
    for bytes in [&b""[..], b"\xff\xff", b"{}\n{}", &whole[..whole.len() - 1]] {
        std::fs::write(scene.path(name.to_string()), bytes).unwrap();
        let error = scene.state.read_dead_letter(&name).await.unwrap_err();
        assert!(matches!(error, StateError::DeadLetter { .. }), "{error}");
        assert!(error.to_string().contains(&name.to_string()), "{error}");
        assert_eq!(std::fs::read(scene.path(name.to_string())).unwrap(), bytes);
    }
    std::fs::write(scene.path(other.to_string()), whole).unwrap();
    let error = scene.state.read_dead_letter(&other).await.unwrap_err();
    assert!(error.to_string().contains("it was renamed"), "{error}");
}

#[tokio::test]
async fn what_is_no_dead_letter_is_not_listed() {
    let scene = Scene::new().await;
    let name = scene.put(DeadLetterReason::Refused, b"{}").await;
    std::fs::write(scene.path("dead-letters/notes.txt"), "").unwrap();
    std::fs::write(scene.path("dead-letters/refused/notes.json"), "").unwrap();
    assert_eq!(scene.state.list_dead_letters().await.unwrap(), [name]);
}

#[test]
fn no_other_object_can_be_named() {
    let name = format!("dead-letters/refused/acme-message/{HASH}.json");
    assert_eq!(name.parse::<DeadLetterName>().unwrap().to_string(), name);
    for name in [
        String::new(),
        "checkpoints/acme-message.json".to_owned(),
        format!("/{name}"),
        format!("./{name}"),
        format!("{name}/"),
        name.replace("refused", "REFUSED"),
        name.replace("refused", ".."),
        name.replace("acme-message", ".."),
        name.replace("acme-message", "../acme-message"),
        name.replace("acme-message", "acme"),
        name.replace(HASH, ".."),
        name.replace(HASH, &HASH.to_uppercase()),
        name.replace(HASH, &HASH[1..]),
        name.replace(".json", ""),
    ] {
        assert!(name.parse::<DeadLetterName>().is_err(), "{name}");
    }
}

proptest! {
    #[test]
    fn every_dead_letter_has_a_name_of_the_form(
        cluster_id in any::<String>(),
        event in proptest::collection::vec(any::<u8>(), 0..50),
    ) {
        let feed = Feed::log(cluster_id, EventType::Audit);
        let reason = DeadLetterReason::Oversize;
        let at = Timestamp::UNIX_EPOCH;
        let letter = DeadLetter { reason, feed: &feed, detail: "", event: &event, at };
        let name: DeadLetterName = letter.name().parse().unwrap();
        prop_assert_eq!((name.reason(), name.feed()), (reason, &feed));
        prop_assert_eq!(name.to_string(), letter.name());
    }
}
