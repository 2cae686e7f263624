//! Records in memory, for tests.

use std::collections::HashMap;
use std::ops::Range;
use std::sync::{Arc, Mutex, MutexGuard};

use jiff::Timestamp;

use super::record::TapRecord;
use super::record_source::RecordSource;

/// Records in memory. Clones share the same records. Records can be added at any time.
#[derive(Clone, Debug, Default)]
pub struct InMemoryRecords(Arc<Mutex<HashMap<String, Vec<TapRecord>>>>);

impl InMemoryRecords {
    /// Adds `records` to those of the credential `principal`.
    pub fn add(&self, principal: &str, records: impl IntoIterator<Item = TapRecord>) {
        self.lock().entry(principal.to_owned()).or_default().extend(records);
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<String, Vec<TapRecord>>> {
        self.0.lock().expect("no holder of the records panics")
    }
}

impl RecordSource for InMemoryRecords {
    /// The records are in the order of their addition.
    fn records(
        &self,
        principal: &str,
        window: &Range<Timestamp>,
        now: Timestamp,
    ) -> Vec<TapRecord> {
        let records = self.lock();
        let own = records.get(principal).into_iter().flatten();
        own.filter(|record| window.contains(&record.created_at) && record.exists_at(now))
            .cloned()
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proofpoint_sentinel_core::tap_kind::TapKind;

    fn at(text: &str) -> Timestamp {
        format!("2026-11-20T{text}Z").parse().unwrap()
    }

    #[test]
    fn a_window_has_what_was_created_in_it_and_is_indexed() {
        let source = InMemoryRecords::default();
        let record =
            |body: &'static str, created| TapRecord::new(TapKind::ClicksBlocked, at(created), body);
        source.add("a", [record("late", "10:00:00").indexed_at(at("10:30:00"))]);
        source.add("a", [record("end", "11:00:00"), record("timely", "10:59:59")]);
        source.add("b", [record("other", "10:30:00")]);
        let bodies = |now| {
            let records = source.records("a", &(at("10:00:00")..at("11:00:00")), at(now));
            records.into_iter().map(|record| record.body).collect::<Vec<_>>()
        };
        assert_eq!(bodies("10:29:59"), Vec::<&str>::new());
        assert_eq!(bodies("10:30:00"), ["late"]);
        assert_eq!(bodies("12:00:00"), ["late", "timely"]);
    }
}
