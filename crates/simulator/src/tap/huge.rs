//! Records for answers of any length, each made when it is asked for.

use std::ops::Range;
use std::sync::LazyLock;

use bytes::Bytes;
use jiff::{SignedDuration, Timestamp};
use proofpoint_sentinel_core::tap_kind::TapKind;
use serde_json::Value;

static MESSAGE: LazyLock<String> = LazyLock::new(|| compact(include_str!("huge/message.json")));
static CLICK: LazyLock<String> = LazyLock::new(|| compact(include_str!("huge/click.json")));

/// `count` records of `kind` that are created within `window`. The same windows have the same
/// records; those of other windows have other ids.
pub(super) fn records(
    kind: TapKind,
    window: &Range<Timestamp>,
    count: u64,
) -> impl Iterator<Item = Bytes> + Send + use<> {
    let start = window.start;
    let seconds = window.end.duration_since(start).as_secs().max(1).cast_unsigned();
    (0..count).map(move |number| {
        let after = SignedDuration::from_secs((number % seconds).cast_signed());
        record(kind, start, number, start + after)
    })
}

fn record(kind: TapKind, window_start: Timestamp, number: u64, at: Timestamp) -> Bytes {
    let template = if kind.is_message() { &*MESSAGE } else { &*CLICK };
    let of_window = format!("{:012x}", window_start.as_millisecond());
    let (first, second) = of_window.split_at(8);
    let id = format!("{first}-{second}-b000-c000-{number:012x}");
    let record = template
        .replace("$number", &number.to_string())
        .replace("$time", &format!("{at:.3}"))
        .replace("$id", &id);
    Bytes::from(record)
}

/// The JSON without blanks.
fn compact(text: &str) -> String {
    let value: Value = serde_json::from_str(text).expect("the template is JSON");
    value.to_string()
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;
    use crate::tap::TapRecord;

    #[test]
    fn records_are_distinct_and_lie_in_the_window() {
        let window =
            "2026-11-20T10:00:00Z".parse().unwrap().."2026-11-20T11:00:00Z".parse().unwrap();
        for kind in TapKind::ALL {
            let mut ids = BTreeSet::new();
            for record in records(kind, &window, 3601) {
                let created = TapRecord::dated(kind, record.clone()).unwrap().created_at;
                assert!(window.contains(&created));
                let record: Value = serde_json::from_slice(&record).unwrap();
                ids.insert(record["id"].as_str().unwrap().to_owned());
            }
            assert_eq!(ids.len(), 3601);
        }
    }
}
