//! The tables of the workspace: the one list of what the connector sends, from which the streams
//! of the data collection rule, the table schemas and the simulated workspace are made.

mod connector;
mod tap;

use crate::feed::EventType;
use crate::tap_kind::TapKind;
pub use connector::connector_table;
pub use tap::tap_table;

/// Type of a column, by its name in the Tables API.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ColumnType {
    /// A point in time, sent as RFC 3339 in UTC.
    DateTime,
    /// Text.
    String,
    /// A whole number of 32 bits.
    Int,
    /// A whole number of 64 bits.
    Long,
    /// A number.
    Real,
    /// True or false.
    Boolean,
    /// Any JSON value.
    Dynamic,
}

/// A column of a table.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Column {
    /// Its name, which for a column taken from an event is the event's key.
    pub name: &'static str,
    /// Its type.
    pub column_type: ColumnType,
}

const fn column(name: &'static str, column_type: ColumnType) -> Column {
    Column { name, column_type }
}

use ColumnType::{DateTime, Dynamic, String};

/// A table of the Logs Ingestion API's destination.
#[derive(Debug, PartialEq, Eq)]
pub struct Table {
    /// Name in the workspace, with `_CL`.
    pub name: &'static str,
    /// Name of the stream in the data collection rule.
    pub stream: &'static str,
    /// `Log-Type` under which the Data Collector API writes the same events; its table is this
    /// name with `_CL`.
    pub log_type: &'static str,
    /// The event's key that tells it from all others. In the connector's own table, the run's id.
    pub id: &'static str,
    /// All columns.
    pub columns: &'static [Column],
}

impl Table {
    /// The column that takes an event's top-level `key` as it is. Columns that the connector fills
    /// itself are not among them: an event that has such a key keeps it in `AdditionalFields`.
    pub fn event_column(&self, key: &str) -> Option<&'static Column> {
        let own = |column: &Column| {
            column.column_type == DateTime
                || column.name == ADDITIONAL_FIELDS
                || column.name == COLLECTED_BY
                || MESSAGE_PARTS[1..].contains(&column.name)
        };
        self.columns.iter().find(|column| column.name == key && !own(column))
    }
}

impl Table {
    /// The column of this name that takes a value of a TAP record. Columns that the connector fills
    /// itself are not among them.
    pub fn record_column(&self, key: &str) -> Option<&'static Column> {
        let own = |column: &Column| ["TimeGenerated", ADDITIONAL_FIELDS].contains(&column.name);
        self.columns.iter().find(|column| column.name == key && !own(column))
    }
}

/// Holds the keys of an event that have no column, and what was done to make the row fit.
pub const ADDITIONAL_FIELDS: &str = "AdditionalFields";

/// Says how the event was collected, so that rules can tell a back-fill from an outage that heals.
pub const COLLECTED_BY: &str = "CollectedBy";

/// Where `msgParts` goes when it is too long for one column, in this order.
pub const MESSAGE_PARTS: [&str; 4] = ["msgParts", "msgParts2", "msgParts3", "msgParts4"];

static MESSAGE: Table = Table {
    name: "ProofpointPODMessage_CL",
    stream: "Custom-ProofpointPODMessage_CL",
    log_type: "ProofpointPOD_message",
    id: "guid",
    columns: &[
        column("TimeGenerated", DateTime),
        column("eventTime", DateTime),
        column("guid", String),
        column("connection", Dynamic),
        column("envelope", Dynamic),
        column("msg", Dynamic),
        column("pps", Dynamic),
        column("metadata", Dynamic),
        column("filter", Dynamic),
        column(MESSAGE_PARTS[0], Dynamic),
        column(MESSAGE_PARTS[1], Dynamic),
        column(MESSAGE_PARTS[2], Dynamic),
        column(MESSAGE_PARTS[3], Dynamic),
        column(ADDITIONAL_FIELDS, Dynamic),
        column(COLLECTED_BY, String),
    ],
};

static MAILLOG: Table = Table {
    name: "ProofpointPODMailLog_CL",
    stream: "Custom-ProofpointPODMailLog_CL",
    log_type: "ProofpointPOD_maillog",
    id: "id",
    columns: &[
        column("TimeGenerated", DateTime),
        column("eventTime", DateTime),
        column("id", String),
        column("data", String),
        column("pps", Dynamic),
        column("metadata", Dynamic),
        column("sm", Dynamic),
        column("tls", Dynamic),
        column(ADDITIONAL_FIELDS, Dynamic),
        column(COLLECTED_BY, String),
    ],
};

static AUDIT: Table = Table {
    name: "ProofpointPODAudit_CL",
    stream: "Custom-ProofpointPODAudit_CL",
    log_type: "ProofpointPOD_audit",
    id: "guid",
    columns: &[
        column("TimeGenerated", DateTime),
        column("eventTime", DateTime),
        column("guid", String),
        column("audit", Dynamic),
        column("metadata", Dynamic),
        column(ADDITIONAL_FIELDS, Dynamic),
        column(COLLECTED_BY, String),
    ],
};

/// The table for events of a type.
pub fn table(event_type: EventType) -> &'static Table {
    match event_type {
        EventType::Message => &MESSAGE,
        EventType::Maillog => &MAILLOG,
        EventType::Audit => &AUDIT,
    }
}

/// All tables, those of events first, and the connector's own last.
pub fn tables() -> [&'static Table; 8] {
    let [message, maillog, audit] = EventType::ALL.map(table);
    let [delivered, blocked, permitted, stopped] = TapKind::ALL.map(tap_table);
    [message, maillog, audit, delivered, blocked, permitted, stopped, connector_table()]
}
