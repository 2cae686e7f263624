//! Checks that the rows of the workspace are the events and records that there were.

use std::collections::{BTreeSet, HashSet};

use proofpoint_sentinel_core::feed::FeedType;
use serde::Deserialize;
use serde::de::DeserializeOwned;

/// The id in an event or its row. Mail log lines name it otherwise than messages and audits.
#[derive(Deserialize)]
struct Id {
    #[serde(alias = "guid")]
    id: String,
}

/// What tells TAP records apart: a verdict that changes makes a record anew, with the same id.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Record {
    id: String,
    /// Of a click.
    threat_status: Option<String>,
    /// Of a message.
    threats_info_map: Option<Threats>,
}

/// The Data Collector API gets lists as text.
#[derive(Deserialize)]
#[serde(untagged)]
enum Threats {
    List(Vec<Threat>),
    Text(String),
}

#[derive(Deserialize, PartialEq, Eq, PartialOrd, Ord, Debug)]
#[serde(rename_all = "camelCase")]
struct Threat {
    /// Proofpoint spells it in two ways.
    #[serde(rename = "threatID", alias = "threatId")]
    threat_id: Option<String>,
    threat_status: Option<String>,
}

fn parsed<T: DeserializeOwned>(json: &[u8]) -> Result<T, String> {
    serde_json::from_slice(json).map_err(|error| error.to_string())
}

/// What an event or record, or its row, is known by.
fn id(feed_type: FeedType, json: &[u8]) -> Result<String, String> {
    if feed_type != FeedType::Tap {
        return parsed(json).map(|Id { id }| id);
    }
    let record: Record = parsed(json)?;
    let threats: BTreeSet<Threat> = match record.threats_info_map {
        None => BTreeSet::new(),
        Some(Threats::List(list)) => list.into_iter().collect(),
        Some(Threats::Text(text)) => parsed(text.as_bytes())?,
    };
    Ok(format!("{} {:?} {threats:?}", record.id, record.threat_status))
}

/// Checks that no row is there twice and that there is one for each event or record of `closed`.
/// Gives how many rows there are besides.
pub(super) fn check(
    feed_type: FeedType,
    rows: &[String],
    closed: impl IntoIterator<Item = impl AsRef<[u8]>>,
) -> Result<usize, String> {
    let mut others = HashSet::new();
    for row in rows {
        let id = id(feed_type, row.as_bytes())?;
        if let Some(twice) = others.replace(id) {
            return Err(format!("the event {twice} arrived twice"));
        }
    }
    for event in closed {
        let id = id(feed_type, event.as_ref())?;
        if !others.remove(&id) {
            return Err(format!("the event {id} did not arrive"));
        }
    }
    Ok(others.len())
}

#[cfg(test)]
mod tests {
    use proofpoint_sentinel_core::feed::EventType;

    use super::*;

    #[test]
    fn every_event_has_one_row() {
        let log = FeedType::Log(EventType::Message);
        let rows = |ids: &[&str]| -> Vec<String> {
            ids.iter().map(|id| format!(r#"{{"TimeGenerated":"x","guid":"{id}"}}"#)).collect()
        };
        let closed = [r#"{"guid":"a"}"#, r#"{"id":"b","sm":{}}"#];
        assert_eq!(check(log, &rows(&["b", "a"]), closed), Ok(0));
        assert_eq!(check(log, &rows(&["c", "b", "a"]), closed), Ok(1));
        let missing = check(log, &rows(&["b"]), closed).unwrap_err();
        assert!(missing.contains("a did not arrive"), "{missing}");
        let twice = check(log, &rows(&["a", "b", "a"]), closed).unwrap_err();
        assert!(twice.contains("a arrived twice"), "{twice}");
    }

    #[test]
    fn each_verdict_on_a_record_has_one_row() {
        let threats = |status: &str, rest: &str| {
            format!(r#"[{rest}{{"threatId":"t","threatStatus":"{status}","x":1}}]"#)
        };
        let other = r#"{"threatStatus":"active","threatID":"s"},"#;
        let record = |threats: &str| format!(r#"{{"id":"m","threatsInfoMap":{threats}}}"#);
        let (active, cleared) = (threats("active", ""), threats("cleared", ""));
        let closed = [record(&active), record(&cleared)];
        let as_text = |list: &str| record(&serde_json::to_string(list).unwrap());
        let rows = [as_text(&cleared), record(&active), record(&threats("active", other))];
        assert_eq!(check(FeedType::Tap, &rows, &closed), Ok(1));
        let click = |status: &str| format!(r#"{{"id":"c","threatStatus":"{status}"}}"#);
        let clicks = [click("active"), click("cleared")];
        assert_eq!(check(FeedType::Tap, &clicks, &clicks), Ok(0));
        assert!(check(FeedType::Tap, &clicks[..1], &clicks).is_err());
        assert!(check(FeedType::Tap, &[click("a"), click("a")], [""; 0]).is_err());
    }
}
