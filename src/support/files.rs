//! The texts of the bundle, as they are before they are redacted.

use std::fmt::Write as _;
use std::path::PathBuf;
use std::time::SystemTime;

use futures_util::{StreamExt as _, stream};
use proofpoint_sentinel_core::feed::{Feed, FeedType};
use serde::Serialize;

use crate::error_code::Coded as _;
use crate::settings::{Vars, is_of_the_app, log_folder, may_be_shown};
use crate::state::{State, Version};
use crate::tap_checkpoint::TapCheckpoint;

/// How many dead letters are listed.
const MAX_LETTERS: usize = 200;

/// How many are read at once. One may have 64 MiB.
const MAX_READS: usize = 4;

/// How many bytes of the log are taken from its end.
const MAX_LOG_BYTES: usize = 256 << 10;

/// The settings of the app, with values that may be shown.
pub(super) fn settings(vars: &Vars) -> String {
    let mut text = String::new();
    for (name, value) in vars.iter().filter(|(name, _)| is_of_the_app(name)) {
        let shown = match value.trim() {
            "" => "(empty)",
            // What is wrong with it is in the reference, and no secret is.
            reference if reference.starts_with("@Microsoft.KeyVault(") => "(a Key Vault reference)",
            shown if may_be_shown(name) => shown,
            _ => "(set)",
        };
        let _ = writeln!(text, "{name} = {shown}");
    }
    text
}

type Read = Result<Option<String>, String>;

/// Checkpoint and status of a feed.
pub(super) async fn state_of_feed(state: &State, feed: &Feed) -> [(String, Read); 2] {
    let checkpoint = match feed.feed_type {
        FeedType::Log(_) => state.read_checkpoint(feed).await.map(pretty),
        FeedType::Tap => state.read_checkpoint_as::<TapCheckpoint>(feed).await.map(pretty),
    };
    let status = state.read_status(feed).await;
    let status = status.map(|stored| stored.map(|it| String::from_utf8_lossy(&it).into_owned()));
    let told = |result: Result<_, crate::state::StateError>| {
        result.map_err(|error| format!("{}: {error}", error.code()))
    };
    [
        (format!("checkpoints/{feed}.json"), told(checkpoint)),
        (format!("status/{feed}.json"), told(status)),
    ]
}

fn pretty(stored: Option<(impl Serialize, Version)>) -> Option<String> {
    stored.and_then(|(checkpoint, _)| serde_json::to_string_pretty(&checkpoint).ok())
}

/// What is known of dead letters, without their events.
pub(super) async fn dead_letters(state: &State) -> Result<String, String> {
    let names = state.list_dead_letters().await;
    let names = names.map_err(|error| format!("{}: {error}", error.code()))?;
    let mut text = format!("{} dead letters\n", names.len());
    let reads = names.into_iter().take(MAX_LETTERS).map(|name| async {
        let read = state.read_dead_letter(&name).await;
        (name, read)
    });
    let mut reads = stream::iter(reads).buffered(MAX_READS);
    while let Some((name, read)) = reads.next().await {
        let head = match read {
            Ok(Some(letter)) => {
                let (code, bytes) = (letter.reason.code(), letter.event.len());
                format!("{code} {} {bytes} bytes: {}", letter.at, letter.detail.escape_debug())
            }
            Ok(None) => continue,
            Err(error) => format!("{}: {error}", error.code()),
        };
        let _ = writeln!(text, "{name} {head}");
    }
    Ok(text)
}

/// The end of the newest log file of the Functions host, if this is its machine.
pub(super) async fn log_tail(vars: &Vars) -> Option<String> {
    let mut entries = tokio::fs::read_dir(log_folder(vars)?).await.ok()?;
    let mut newest: Option<(SystemTime, PathBuf)> = None;
    while let Ok(Some(entry)) = entries.next_entry().await {
        let modified = entry.metadata().await.ok().filter(|it| it.is_file())?.modified().ok()?;
        let file = (modified, entry.path());
        newest = newest.max(Some(file));
    }
    let (_, path) = newest?;
    let bytes = tokio::fs::read(&path).await.ok()?;
    Some(whole_lines(&bytes, MAX_LOG_BYTES))
}

/// The last lines, of so many bytes at most. A line that is cut could begin within a secret, which would
/// not be recognised any more.
fn whole_lines(bytes: &[u8], limit: usize) -> String {
    let mut tail = &bytes[bytes.len().saturating_sub(limit)..];
    if tail.len() < bytes.len() {
        let end = tail.iter().position(|byte| *byte == b'\n').map_or(tail.len(), |end| end + 1);
        tail = &tail[end..];
    }
    String::from_utf8_lossy(tail).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_log_is_cut_between_lines() {
        let log = b"token=abc\nsecond\nthird\n";
        assert_eq!(whole_lines(log, 100), "token=abc\nsecond\nthird\n");
        assert_eq!(whole_lines(log, 16), "second\nthird\n");
        assert_eq!(whole_lines(log, 7), "third\n");
        assert_eq!(whole_lines(log, 3), "");
        assert_eq!(whole_lines(b"a-long-line", 4), "");
    }
}
