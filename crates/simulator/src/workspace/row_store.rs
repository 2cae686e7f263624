//! Stores accepted rows and violations.

use std::collections::BTreeMap;
use std::fs::OpenOptions;
use std::io::{self, Write};
use std::path::PathBuf;
use std::sync::{Mutex, MutexGuard};

use super::rows::Violation;
use super::settings::RowStorage;

/// How many violations are stored. The others are only counted.
const MAX_VIOLATIONS: usize = 1000;

/// Accepted rows and violations.
pub(super) struct RowStore {
    row_storage: RowStorage,
    stored: Mutex<StoredRows>,
}

#[derive(Default)]
struct StoredRows {
    posts: u64,
    /// Rows by table, each with the number of its post.
    rows: BTreeMap<String, Vec<(u64, String)>>,
    violations: Vec<Violation>,
}

impl RowStore {
    pub(super) fn new(row_storage: RowStorage) -> RowStore {
        RowStore { row_storage, stored: Mutex::default() }
    }

    /// Stores the rows of one post, each a line of JSON.
    pub(super) fn add(&self, table: &str, rows: &[String]) -> io::Result<()> {
        match &self.row_storage {
            RowStorage::Memory => {
                let mut stored = self.lock();
                stored.posts += 1;
                let numbered = std::iter::repeat(stored.posts).zip(rows.iter().cloned());
                stored.rows.entry(table.to_owned()).or_default().extend(numbered);
                Ok(())
            }
            RowStorage::Directory(directory) => {
                self.append(directory.join(format!("{table}.ndjson")), rows)
            }
            RowStorage::CountOnly => Ok(()),
        }
    }

    fn append(&self, path: PathBuf, rows: &[String]) -> io::Result<()> {
        let mut text = rows.join("\n");
        text.push('\n');
        let _one_at_a_time = self.lock();
        OpenOptions::new().create(true).append(true).open(path)?.write_all(text.as_bytes())
    }

    pub(super) fn add_violations(&self, violations: Vec<Violation>) {
        let mut stored = self.lock();
        let room = MAX_VIOLATIONS - stored.violations.len();
        stored.violations.extend(violations.into_iter().take(room));
    }

    pub(super) fn rows(&self, table: &str) -> Vec<(u64, String)> {
        self.lock().rows.get(table).cloned().unwrap_or_default()
    }

    pub(super) fn violations(&self) -> Vec<Violation> {
        self.lock().violations.clone()
    }

    fn lock(&self) -> MutexGuard<'_, StoredRows> {
        self.stored.lock().expect("no holder of the rows panics")
    }
}
