//! What the connector told the workspace of itself.

use std::collections::{BTreeMap, BTreeSet};
use std::io;

use proofpoint_sentinel_core::tables::connector_table;
use serde::Deserialize;

use super::directory::DemoDirectory;

/// What the demo shows of a row of the connector's table.
#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct ConnectorRow {
    run_id: String,
    source: String,
    feed_type: String,
    hour: Option<String>,
    completeness: Option<String>,
}

/// How many hours the newest rows of the table call what, in one line.
pub(super) fn told(directory: &DemoDirectory) -> io::Result<String> {
    let table = connector_table();
    let rows = directory.rows(&[table.name.to_owned(), format!("{}_CL", table.log_type)])?;
    let rows = rows.iter().map(|row| serde_json::from_str::<ConnectorRow>(row));
    let rows: Vec<ConnectorRow> = rows.collect::<Result<_, _>>()?;
    let runs: BTreeSet<&String> = rows.iter().map(|row| &row.run_id).collect();
    let mut hours = BTreeMap::new();
    for row in &rows {
        if let (Some(hour), Some(completeness)) = (&row.hour, &row.completeness) {
            hours.insert((&row.source, &row.feed_type, hour), completeness);
        }
    }
    let mut counts: BTreeMap<&String, usize> = BTreeMap::new();
    for completeness in hours.into_values() {
        *counts.entry(completeness).or_default() += 1;
    }
    let counts: Vec<String> =
        counts.iter().map(|(word, count)| format!("{count} {word}")).collect();
    Ok(format!("{} tells of {} runs and of hours: {}.", table.name, runs.len(), counts.join(", ")))
}
