//! What a run did, for the operator.

use std::collections::BTreeMap;
use std::fmt;
use std::time::Duration;

use jiff::Timestamp;
use serde::Serialize;

use crate::hour::Hour;
use crate::state::DeadLetterReason;
use crate::workspace::Delivery;

/// What became of events.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Tally {
    /// Events read.
    pub events: u64,
    /// Their bytes.
    pub event_bytes: u64,
    /// Events that had been delivered before, and were dropped.
    pub duplicates: u64,
    /// Rows that the workspace accepted.
    pub delivered: u64,
    /// Events that are not one JSON object, kept as dead letters.
    pub malformed: u64,
    /// Events too long for a row, kept whole as dead letters.
    pub oversize: u64,
    /// Rows that the workspace refused, kept as dead letters.
    pub refused: u64,
    /// Posts, tries again included.
    pub posts: u64,
    /// Posts that were tries again.
    pub retries: u64,
    /// Bytes of JSON in posts that were accepted or not, before compression.
    pub row_bytes: u64,
    /// Bytes that went over the wire as bodies.
    pub sent_bytes: u64,
    /// The newest time of an event.
    pub newest: Option<Timestamp>,
}

impl Tally {
    pub(crate) fn add_event(&mut self, bytes: usize) {
        self.events += 1;
        self.event_bytes += bytes as u64;
    }

    pub(crate) fn saw(&mut self, event_time: Option<Timestamp>) {
        self.newest = self.newest.max(event_time);
    }

    pub(crate) fn add_dead_letter(&mut self, reason: DeadLetterReason) {
        match reason {
            DeadLetterReason::Malformed => self.malformed += 1,
            DeadLetterReason::Oversize => self.oversize += 1,
            DeadLetterReason::Refused => self.refused += 1,
        }
    }

    pub(crate) fn add_posts<T>(&mut self, delivery: &Delivery<T>) {
        self.delivered += delivery.delivered.len() as u64;
        self.posts += delivery.posts;
        self.retries += delivery.retries;
        self.row_bytes += delivery.body_bytes;
        self.sent_bytes += delivery.sent_bytes;
    }

    pub(crate) fn add(&mut self, other: &Tally) {
        self.events += other.events;
        self.event_bytes += other.event_bytes;
        self.duplicates += other.duplicates;
        self.delivered += other.delivered;
        self.malformed += other.malformed;
        self.oversize += other.oversize;
        self.refused += other.refused;
        self.posts += other.posts;
        self.retries += other.retries;
        self.row_bytes += other.row_bytes;
        self.sent_bytes += other.sent_bytes;
        self.newest = self.newest.max(other.newest);
    }

    /// All dead letters.
    pub fn dead_letters(&self) -> u64 {
        self.malformed + self.oversize + self.refused
    }
}

/// How the work on a feed ended.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// Nothing that is due is left, but for hours that wait for their next try.
    UpToDate,
    /// The run's time was up, or it was told to stop; the next run goes on.
    Unfinished,
    /// Another run has the feed; nothing was done.
    OwnedElsewhere,
    /// Something failed; the text says what, and what to look at.
    Failed(String),
}

/// What a run did for one feed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct FeedReport {
    /// The feed.
    pub feed: String,
    /// The name that the settings give its cluster.
    pub cluster: String,
    /// How it ended.
    pub outcome: Outcome,
    /// What became of the events.
    pub tally: Tally,
    /// Hours that became done in this run.
    pub hours_done: Vec<Hour>,
    /// Hours that are not done: still to be read, or to be read again.
    pub hours_waiting: usize,
    /// Hours that became lost in this run, since Proofpoint no longer keeps them.
    pub hours_lost: Vec<Hour>,
    /// How readings ended, by kind.
    pub ends: BTreeMap<String, u32>,
    /// How long the work took.
    pub took: Duration,
}

impl FeedReport {
    pub(crate) fn new(feed: String, cluster: String) -> FeedReport {
        FeedReport {
            feed,
            cluster,
            outcome: Outcome::UpToDate,
            tally: Tally::default(),
            hours_done: Vec::new(),
            hours_waiting: 0,
            hours_lost: Vec::new(),
            ends: BTreeMap::new(),
            took: Duration::ZERO,
        }
    }

    /// Writes the one line of the log that sums up the feed's run.
    pub fn log(&self) {
        let failure = match &self.outcome {
            Outcome::Failed(reason) => Some(reason.as_str()),
            _ => None,
        };
        let tally = &self.tally;
        tracing::info!(
            feed = self.feed,
            cluster = self.cluster,
            events = tally.events,
            event_bytes = tally.event_bytes,
            duplicates = tally.duplicates,
            delivered = tally.delivered,
            dead_letters = tally.dead_letters(),
            hours_done = self.hours_done.len(),
            hours_waiting = self.hours_waiting,
            posts = tally.posts,
            retries = tally.retries,
            sent_bytes = tally.sent_bytes,
            newest = tally.newest.map(tracing::field::display),
            seconds = self.took.as_secs_f64(),
            ends = ?self.ends,
            failure,
            "{self}"
        );
        if let Some(reason) = failure {
            tracing::error!(feed = self.feed, cluster = self.cluster, "{reason}");
        }
        if let (Some(first), Some(last)) = (self.hours_lost.first(), self.hours_lost.last()) {
            tracing::error!(
                feed = self.feed,
                hours = self.hours_lost.len(),
                "hours {first} to {last} are lost: Proofpoint keeps events for 30 days, and these hours were not read in that time"
            );
        }
    }
}

impl fmt::Display for FeedReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: ", self.feed)?;
        match &self.outcome {
            Outcome::OwnedElsewhere => return f.write_str("another run has this feed"),
            Outcome::Failed(reason) => write!(f, "failed: {reason}; ")?,
            Outcome::Unfinished => f.write_str("to be continued; ")?,
            Outcome::UpToDate => {}
        }
        write!(
            f,
            "{} events read, {} rows delivered, {} duplicates, {} dead letters, {} hours done, {} waiting",
            self.tally.events,
            self.tally.delivered,
            self.tally.duplicates,
            self.tally.dead_letters(),
            self.hours_done.len(),
            self.hours_waiting
        )
    }
}

/// What a run did.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct RunReport {
    /// Each feed's part.
    pub feeds: Vec<FeedReport>,
}

impl RunReport {
    /// Whether nothing failed.
    pub fn is_success(&self) -> bool {
        !self.feeds.iter().any(|feed| matches!(feed.outcome, Outcome::Failed(_)))
    }
}
