//! The table of what the connector says of itself: a row for each run of a feed, and one for each hour
//! of a feed whose state changed. It is what shows in the workspace that everything arrived.

use super::ColumnType::{DateTime, Dynamic, Long, Real, String};
use super::{Table, column};

static CONNECTOR: Table = Table {
    name: "ProofpointConnector_CL",
    stream: "Custom-ProofpointConnector_CL",
    log_type: "ProofpointConnector",
    id: "RunId",
    columns: &[
        column("TimeGenerated", DateTime),
        column("RecordType", String),
        column("Source", String),
        column("Account", String),
        column("FeedType", String),
        column("ConnectorVersion", String),
        column("RunId", String),
        column("Outcome", String),
        column("Code", String),
        column("Reason", String),
        column("DurationSeconds", Real),
        column("Events", Long),
        column("Delivered", Long),
        column("Duplicates", Long),
        column("DeadLetters", Long),
        column("DeadLetterReasons", Dynamic),
        column("LagSeconds", Real),
        column("NewestEvent", DateTime),
        column("HoursDue", Long),
        column("HoursLost", Long),
        column("CallsUsed", Long),
        column("CallsLeft", Long),
        column("Hour", DateTime),
        column("Completeness", String),
        column("Attempts", Long),
        column("Live", Long),
        column("Archive", Long),
        column("Late", Long),
    ],
};

/// The table of what the connector says of itself.
pub fn connector_table() -> &'static Table {
    &CONNECTOR
}
