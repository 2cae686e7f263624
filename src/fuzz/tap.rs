use bytes::Bytes;
use jiff::Timestamp;
use proofpoint_sentinel_core::tables::{ADDITIONAL_FIELDS, ColumnType};
use serde_json::{Map, Value};

use crate::row::RowShape;
use crate::row::frame::read;
use crate::row::tap::TapRowBuilder;
use crate::tap::{BodyError, RecordForm, RecordReader, TapProgress, TapRecord, TapTiming};

const MAX_RECORD: usize = 64;
const NOW: Timestamp = Timestamp::constant(1_790_000_000, 0);

/// The body of an answer gives the same records however it comes, and each that can be read a row that
/// fits its table.
pub fn tap_body(body: &[u8]) {
    let (whole, end) = records([body], usize::MAX);
    for size in [1, 7] {
        let (pieces, other_end) = records(body.chunks(size), usize::MAX);
        assert!(pieces == whole && other_end == end, "in pieces of {size}");
    }
    let (short, _) = records(body.chunks(5), MAX_RECORD);
    assert_eq!(short.len(), whole.len());
    assert!(short.iter().all(|record| record.bytes.len() <= MAX_RECORD));
    for record in whole {
        assert_eq!(record.form == RecordForm::Object, record.bytes.starts_with(b"{"));
        if let (RecordForm::Object, Some((text, repairs))) = (record.form, read(&record.bytes)) {
            for shape in [RowShape::Columns, RowShape::Legacy] {
                let builder = TapRowBuilder::new(record.kind, shape);
                let mut row = Vec::new();
                let built = builder.append(&text, repairs, NOW, &mut row).expect("it was read");
                assert!(built.id.starts_with(record.kind.as_str()));
                let row: Map<String, Value> = serde_json::from_slice(&row).expect("a row is JSON");
                if shape == RowShape::Columns {
                    fits_its_table(&builder, &row);
                }
            }
        }
    }
}

fn records<'a>(
    pieces: impl IntoIterator<Item = &'a [u8]>,
    most: usize,
) -> (Vec<TapRecord>, Result<(), BodyError>) {
    let mut reader = RecordReader::new(most);
    let mut records = Vec::new();
    for piece in pieces {
        reader.push(Bytes::copy_from_slice(piece));
        loop {
            match reader.next_record() {
                Ok(Some(record)) => records.push(record),
                Ok(None) => break,
                // What is found there depends on how much of it has come.
                Err(BodyError::NotExpected { at, .. }) => {
                    return (records, Err(BodyError::NotExpected { at, found: String::new() }));
                }
                Err(error) => return (records, Err(error)),
            }
        }
    }
    (records, reader.finish().map(drop))
}

fn fits_its_table(builder: &TapRowBuilder, row: &Map<String, Value>) {
    for (name, value) in row {
        let column = builder.table().columns.iter().find(|column| column.name == name);
        let column_type = column.unwrap_or_else(|| panic!("no column {name}")).column_type;
        let fits = value.is_null()
            || match column_type {
                ColumnType::DateTime => value.as_str().is_some_and(|text| text.contains('T')),
                ColumnType::String => value.is_string(),
                ColumnType::Int => value.as_i64().is_some_and(|int| i32::try_from(int).is_ok()),
                ColumnType::Boolean => value.is_boolean(),
                ColumnType::Long | ColumnType::Real => value.is_number(),
                ColumnType::Dynamic => name != ADDITIONAL_FIELDS || value.is_object(),
            };
        assert!(fits, "{name}: {value}");
    }
}

/// Progress that is accepted can be planned with, and is stored and read again as it is.
pub fn tap_progress(json: &[u8]) {
    let Ok(mut progress) = serde_json::from_slice::<TapProgress>(json) else { return };
    if progress.check().is_err() {
        return;
    }
    let stored = serde_json::to_vec(&progress).expect("it can be stored");
    assert!(serde_json::from_slice::<TapProgress>(&stored).is_ok_and(|again| again == progress));
    let timing = TapTiming { interval: jiff::SignedDuration::from_secs(60), false_positives: true };
    for now in [NOW, NOW - jiff::SignedDuration::from_hours(9_000)] {
        let _ = progress.next(timing, now);
        assert_eq!(progress.check(), Ok(()));
    }
}
