//! Where accepted rows go.

use std::collections::BTreeMap;
use std::fs::OpenOptions;
use std::io::{self, Write};
use std::path::PathBuf;
use std::sync::{Mutex, MutexGuard};

use super::{Keep, Violation};

/// So many violations are remembered; the others are only counted.
const VIOLATIONS: usize = 1000;

/// Rows and violations.
pub(super) struct Store {
    keep: Keep,
    held: Mutex<Held>,
}

#[derive(Default)]
struct Held {
    posts: u64,
    /// By table, each with the number of its post.
    rows: BTreeMap<String, Vec<(u64, String)>>,
    violations: Vec<Violation>,
}

impl Store {
    pub(super) fn new(keep: Keep) -> Store {
        Store { keep, held: Mutex::default() }
    }

    /// Keeps the rows of one post, each of them one line of JSON.
    pub(super) fn add(&self, table: &str, rows: &[String]) -> io::Result<()> {
        match &self.keep {
            Keep::Memory => {
                let mut held = self.lock();
                held.posts += 1;
                let numbered = std::iter::repeat(held.posts).zip(rows.iter().cloned());
                held.rows.entry(table.to_owned()).or_default().extend(numbered);
                Ok(())
            }
            Keep::Directory(directory) => {
                self.append(directory.join(format!("{table}.ndjson")), rows)
            }
            Keep::Count => Ok(()),
        }
    }

    fn append(&self, path: PathBuf, rows: &[String]) -> io::Result<()> {
        let mut text = rows.join("\n");
        text.push('\n');
        let _one_at_a_time = self.lock();
        OpenOptions::new().create(true).append(true).open(path)?.write_all(text.as_bytes())
    }

    pub(super) fn add_violations(&self, violations: Vec<Violation>) {
        let mut held = self.lock();
        let room = VIOLATIONS - held.violations.len();
        held.violations.extend(violations.into_iter().take(room));
    }

    pub(super) fn rows(&self, table: &str) -> Vec<(u64, String)> {
        self.lock().rows.get(table).cloned().unwrap_or_default()
    }

    pub(super) fn violations(&self) -> Vec<Violation> {
        self.lock().violations.clone()
    }

    fn lock(&self) -> MutexGuard<'_, Held> {
        self.held.lock().expect("no holder of the rows panics")
    }
}
