//! Disks that are full and directories that are read-only.
//!
//! A limit on the size of files, or on what root may do, holds for a whole process. So the tests
//! run themselves again in a process of their own.

use std::fs;
use std::os::unix::fs::{PermissionsExt as _, symlink};
use std::path::{Path, PathBuf};
use std::process::Command;

use bytes::Bytes;
use jiff::Timestamp;
use proofpoint_sentinel_core::feed::{EventType, Feed};
use proofpoint_sentinel_core::hour::Hour;

use crate::net::Net;
use crate::settings::StateSettings;
use crate::state::{Arrival, Checkpoint, EventId, State, StateError, Version};

/// Set in the process that a test runs itself in.
const INSIDE: &str = "PROOFPOINT_SENTINEL_TEST_INSIDE";

/// Runs the test `name` of this module again, after `setup` in the language of `sh`, unless this is
/// that process already. Says whether it is.
fn is_inside(name: &str, setup: &str) -> bool {
    if std::env::var_os(INSIDE).is_some() {
        return true;
    }
    let (_, module) = module_path!().split_once("::").unwrap();
    let output = Command::new("sh")
        .args(["-c", &format!("{setup}\nexec \"$@\""), "sh"])
        .arg(std::env::current_exe().unwrap())
        .args(["--exact", &format!("{module}::{name}"), "--nocapture"])
        .env(INSIDE, "1")
        .output()
        .unwrap();
    let (told, errors) =
        (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert!(told.contains("1 passed"), "{told}\n{errors}");
    false
}

async fn open(root: &Path) -> Result<State, StateError> {
    State::open(&StateSettings::Directory(root.to_owned()), &Net::new(None).unwrap()).await
}

fn feed() -> Feed {
    Feed::log("acme", EventType::Message)
}

fn now() -> Timestamp {
    "2026-11-20T10:46:00Z".parse().unwrap()
}

fn hour() -> Hour {
    Hour::containing(now())
}

fn ids(numbers: std::ops::Range<usize>) -> Vec<EventId> {
    numbers.map(|number| EventId::of(number.to_string())).collect()
}

fn checkpoint(sequence: u64, writer: &str) -> Checkpoint {
    Checkpoint { sequence, ..Checkpoint::starting_at(hour(), &feed(), writer, now()) }
}

/// A state that holds something of each kind, and the version of its checkpoint.
async fn filled(root: &Path) -> (State, Version) {
    let state = open(root).await.unwrap();
    let version = state.write_checkpoint(&feed(), &checkpoint(1, "run-1"), None).await.unwrap();
    state.write_status(&feed(), "{}".into()).await.unwrap();
    state
        .append_ledger(&feed(), Arrival::Uncounted.of(hour()), now(), "run-1", &ids(0..10))
        .await
        .unwrap();
    (state, version)
}

/// It holds what [`filled`] put there, but perhaps more ids.
async fn assert_intact(state: &State, version: &Version) {
    let stored = state.read_checkpoint(&feed()).await.unwrap();
    assert_eq!(stored, Some((checkpoint(1, "run-1"), version.clone())));
    assert_eq!(state.read_status(&feed()).await.unwrap().unwrap(), "{}");
    let stored = state.read_ledger(&feed(), hour()).await.unwrap().ids;
    assert!(ids(0..10).into_iter().all(|id| stored.contains(id)));
}

/// Tries to write each of these anew, in vain, and tells what is said of it: a larger checkpoint, a
/// larger status and another run's segment.
async fn refusals(state: &State, version: &Version) -> [StateError; 3] {
    const LARGE: usize = 20_000;
    let large = checkpoint(2, &"x".repeat(LARGE));
    let ids = ids(0..LARGE / 16);
    [
        state.write_checkpoint(&feed(), &large, Some(version)).await.unwrap_err(),
        state.write_status(&feed(), Bytes::from(vec![b' '; LARGE])).await.unwrap_err(),
        state
            .append_ledger(&feed(), Arrival::Uncounted.of(hour()), now(), "run-2", &ids)
            .await
            .unwrap_err(),
    ]
}

/// The files that [`refusals`] would write, as they are called meanwhile.
fn temporaries(root: &Path) -> [PathBuf; 3] {
    let segment = format!("ledger/{}/{}/{}-b9d17232a4c83d99.ids", feed(), hour(), hour());
    [format!("checkpoints/{}.json", feed()), format!("status/{}.json", feed()), segment]
        .map(|name| root.join(name + super::replace::TEMPORARY))
}

#[tokio::test]
async fn a_full_disk_is_told_and_what_was_stored_is_intact() {
    let root = tempfile::tempdir().unwrap();
    let (state, version) = filled(root.path()).await;
    for path in temporaries(root.path()) {
        symlink("/dev/full", path).unwrap();
    }
    for error in refusals(&state, &version).await {
        assert!(error.to_string().contains("make room, and the next run goes on"), "{error}");
    }
    assert_intact(&state, &version).await;

    for path in temporaries(root.path()) {
        fs::remove_file(path).unwrap();
    }
    state.write_checkpoint(&feed(), &checkpoint(2, "run-2"), Some(&version)).await.unwrap();
}

#[tokio::test]
async fn a_torn_write_leaves_the_old_ids_or_whole_new_ones() {
    // No file may have more than a few KiB.
    let name = "a_torn_write_leaves_the_old_ids_or_whole_new_ones";
    if !is_inside(name, "trap '' XFSZ; ulimit -S -f 8") {
        return;
    }
    let root = tempfile::tempdir().unwrap();
    let (state, version) = filled(root.path()).await;
    for error in refusals(&state, &version).await {
        assert!(error.to_string().contains("too large"), "{error}");
    }
    assert_intact(&state, &version).await;
    assert_eq!(state.read_ledger(&feed(), hour()).await.unwrap().ids.len(), 10);

    let more = state
        .append_ledger(&feed(), Arrival::Uncounted.of(hour()), now(), "run-1", &ids(10..5_000))
        .await;
    assert!(more.unwrap_err().to_string().contains("append to"));
    assert_intact(&state, &version).await;
    let stored = state.read_ledger(&feed(), hour()).await.unwrap().ids;
    assert!((11..5_000).contains(&stored.len()), "{}", stored.len());
    assert!(ids(0..stored.len()).into_iter().all(|id| stored.contains(id)));
}

#[tokio::test]
async fn a_read_only_directory_is_told_and_can_be_read() {
    // Without this, root may write wherever it likes.
    let bound = "if [ \"$(id -u)\" = 0 ]; then \
        set -- setpriv --inh-caps=-dac_override --bounding-set=-dac_override \"$@\"; fi";
    if !is_inside("a_read_only_directory_is_told_and_can_be_read", bound) {
        return;
    }
    let root = tempfile::tempdir().unwrap();
    let (state, version) = filled(root.path()).await;
    set_mode(root.path(), 0o555);
    for error in refusals(&state, &version).await {
        assert!(error.to_string().contains("the right to read and write there"), "{error}");
    }
    let error = open(root.path()).await.unwrap_err();
    assert!(error.to_string().contains("the right to read and write there"), "{error}");
    assert_intact(&state, &version).await;

    set_mode(root.path(), 0o755);
    state.write_checkpoint(&feed(), &checkpoint(2, "run-2"), Some(&version)).await.unwrap();
}

/// The directory and all in it.
fn set_mode(path: &Path, mode: u32) {
    fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
    if path.is_dir() {
        for entry in fs::read_dir(path).unwrap() {
            set_mode(&entry.unwrap().path(), mode);
        }
    }
}
