//! Checks that the rows of the workspace are the events that happened.

use std::collections::HashSet;

use serde::Deserialize;

/// The id in an event or its row. Mail log lines name it otherwise than messages and audits.
#[derive(Deserialize)]
struct Id {
    #[serde(alias = "guid")]
    id: String,
}

fn id(json: &[u8]) -> Result<String, String> {
    let id: Id = serde_json::from_slice(json).map_err(|error| error.to_string())?;
    Ok(id.id)
}

/// Checks that no row is there twice and that there is one for each event of `closed`. Gives how
/// many rows there are besides.
pub(super) fn check(
    rows: &[String],
    closed: impl IntoIterator<Item = impl AsRef<[u8]>>,
) -> Result<usize, String> {
    let mut others = HashSet::new();
    for row in rows {
        let id = id(row.as_bytes())?;
        if let Some(twice) = others.replace(id) {
            return Err(format!("the event {twice} arrived twice"));
        }
    }
    for event in closed {
        let id = id(event.as_ref())?;
        if !others.remove(&id) {
            return Err(format!("the event {id} did not arrive"));
        }
    }
    Ok(others.len())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_event_has_one_row() {
        let rows = |ids: &[&str]| -> Vec<String> {
            ids.iter().map(|id| format!(r#"{{"TimeGenerated":"x","guid":"{id}"}}"#)).collect()
        };
        let closed = [r#"{"guid":"a"}"#, r#"{"id":"b","sm":{}}"#];
        assert_eq!(check(&rows(&["b", "a"]), closed), Ok(0));
        assert_eq!(check(&rows(&["c", "b", "a"]), closed), Ok(1));
        assert!(check(&rows(&["b"]), closed).unwrap_err().contains("a did not arrive"));
        assert!(check(&rows(&["a", "b", "a"]), closed).unwrap_err().contains("a arrived twice"));
    }
}
