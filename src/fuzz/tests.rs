use std::fs;
use std::path::Path;

/// Checks the property for every file of the corpus. The output of a failed test names the file.
fn check(corpus: &str, property: fn(&[u8])) {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz/corpus").join(corpus);
    let entries = fs::read_dir(&folder).unwrap_or_else(|error| panic!("{folder:?}: {error}"));
    let mut files: Vec<_> = entries.map(|entry| entry.unwrap().path()).collect();
    files.sort();
    assert!(!files.is_empty(), "{folder:?} has no files");
    for file in files {
        println!("{}", file.display());
        property(&fs::read(file).unwrap());
    }
}

#[test]
fn frames() {
    check("frame", super::frame);
}

#[test]
fn envelopes() {
    check("envelope", super::envelope);
}

#[test]
fn settings() {
    check("settings", super::settings);
}

#[test]
fn checkpoints() {
    check("checkpoint", super::checkpoint);
}

#[test]
fn ledgers() {
    check("ledger", super::ledger);
}

#[test]
fn tap_bodies() {
    check("tap_body", super::tap_body);
}

#[test]
fn tap_progress() {
    check("tap_progress", super::tap_progress);
}

#[test]
fn web_requests() {
    check("web_request", super::web_request);
}
