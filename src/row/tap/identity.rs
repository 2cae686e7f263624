//! What tells TAP records apart.
//!
//! The service gives a record again to every call whose window contains it, with the elements of its
//! lists in another order. When a verdict changes it gives the record anew, perhaps with the same id.
//! So a record is known by its kind, its id, and the set of its threats with their statuses: what is
//! read again is dropped, and a verdict that changed is a new row.

use std::collections::BTreeSet;

use proofpoint_sentinel_core::tap_kind::TapKind;

use super::record::Record;
use crate::row::event::elements;
use crate::row::text::{canonical_json, string_value};

/// What the ledger knows a record by, as a text. Without an id it is known by its message, its
/// recipients, its own time and its address instead, and without all of those by all of it.
pub(super) fn identity(kind: TapKind, text: &str, record: &Record<'_>) -> String {
    let mut key = kind.as_str().to_owned();
    match own_id(kind, record) {
        Some(own) => own.iter().for_each(|part| push(&mut key, part)),
        None => push(&mut key, &canonical_json(text)),
    }
    let verdicts: BTreeSet<(String, String)> = record
        .verdicts
        .iter()
        .map(|verdict| {
            // The case of a status has changed before.
            let status = text_of(verdict.status).to_ascii_lowercase();
            (text_of(verdict.threat_id), status)
        })
        .collect();
    for (threat, status) in verdicts {
        push(&mut key, &threat);
        push(&mut key, &status);
    }
    key
}

/// The id, or what stands in for it; `None` if there is nothing.
fn own_id(kind: TapKind, record: &Record<'_>) -> Option<Vec<String>> {
    let id = text_of(record.value("id"));
    if !id.is_empty() {
        return Some(vec![id]);
    }
    let time = if kind.is_message() { "messageTime" } else { "clickTime" };
    let guid = text_of(record.value("GUID"));
    let (time, url) = (text_of(record.value(time)), text_of(record.value("url")));
    let mut recipients = recipients(record.value("recipient"));
    if guid.is_empty() && time.is_empty() && url.is_empty() && recipients.is_empty() {
        return None;
    }
    let mut own = vec![String::new(), guid, time, url];
    own.append(&mut recipients);
    Some(own)
}

/// One recipient or a list of them, in order.
fn recipients(value: Option<&str>) -> Vec<String> {
    let list = value.and_then(elements);
    let mut texts: Vec<String> = match list {
        Some(list) => list.into_iter().map(|element| text_of(Some(element))).collect(),
        None => vec![text_of(value)],
    };
    texts.retain(|text| !text.is_empty());
    texts.sort_unstable();
    texts
}

/// The text of a value: nothing for `null`, and the JSON of what is no text.
fn text_of(value: Option<&str>) -> String {
    match value {
        None | Some("null") => String::new(),
        Some(value) => {
            string_value(value).map_or_else(|| value.to_owned(), |text| text.into_owned())
        }
    }
}

/// Appends a text so that no two lists of texts give the same key.
fn push(key: &mut String, text: &str) {
    key.push('\n');
    key.push_str(&serde_json::Value::from(text).to_string());
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(kind: TapKind, record: &str) -> String {
        identity(kind, record, &Record::read(kind, record).unwrap())
    }

    fn message(record: &str) -> String {
        key(TapKind::MessagesDelivered, record)
    }

    const TWO: &str = r#"{"id":"1","threatsInfoMap":[{"threatID":"a","threatStatus":"active"},{"threatID":"b","threatStatus":"cleared"}],"recipient":["x"]}"#;

    #[test]
    fn the_order_of_lists_and_keys_does_not_matter() {
        let other = r#"{"recipient":["y"],"threatsInfoMap":[{"threatStatus":"cleared","threatId":"b"},{"threatID":"a","threatStatus":"ACTIVE"},{"threatID":"a","threatStatus":"active"}],"id":"1"}"#;
        assert_eq!(message(TWO), message(other));
    }

    #[test]
    fn a_verdict_that_changed_is_another_record() {
        let changed = TWO.replace("cleared", "falsepositive");
        let other_id = TWO.replace(r#""id":"1""#, r#""id":"2""#);
        let other_threat = TWO.replace(r#""b""#, r#""c""#);
        let all = [TWO, &changed, &other_id, &other_threat].map(message);
        assert_eq!(BTreeSet::from(all).len(), 4);
        assert_ne!(message(TWO), key(TapKind::MessagesBlocked, TWO));
        let click = |status: &str| {
            let text = format!(r#"{{"id":"1","threatID":"a","threatStatus":"{status}"}}"#);
            key(TapKind::ClicksPermitted, &text)
        };
        assert_ne!(click("active"), click("cleared"));
    }

    #[test]
    fn without_an_id_the_message_and_its_recipients_tell() {
        let record = |guid: &str, recipient: &str, time: &str, id: &str| {
            message(&format!(
                r#"{{"GUID":"{guid}","recipient":{recipient},"messageTime":"{time}"{id}}}"#
            ))
        };
        let first = record("g", r#"["b","a"]"#, "t", "");
        for same in ["", r#","id":null"#, r#","id":"""#] {
            assert_eq!(first, record("g", r#"["a","b"]"#, "t", same), "{same}");
        }
        assert_eq!(record("g", r#""a""#, "t", ""), record("g", r#"["a"]"#, "t", ""));
        for other in [
            record("h", r#"["a","b"]"#, "t", ""),
            record("g", r#"["a"]"#, "t", ""),
            record("g", r#"["a","b"]"#, "u", ""),
            record("g", r#"["a","b"]"#, "t", r#","id":"1""#),
        ] {
            assert_ne!(first, other);
        }
        let click = |url: &str| key(TapKind::ClicksBlocked, &format!(r#"{{"url":"{url}"}}"#));
        assert_ne!(click("http://a"), click("http://b"));
    }

    #[test]
    fn a_record_without_anything_is_known_by_all_of_it() {
        let first = message(r#"{"subject":"a","sender":"b"}"#);
        assert_eq!(first, message(r#"{"sender":"b","subject":"a"}"#));
        assert_ne!(first, message(r#"{"sender":"b","subject":"c"}"#));
    }
}
