use std::fs;
use std::path::Path;

/// Puts every file of the corpus to the law. The output of a test that fails names the file.
fn hold(corpus: &str, law: fn(&[u8])) {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz/corpus").join(corpus);
    let entries = fs::read_dir(&folder).unwrap_or_else(|error| panic!("{folder:?}: {error}"));
    let mut files: Vec<_> = entries.map(|entry| entry.unwrap().path()).collect();
    files.sort();
    assert!(!files.is_empty(), "{folder:?} has no files");
    for file in files {
        println!("{}", file.display());
        law(&fs::read(file).unwrap());
    }
}

#[test]
fn frames() {
    hold("frame", super::frame);
}

#[test]
fn envelopes() {
    hold("envelope", super::envelope);
}

#[test]
fn settings() {
    hold("settings", super::settings);
}

#[test]
fn checkpoints() {
    hold("checkpoint", super::checkpoint);
}

#[test]
fn ledgers() {
    hold("ledger", super::ledger);
}
