//! What the tests of the Sentinel content take for the workspace's tables.

use proofpoint_sentinel_core::tables::{ColumnType, tables};
use serde_json::{Map, Value};

#[test]
fn queries_are_checked_against_the_connectors_tables() {
    let mut expected = Map::new();
    for table in tables() {
        let columns: Map<String, Value> = table
            .columns
            .iter()
            .map(|column| (column.name.into(), kusto(column.column_type).into()))
            .collect();
        expected.insert(table.name.into(), columns.into());
    }
    let written: Value = serde_json::from_str(include_str!("../sentinel/tables.json")).unwrap();
    assert_eq!(
        written,
        Value::Object(expected.clone()),
        "tests/sentinel/tables.json should be:\n{}",
        serde_json::to_string_pretty(&expected).unwrap()
    );
}

fn kusto(column_type: ColumnType) -> &'static str {
    match column_type {
        ColumnType::DateTime => "datetime",
        ColumnType::String => "string",
        ColumnType::Dynamic => "dynamic",
        ColumnType::Int => "int",
        ColumnType::Long => "long",
        ColumnType::Real => "real",
        ColumnType::Boolean => "bool",
    }
}
