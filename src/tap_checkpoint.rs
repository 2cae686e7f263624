//! The checkpoint of a TAP account.

use std::collections::BTreeMap;

use jiff::Timestamp;
use proofpoint_sentinel_core::feed::Feed;
use proofpoint_sentinel_core::hour::Hour;
use proofpoint_sentinel_core::tap_kind::TapKind;
use serde::{Deserialize, Serialize};

use crate::state::{CheckpointFormat, HourRow, Refusals, check_hour_rows};
use crate::tap::TapProgress;

/// The version of the format.
const VERSION: u32 = 1;

/// What is stored of a TAP account.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct TapCheckpoint {
    version: u32,
    /// The feed that it belongs to.
    feed: String,
    /// The run that wrote it.
    pub(crate) writer: String,
    /// How many were written before.
    pub(crate) sequence: u64,
    /// When it was written.
    pub(crate) updated: Timestamp,
    /// What was asked, and what is left to ask.
    pub(crate) progress: TapProgress,
    /// Rows that were refused and may be right, by the table that refused them.
    pub(crate) refusals: BTreeMap<TapKind, Refusals>,
    /// The first hour of which the connector's table is told.
    pub(crate) told_from: Hour,
    /// What that table is yet to be told; oldest hour first, each once.
    pub(crate) hour_rows: Vec<HourRow>,
}

impl TapCheckpoint {
    /// Nothing was asked yet.
    pub(crate) fn starting(progress: TapProgress, feed: &Feed, now: Timestamp) -> TapCheckpoint {
        TapCheckpoint {
            version: VERSION,
            feed: feed.to_string(),
            writer: String::new(),
            sequence: 0,
            updated: now,
            told_from: progress.next_hour(),
            hour_rows: Vec::new(),
            progress,
            refusals: BTreeMap::new(),
        }
    }

    fn check(&self, feed: &Feed) -> Result<(), String> {
        if self.feed != feed.to_string() {
            return Err(format!("it belongs to the feed `{}`", self.feed));
        }
        check_hour_rows(&self.hour_rows)?;
        self.progress.check()
    }
}

/// Only what every version of the format has.
#[derive(Deserialize)]
struct AnyVersion {
    version: u32,
}

impl CheckpointFormat for TapCheckpoint {
    fn from_json(bytes: &[u8], feed: &Feed) -> Result<TapCheckpoint, String> {
        let damaged = |error: serde_json::Error| format!("it is damaged ({error})");
        let AnyVersion { version } = serde_json::from_slice(bytes).map_err(damaged)?;
        if version != VERSION {
            return Err(format!(
                "it has version {version} and this program knows version {VERSION}; a newer release \
                 of the program wrote it, so go back to that release"
            ));
        }
        let checkpoint: TapCheckpoint = serde_json::from_slice(bytes).map_err(damaged)?;
        checkpoint.check(feed)?;
        Ok(checkpoint)
    }

    fn to_json(&self, feed: &Feed) -> Result<Vec<u8>, String> {
        self.check(feed)?;
        let mut json = serde_json::to_vec_pretty(self).map_err(|error| error.to_string())?;
        json.push(b'\n');
        Ok(json)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn checkpoint(feed: &Feed) -> TapCheckpoint {
        let now = "2026-11-20T10:00:00Z".parse().unwrap();
        TapCheckpoint::starting(TapProgress::starting(now, 12), feed, now)
    }

    #[test]
    fn a_checkpoint_comes_back_as_it_was_stored() {
        let feed = Feed::tap("default");
        let stored = checkpoint(&feed);
        let json = stored.to_json(&feed).unwrap();
        assert_eq!(TapCheckpoint::from_json(&json, &feed), Ok(stored));
    }

    #[test]
    fn a_checkpoint_that_is_not_the_feeds_own_is_refused() {
        let feed = Feed::tap("default");
        let json = checkpoint(&feed).to_json(&feed).unwrap();
        let other = TapCheckpoint::from_json(&json, &Feed::tap("emea")).unwrap_err();
        assert!(other.contains("default-tap"), "{other}");
        assert!(TapCheckpoint::from_json(&json[..json.len() - 3], &feed).is_err(), "cut");
        assert!(TapCheckpoint::from_json(b"", &feed).is_err());
        let text = String::from_utf8(json).unwrap();
        let newer = text.replace("\"version\": 1", "\"version\": 2");
        let error = TapCheckpoint::from_json(newer.as_bytes(), &feed).unwrap_err();
        assert!(error.contains("go back to that release"), "{error}");
        let unknown = text.replace("\"version\": 1,", "\"version\": 1, \"more\": 1,");
        assert!(TapCheckpoint::from_json(unknown.as_bytes(), &feed).is_err());
    }
}
