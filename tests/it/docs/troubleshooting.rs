//! docs/troubleshooting.md has every text that the program can say, and no other.

use std::collections::{BTreeMap, BTreeSet};

use crate::support::markdown;
use crate::support::repository::{read, root};
use crate::support::texts::texts_of;

const PAGE: &str = "docs/troubleshooting.md";

/// What is never seen in operation: stand-ins, the demo and fuzzing. Usage of the command line is
/// told by clap and counts as one message, under `Messages of others`.
const NOT_IN_OPERATION: [&str; 2] = ["src/cli/demo", "src/fuzz"];

/// Texts that are no messages, and why.
const NO_MESSAGES: [(&str, &[&str]); 5] = [
    (
        "what a programmer knows can't be: where it is, the operator reads `a fault in the program`",
        &[
            "32 bytes have a first 16",
            "32 bytes have a first 8",
            "HMAC takes keys of any length",
            "RFC 9110 can write every year of ours",
            "a String takes every write",
            "a date is ASCII",
            "a text can be written to memory",
            "an address made from a checked base is one that can be requested",
            "an hour made from a timestamp is in range",
            "it was pushed just here",
            "its maps have texts for keys",
            "no holder of the clock panics",
            "texts and numbers can be JSON",
            "the address was found to have a path when it was made",
            "the provider knows TLS 1.2 and 1.3",
            "the system clock can't be moved",
            "the workspace id was found to be ASCII, and base64 is",
            "the year of a wall clock has four digits",
            "writing to memory does not fail",
        ],
    ),
    (
        "what is said to a peer, in a protocol of theirs",
        &[
            "Basic …",
            "Bearer …",
            "CONNECT … HTTP/1.1 Host: … User-Agent: … …",
            "POST … application/json x-ms-date:… /api/logs",
            "Proxy-Authorization: …",
            "SharedKey …:…",
        ],
    ),
    (
        "what is looked for in the text of the HTTP client",
        &[
            "failed to create underlying connection",
            "proxy authorization required",
            "tunnel error:",
        ],
    ),
    (
        "what begins the text of an end in a checkpoint of version 1",
        &["closed with", "invalid data:"],
    ),
    (
        "names and layouts: of runs in state, for debugging, of hours, of the progress bar, a plural",
        &[
            "%Y-%m-%dT%H",
            "BlobObjects(… at …)",
            "SharedKey(…, ***)",
            "collect … to …",
            "resend …",
            "s",
            "… …/… hours … …",
        ],
    ),
];

#[test]
fn the_page_has_every_text_that_the_program_can_say_and_no_other() {
    let said = said();
    let listed = markdown::code_in_first_column(&read(PAGE), "message");
    let no_message: BTreeSet<&str> =
        NO_MESSAGES.iter().flat_map(|(_, texts)| texts.iter().copied()).collect();
    let mut faults = Vec::new();
    for (text, file) in &said {
        match (listed.contains(text), no_message.contains(text.as_str())) {
            (false, false) => faults.push(format!("{PAGE} lacks, from {file}: {text}")),
            (true, true) => faults.push(format!("{PAGE} has what is no message: {text}")),
            _ => {}
        }
    }
    let gone = listed.iter().filter(|text| !said.contains_key(*text));
    faults.extend(gone.map(|text| format!("{PAGE} has what the program does not say: {text}")));
    let gone = no_message.iter().filter(|text| !said.contains_key(**text));
    faults.extend(gone.map(|text| format!("this test names what is not in the source: {text}")));
    let mut once = BTreeSet::new();
    let twice = listed.iter().filter(|text| !once.insert(*text));
    faults.extend(twice.map(|text| format!("{PAGE} has twice: {text}")));
    assert!(faults.is_empty(), "\n{}\n", faults.join("\n"));
}

/// Each text of the library and of the command line, with its file.
fn said() -> BTreeMap<String, String> {
    let crates = ["crates/core/src/lib.rs", "src/lib.rs", "src/main.rs"];
    let said = crates.iter().flat_map(|file| texts_of(root(), file, &NOT_IN_OPERATION));
    said.collect()
}

#[test]
fn every_message_is_explained() {
    let text = read(PAGE);
    for header in ["message", "message of another program", "what you see"] {
        let rows = markdown::rows(&text, header);
        assert!(!rows.is_empty(), "{PAGE} has no table headed `{header}`");
        for cells in rows {
            let explained = cells.len() == 2 && !cells[1].is_empty();
            assert!(explained, "{PAGE} does not explain, or not in two columns: {}", cells[0]);
        }
    }
}

#[test]
fn what_is_left_out_is_there() {
    for folder in NOT_IN_OPERATION {
        assert!(root().join(format!("{folder}.rs")).is_file(), "{folder} is not there any more");
    }
}
