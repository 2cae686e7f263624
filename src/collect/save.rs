//! Chosen hours of a feed into a file, as they came.

use std::io;
use std::path::{Path, PathBuf};

use bytes::Bytes;
use proofpoint_sentinel_core::hour::Hour;
use tokio::fs::{File, OpenOptions};
use tokio::io::{AsyncWriteExt, BufWriter};

use super::Progress;
use super::backfill::HourResult;
use super::read::{EventSink, ReadError, Reader};
use crate::report::FeedCounts;

/// The hours could not be read and written.
#[derive(Debug, thiserror::Error)]
pub enum SaveError {
    /// The file can't be opened.
    #[error("{path}: {reason}")]
    File {
        /// The file.
        path: PathBuf,
        /// What went wrong.
        reason: io::Error,
    },
    /// An hour could not be read or written.
    #[error("{0}")]
    Read(#[from] ReadError<io::Error>),
}

/// Reads `hours` one after the other, appends their events to the file at `path`, one a line, and
/// hands each result to `done`. Ends early, without an error, after a result that
/// [is the last](HourResult::is_last). Nothing is posted, and no state is touched.
pub async fn save(
    reader: Reader<'_>,
    path: &Path,
    hours: impl IntoIterator<Item = Hour>,
    progress: &Progress,
    mut done: impl FnMut(&HourResult),
) -> Result<(), SaveError> {
    let file = OpenOptions::new().create(true).append(true).open(path).await;
    let file = file.map_err(|reason| SaveError::File { path: path.to_owned(), reason })?;
    let mut lines = Lines { file: BufWriter::new(file), counts: FeedCounts::default(), progress };
    for hour in hours {
        let end = reader.hour(hour, &mut lines).await?;
        let result = HourResult { hour, end, counts: std::mem::take(&mut lines.counts) };
        done(&result);
        if result.is_last() {
            break;
        }
    }
    Ok(())
}

/// Writes events to a file, a line each.
struct Lines<'a> {
    file: BufWriter<File>,
    counts: FeedCounts,
    progress: &'a Progress,
}

impl EventSink for Lines<'_> {
    type Error = io::Error;

    fn has_room(&self) -> bool {
        true
    }

    async fn settle(&mut self) -> io::Result<()> {
        std::future::pending().await
    }

    async fn take(&mut self, event: Bytes) -> io::Result<()> {
        self.counts.add_event(event.len());
        self.progress.read(event.len() as u64);
        // JSON has line ends only where any white space may stand.
        if event.iter().any(|byte| matches!(byte, b'\n' | b'\r')) {
            let blank = |byte: &u8| if matches!(byte, b'\n' | b'\r') { b' ' } else { *byte };
            let line: Vec<u8> = event.iter().map(blank).collect();
            self.file.write_all(&line).await?;
        } else {
            self.file.write_all(&event).await?;
        }
        self.file.write_all(b"\n").await
    }

    async fn finish(&mut self) -> io::Result<()> {
        self.file.flush().await
    }

    async fn wind_down(&mut self) {
        // What could not be written is told already.
        let _ = self.file.flush().await;
    }
}
