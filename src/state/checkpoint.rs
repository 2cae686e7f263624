//! The checkpoint: what is done for a feed, in whole hours.

mod v1;

use std::collections::BTreeMap;

use jiff::Timestamp;
use proofpoint_sentinel_core::feed::Feed;
use proofpoint_sentinel_core::hour::Hour;
use serde::{Deserialize, Serialize};

use super::checkpoint_format::CheckpointFormat;
use super::hour_row::{HourRow, check_hour_rows};
use super::recorded_end::RecordedEnd;
use super::refusals::Refusals;
use v1::{CheckpointV1, HourAttemptV1, LiveMarkV1};

/// The version of the format that this program writes. It reads version 1 too.
const VERSION: u32 = 2;

/// Years before the Log API existed. A checkpoint from there would have every hour since read.
const EARLIEST: Timestamp = Timestamp::constant(1_420_070_400, 0);

/// What is done for one feed. Stored as JSON that a human can read.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Checkpoint {
    /// Version of the format, 2.
    pub version: u32,
    /// The feed, as its `Display` writes it.
    pub feed: String,
    /// Who wrote it: the id of the run. With `sequence`, makes the bytes of no two writes equal.
    pub writer: String,
    /// How many checkpoints of this feed were written before.
    pub sequence: u64,
    /// When it was written.
    pub updated: Timestamp,
    /// Every hour before this one is done, or is in `backlog`, `retry` or `lost`.
    pub next_hour: Hour,
    /// Hours before `next_hour` that were never read, since newer ones went first; oldest first.
    pub backlog: Vec<HourRange>,
    /// Whether the next hour to read is the oldest one that is due, and not the newest.
    pub oldest_next: bool,
    /// Hours before `next_hour` that were tried and are not done, oldest first, each once.
    pub retry: Vec<HourAttempt>,
    /// Hours before `next_hour` that are done though Proofpoint never said that it was all. They are
    /// looked at again at their `not_before`; oldest first, each once.
    pub believed: Vec<HourAttempt>,
    /// Hours before `next_hour` that Proofpoint no longer kept when they could be read.
    pub lost: Vec<Hour>,
    /// How many hours old the oldest hour was that was ever read.
    pub kept_hours: u32,
    /// How many hours old the oldest hour was that Proofpoint still kept when it refused an older
    /// one; `None` if that was never seen.
    #[serde(deserialize_with = "Option::deserialize")]
    pub retention_hours: Option<u32>,
    /// Hours before `next_hour` that are done and are to be read once more, for events that came
    /// late; oldest first, each once.
    pub second: Vec<Hour>,
    /// The last reading of the live stream; `None` before the first one.
    #[serde(deserialize_with = "Option::deserialize")]
    pub live: Option<LiveMark>,
    /// The destination takes no rows; `None` if it took the last ones.
    #[serde(deserialize_with = "Option::deserialize")]
    pub held: Option<Hold>,
    /// Rows that were refused and may be right.
    pub refusals: Refusals,
    /// The newest time of an event that was delivered; `None` before the first one.
    #[serde(deserialize_with = "Option::deserialize")]
    pub newest: Option<Timestamp>,
    /// The first hour of which the connector's table is told.
    pub told_from: Hour,
    /// What that table is yet to be told; oldest hour first, each once.
    pub hour_rows: Vec<HourRow>,
}

/// Rows wait because the destination takes none.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Hold {
    /// Since when.
    pub since: Timestamp,
    /// Whether rows were held after a post without rows had said that the destination works. From
    /// then on only rows that it takes prove that.
    pub probe_misled: bool,
    /// Before this the destination wants no posts; `None` if it named no time.
    #[serde(deserialize_with = "Option::deserialize")]
    pub not_before: Option<Timestamp>,
}

/// How far the live stream was read.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LiveMark {
    /// When the reading ended.
    pub ended: Timestamp,
    /// How it ended.
    pub end: RecordedEnd,
}

/// Hours without a gap.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct HourRange {
    /// The oldest one.
    pub first: Hour,
    /// The newest one.
    pub last: Hour,
}

impl HourRange {
    /// The hours, oldest first.
    pub fn hours(self) -> impl DoubleEndedIterator<Item = Hour> {
        self.first.through(self.last)
    }
}

/// An hour that was tried, and is not done or only believed to be.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct HourAttempt {
    /// The hour.
    pub hour: Hour,
    /// How often it was tried.
    pub attempts: u32,
    /// How often of these it ended well and without an event.
    pub empty_reads: u32,
    /// It is not read again before this.
    pub not_before: Timestamp,
    /// How many events the last read gave.
    pub last_events: u64,
    /// How the last read ended.
    pub last_end: RecordedEnd,
}

/// Only what every version of the format has.
#[derive(Deserialize)]
struct AnyVersion {
    version: u32,
}

impl Checkpoint {
    /// Whether what is stored has the version that this program writes. A program of an earlier release
    /// could not read it then.
    pub(super) fn is_current(bytes: &[u8]) -> bool {
        serde_json::from_slice(bytes).is_ok_and(|AnyVersion { version }| version == VERSION)
    }

    /// A checkpoint of this format's version, from which nothing is left to be read again.
    pub fn starting_at(next_hour: Hour, feed: &Feed, writer: &str, now: Timestamp) -> Checkpoint {
        Checkpoint {
            version: VERSION,
            feed: feed.to_string(),
            writer: writer.to_owned(),
            sequence: 0,
            updated: now,
            next_hour,
            backlog: Vec::new(),
            oldest_next: false,
            retry: Vec::new(),
            believed: Vec::new(),
            lost: Vec::new(),
            kept_hours: 0,
            retention_hours: None,
            second: Vec::new(),
            live: None,
            held: None,
            refusals: Refusals::default(),
            newest: None,
            told_from: next_hour,
            hour_rows: Vec::new(),
        }
    }

    /// What the types don't say already.
    fn check(&self, feed: &Feed) -> Result<(), String> {
        if self.feed != feed.to_string() {
            return Err(format!("it belongs to the feed `{}`", self.feed));
        }
        let next = self.next_hour;
        if next.start() < EARLIEST || next.start() > self.updated {
            return Err(format!(
                "next_hour {next} makes no sense for a checkpoint written at {}",
                self.updated
            ));
        }
        check_hour_rows(&self.hour_rows)?;
        self.check_hours()
    }

    /// That each hour before `next_hour` is in one list at most, and its list in order.
    fn check_hours(&self) -> Result<(), String> {
        let hours = |attempts: &[HourAttempt]| attempts.iter().map(|it| it.hour).collect();
        let (retry, believed): (Vec<Hour>, Vec<Hour>) = (hours(&self.retry), hours(&self.believed));
        let is_bad = |range: &&HourRange| {
            let HourRange { first, last } = **range;
            first.start() < EARLIEST || first > last || last >= self.next_hour
        };
        if let Some(HourRange { first, last }) = self.backlog.iter().find(is_bad) {
            return Err(format!("the hours {first} to {last} in backlog make no sense"));
        }
        let backlog: Vec<Hour> = self.backlog.iter().flat_map(|range| range.hours()).collect();
        in_order("backlog", &backlog)?;
        in_order("retry", &retry)?;
        in_order("believed", &believed)?;
        in_order("second", &self.second)?;
        let lists = [
            ("backlog", &backlog),
            ("retry", &retry),
            ("believed", &believed),
            ("lost", &self.lost),
            ("second", &self.second),
        ];
        let mut seen = BTreeMap::new();
        for (list, hours) in lists {
            for &hour in hours {
                let next = self.next_hour;
                if hour >= next {
                    return Err(format!(
                        "the hour {hour} in {list} is not before next_hour {next}"
                    ));
                }
                match seen.insert(hour, list) {
                    Some(other) if other != list => {
                        return Err(format!("the hour {hour} is both in {other} and in {list}"));
                    }
                    _ => {}
                }
            }
        }
        Ok(())
    }
}

impl CheckpointFormat for Checkpoint {
    fn from_json(bytes: &[u8], feed: &Feed) -> Result<Checkpoint, String> {
        if bytes.is_empty() {
            return Err("it is empty".to_owned());
        }
        // The version comes first: another one would only be called damaged below.
        let AnyVersion { version } = serde_json::from_slice(bytes).map_err(not_a_checkpoint)?;
        let checkpoint = match version {
            1 => serde_json::from_slice::<CheckpointV1>(bytes).map(Checkpoint::from),
            VERSION => serde_json::from_slice(bytes),
            _ => {
                return Err(format!(
                    "it has version {version} and this program knows version {VERSION}; a newer \
                     release of the program wrote it, so go back to that release"
                ));
            }
        };
        let checkpoint: Checkpoint = checkpoint.map_err(not_a_checkpoint)?;
        checkpoint.check(feed)?;
        Ok(checkpoint)
    }

    fn to_json(&self, feed: &Feed) -> Result<Vec<u8>, String> {
        if self.version != VERSION {
            return Err(format!("its version is {} and not {VERSION}", self.version));
        }
        self.check(feed)?;
        let mut json = serde_json::to_vec_pretty(self).map_err(|error| error.to_string())?;
        json.push(b'\n');
        Ok(json)
    }
}

impl From<CheckpointV1> for Checkpoint {
    fn from(old: CheckpointV1) -> Checkpoint {
        Checkpoint {
            version: VERSION,
            feed: old.feed,
            writer: old.writer,
            sequence: old.sequence,
            updated: old.updated,
            next_hour: old.next_hour,
            backlog: Vec::new(),
            oldest_next: false,
            retry: old.retry.into_iter().map(HourAttempt::from).collect(),
            believed: Vec::new(),
            lost: old.lost,
            kept_hours: 0,
            retention_hours: None,
            second: old.second,
            live: old.live.map(LiveMark::from),
            held: None,
            refusals: Refusals::default(),
            newest: old.newest,
            // How events of the hours before it arrived is not known.
            told_from: old.next_hour,
            hour_rows: Vec::new(),
        }
    }
}

impl From<LiveMarkV1> for LiveMark {
    fn from(LiveMarkV1 { ended, end }: LiveMarkV1) -> LiveMark {
        LiveMark { ended, end }
    }
}

impl From<HourAttemptV1> for HourAttempt {
    fn from(old: HourAttemptV1) -> HourAttempt {
        HourAttempt {
            hour: old.hour,
            attempts: old.attempts,
            empty_reads: old.empty_reads,
            not_before: old.not_before,
            last_events: old.last_events,
            last_end: old.last_end,
        }
    }
}

fn in_order(list: &str, hours: &[Hour]) -> Result<(), String> {
    match hours.windows(2).find(|pair| pair[0] >= pair[1]) {
        Some(pair) => {
            Err(format!("the hours in {list} are not in order, or {} is there twice", pair[1]))
        }
        None => Ok(()),
    }
}

fn not_a_checkpoint(error: serde_json::Error) -> String {
    format!("it is damaged ({error})")
}

#[cfg(test)]
mod tests;
