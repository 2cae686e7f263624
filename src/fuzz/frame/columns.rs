use proofpoint_sentinel_core::tables::{
    ADDITIONAL_FIELDS, COLLECTED_BY, ColumnType, MESSAGE_PARTS, table,
};

use super::{RECEIVED, Seen, text_of};
use crate::row::RowShape;
use crate::row::cells::MAX_VALUE_BYTES;

/// Whether the connector fills the column itself.
pub(super) fn is_own(column: &str) -> bool {
    ["TimeGenerated", "eventTime", ADDITIONAL_FIELDS, COLLECTED_BY].contains(&column)
        || MESSAGE_PARTS[1..].contains(&column)
}

impl Seen<'_> {
    /// Every column is one of the table's and short enough.
    pub(super) fn columns_hold(&self) {
        // Rules see the row: the time of its receipt stands for one that is old or yet to come.
        let generated = text_of(self.row["TimeGenerated"]).expect("a text");
        let at = text_of(self.row["eventTime"]).expect("a text");
        assert!(generated == at || generated == RECEIVED.to_string(), "{at}: {generated}");
        let columns = table(self.event_type).columns;
        for (name, value) in &self.row {
            let column = columns.iter().find(|column| column.name == name);
            let column = column.unwrap_or_else(|| panic!("the table has no column {name}"));
            let length = match column.column_type {
                ColumnType::Dynamic => value.len(),
                _ => text_of(value).map_or(value.len(), |text| text.len()),
            };
            assert!(length <= MAX_VALUE_BYTES, "{name} has {length} bytes");
        }
    }

    /// Whether `found`, in a column for text, is the text of what `value` says.
    pub(super) fn is_as_text(&self, column: &str, found: &str, value: &str) -> bool {
        let columns = table(self.event_type).columns;
        let takes_text = columns
            .iter()
            .any(|known| known.name == column && known.column_type == ColumnType::String);
        let said = text_of(value).unwrap_or_else(|| value.to_owned());
        self.shape == RowShape::Columns && takes_text && text_of(found) == Some(said)
    }
}
