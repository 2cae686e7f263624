use crate::state::ledger_records;

/// Eight bytes, which say that it is a segment.
const HEAD: &[u8] = b"PODLDG01";

/// A segment of the ledger has as many ids as it has room for, and wherever it is cut the first of
/// them, unless too little is left to tell that it is a segment.
pub fn ledger(segment: &[u8]) {
    let is_segment = |bytes: &[u8]| bytes.is_empty() || bytes.starts_with(HEAD);
    let whole = ledger_records(segment).unwrap_or_default().as_flattened();
    assert!(whole.is_empty() || segment[HEAD.len()..].starts_with(whole));
    for cut in 0..=segment.len() {
        let part = &segment[..cut];
        match ledger_records(part) {
            Ok(ids) => {
                assert!(is_segment(part), "taken for a segment: {part:?}");
                assert_eq!(ids.len(), cut.saturating_sub(HEAD.len()) / 16, "cut at {cut}");
                assert!(whole.starts_with(ids.as_flattened()), "cut at {cut}");
            }
            Err(reason) => assert!(!is_segment(part) && !reason.is_empty(), "refused: {part:?}"),
        }
    }
}
