use std::collections::BTreeSet;

use super::*;

#[test]
fn every_code_has_one_entry_and_every_entry_a_code() {
    let codes: Vec<String> = ALL.iter().map(ToString::to_string).collect();
    let written: Vec<&str> = entries().map(|entry| entry.code).collect();
    assert_eq!(codes, written, "docs/errors.md has the codes in their order");
    let once: BTreeSet<&String> = codes.iter().collect();
    assert_eq!(once.len(), codes.len());
}

#[test]
fn an_entry_says_cause_remedy_and_whether_it_heals() {
    for entry in entries() {
        assert!(!entry.title.ends_with('.') && !entry.title.is_empty(), "{}", entry.code);
        for part in [entry.cause, entry.remedy, entry.heals] {
            assert!(part.ends_with('.') && part.trim() == part, "{}: {part}", entry.code);
            // Text and JSON have it as it stands: one paragraph, with nothing in bold.
            assert!(!part.contains("\n\n") && !part.contains("**"), "{}: {part}", entry.code);
        }
    }
}

#[test]
fn a_code_is_found_however_it_is_written() {
    for text in ["PPS4003", "pps4003", "4003", " PPS4003\n"] {
        assert_eq!(ErrorCode::parse(text), Some(ROLE_MISSING), "{text}");
    }
    for text in ["", "PPS", "PPS400", "PPS40030", "PPS9999", "PPS-403", "ü4003", "PPS+403"] {
        assert_eq!(ErrorCode::parse(text), None, "{text}");
    }
    assert_eq!(ROLE_MISSING.to_string(), "PPS4003");
}
