//! What became of the events of a feed.

use jiff::Timestamp;

use crate::destination::BatchOutcome;
use crate::state::DeadLetterReason;

/// What became of events.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct FeedCounts {
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
    /// Posts, retries included.
    pub posts: u64,
    /// Posts that were retries.
    pub retries: u64,
    /// Bytes of JSON in all posts, before compression.
    pub row_bytes: u64,
    /// Bytes of the bodies of all posts, as sent.
    pub sent_bytes: u64,
    /// The newest time of an event that was delivered.
    pub newest: Option<Timestamp>,
}

impl FeedCounts {
    pub(crate) fn add_event(&mut self, bytes: usize) {
        self.events += 1;
        self.event_bytes += bytes as u64;
    }

    /// Notes the time of an event that was delivered. A time in the future was written by a wrong
    /// clock, and is left out.
    pub(crate) fn note_event_time(&mut self, event_time: Option<Timestamp>, now: Timestamp) {
        self.newest = self.newest.max(event_time.filter(|at| *at <= now));
    }

    pub(crate) fn add_dead_letter(&mut self, reason: DeadLetterReason) {
        match reason {
            DeadLetterReason::Malformed => self.malformed += 1,
            DeadLetterReason::Oversize => self.oversize += 1,
            DeadLetterReason::Refused => self.refused += 1,
        }
    }

    pub(crate) fn add_posts<T>(&mut self, outcome: &BatchOutcome<T>) {
        self.delivered += outcome.delivered.len() as u64;
        self.posts += outcome.counts.posts;
        self.retries += outcome.counts.retries;
        self.row_bytes += outcome.counts.body_bytes;
        self.sent_bytes += outcome.counts.sent_bytes;
    }

    pub(crate) fn add(&mut self, other: &FeedCounts) {
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
