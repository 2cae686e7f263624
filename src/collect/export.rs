//! Chosen hours of a feed into a file, as they came.

use std::io;
use std::path::{Path, PathBuf};

use bytes::Bytes;
use proofpoint_sentinel_core::hour::Hour;
use tokio::fs::{File, OpenOptions};
use tokio::io::{AsyncWriteExt, BufWriter};

use super::counters::RunCounters;
use super::event_sink::EventSink;
use super::hour_report::HourReport;
use super::session_reader::{ReadError, SessionReader};
use crate::error_code::{self, Coded, ErrorCode};
use crate::report::FeedCounts;
use crate::row::frame::pieces;

/// The hours could not be read and written.
#[derive(Debug, thiserror::Error)]
pub enum ExportError {
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

impl Coded for ExportError {
    fn code(&self) -> ErrorCode {
        match self {
            ExportError::File { .. } | ExportError::Read(ReadError::Sink(_)) => {
                error_code::OUTPUT_FILE
            }
            ExportError::Read(ReadError::Open(error)) => error.code(),
            ExportError::Read(ReadError::Abandoned) => error_code::STOPPED,
        }
    }
}

/// Reads `hours` one after the other, appends their events to the file at `path`, one a line, and
/// hands each report to `done`. Ends early, without an error, after a report that
/// [was interrupted](HourReport::was_interrupted). Nothing is posted, and no state is touched.
pub async fn export(
    reader: SessionReader<'_>,
    path: &Path,
    hours: impl IntoIterator<Item = Hour>,
    counters: &RunCounters,
    mut done: impl FnMut(&HourReport),
) -> Result<(), ExportError> {
    let file = OpenOptions::new().create(true).append(true).open(path).await;
    let file = file.map_err(|reason| ExportError::File { path: path.to_owned(), reason })?;
    let mut sink = FileSink { file: BufWriter::new(file), counts: FeedCounts::default(), counters };
    for hour in hours {
        let end = reader.read_hour(hour, &mut sink).await?;
        let report = HourReport { hour, end, counts: std::mem::take(&mut sink.counts) };
        done(&report);
        if report.was_interrupted() {
            break;
        }
    }
    Ok(())
}

/// Writes events to a file, a line each.
struct FileSink<'a> {
    file: BufWriter<File>,
    counts: FeedCounts,
    counters: &'a RunCounters,
}

impl FileSink<'_> {
    async fn write_line(&mut self, event: &[u8]) -> io::Result<()> {
        self.counts.add_event(event.len());
        self.counters.count_event(event.len() as u64);
        // JSON has line ends only where any white space may stand.
        if event.iter().any(|byte| matches!(byte, b'\n' | b'\r')) {
            let blank = |byte: &u8| if matches!(byte, b'\n' | b'\r') { b' ' } else { *byte };
            let line: Vec<u8> = event.iter().map(blank).collect();
            self.file.write_all(&line).await?;
        } else {
            self.file.write_all(event).await?;
        }
        self.file.write_all(b"\n").await
    }
}

impl EventSink for FileSink<'_> {
    type Error = io::Error;

    fn has_capacity(&self) -> bool {
        true
    }

    async fn make_progress(&mut self) -> io::Result<()> {
        std::future::pending().await
    }

    async fn push(&mut self, frame: Bytes) -> io::Result<()> {
        for piece in pieces(&frame) {
            self.write_line(&frame[piece.range]).await?;
        }
        Ok(())
    }

    async fn flush(&mut self) -> io::Result<()> {
        self.file.flush().await
    }

    async fn drain_in_flight(&mut self) {
        // What could not be written is reported already.
        let _ = self.file.flush().await;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What the file has after these frames, and how many events were counted.
    async fn written(frames: &[&'static str]) -> (String, u64) {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("events.ndjson");
        let counters = RunCounters::default();
        let file = BufWriter::new(File::create(&path).await.unwrap());
        let mut sink = FileSink { file, counts: FeedCounts::default(), counters: &counters };
        for frame in frames {
            sink.push(Bytes::from_static(frame.as_bytes())).await.unwrap();
        }
        sink.flush().await.unwrap();
        (tokio::fs::read_to_string(path).await.unwrap(), sink.counts.events)
    }

    #[tokio::test]
    async fn each_event_has_a_line_however_many_came_in_a_frame() {
        for (frames, lines, events) in [
            (&["{\"a\":1}"][..], "{\"a\":1}\n", 1),
            (&["{\"a\":1}\n{\"b\":2}\n"], "{\"a\":1}\n{\"b\":2}\n", 2),
            (&["[{\"a\":1}, {\"b\":2}]", "{\"c\":3}"], "{\"a\":1}\n{\"b\":2}\n{\"c\":3}\n", 3),
            (&["{\r\n\"a\": 1\r\n}"], "{  \"a\": 1  }\n", 1),
            (&["not JSON"], "not JSON\n", 1),
            (&["", "[]"], "", 0),
        ] {
            assert_eq!(written(frames).await, (lines.to_owned(), events), "{frames:?}");
        }
    }
}
