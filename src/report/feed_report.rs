//! What a run did for one feed.

use std::collections::BTreeMap;
use std::fmt;
use std::time::Duration;

use jiff::Timestamp;
use proofpoint_sentinel_core::hour::Hour;
use serde::{Deserialize, Serialize};

use super::counts::FeedCounts;
use crate::error_code::{self, Coded, ErrorCode};
use crate::state::HourRow;

/// The target of the lines of the log. Queries in docs and dashboards select by it.
const TARGET: &str = "proofpoint_sentinel::report";

/// How the work on a feed ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum FeedOutcome {
    /// Nothing that is due is left. Hours may wait for their next try.
    UpToDate,
    /// The run's time was up, or it was told to stop; the next run goes on.
    Unfinished,
    /// Another run has the feed; nothing was done.
    OwnedElsewhere,
    /// Something failed.
    Failed {
        /// The code of what failed.
        code: ErrorCode,
        /// What failed, and what to look at.
        reason: String,
    },
}

impl FeedOutcome {
    /// The word for it in statuses, rows and metrics.
    pub fn as_str(&self) -> &'static str {
        match self {
            FeedOutcome::UpToDate => "up_to_date",
            FeedOutcome::Unfinished => "unfinished",
            FeedOutcome::OwnedElsewhere => "owned_elsewhere",
            FeedOutcome::Failed { .. } => "failed",
        }
    }
}

/// The calls of a TAP account.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CallReport {
    /// How many count now, of those of the last 24 hours.
    pub used: u32,
    /// How many are granted in 24 hours.
    pub limit: u32,
    /// Before this no call is made; `None` if calls may be made.
    pub waits_until: Option<Timestamp>,
}

/// What a run did for one feed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FeedReport {
    /// The feed.
    pub feed: String,
    /// The name that the settings give its cluster.
    pub cluster: String,
    /// How it ended.
    pub outcome: FeedOutcome,
    /// What became of the events.
    pub counts: FeedCounts,
    /// Of the rows delivered, those that came from the archive though the live stream had had its
    /// turn, or in an hour's second reading.
    pub repaired: u64,
    /// Hours that became done in this run.
    pub hours_done: Vec<Hour>,
    /// Those of them that are only believed to be done, because Proofpoint never said so.
    pub hours_believed: Vec<Hour>,
    /// Hours that were done and were read for the second time.
    pub hours_checked: Vec<Hour>,
    /// Hours that are not done: still to be read, or to be read again.
    pub hours_waiting: usize,
    /// Hours that became lost in this run, since Proofpoint no longer keeps them.
    pub hours_lost: Vec<Hour>,
    /// The oldest hour that was still to be read, for the first time or once more, when it began;
    /// `None` if that was not known.
    pub oldest_open: Option<Hour>,
    /// How sessions ended, live and archive, by kind.
    pub ends: BTreeMap<String, u32>,
    /// The calls of a TAP account; `None` for other feeds.
    pub calls: Option<CallReport>,
    /// The newest time of an event that was ever delivered; of a TAP account, up to when it was read.
    pub newest: Option<Timestamp>,
    /// How long before the end of the run that was.
    pub lag: Option<Duration>,
    /// How long the work took.
    pub took: Duration,
    /// When it ended; `None` before that.
    pub ended: Option<Timestamp>,
    /// Whether the destination takes no rows of the feed.
    pub is_on_hold: bool,
    /// Hours of which the connector's table is yet to be told.
    pub hour_rows: Vec<HourRow>,
}

impl FeedReport {
    pub(crate) fn new(feed: String, cluster: String) -> FeedReport {
        FeedReport {
            feed,
            cluster,
            outcome: FeedOutcome::UpToDate,
            counts: FeedCounts::default(),
            repaired: 0,
            hours_done: Vec::new(),
            hours_believed: Vec::new(),
            hours_checked: Vec::new(),
            hours_waiting: 0,
            hours_lost: Vec::new(),
            oldest_open: None,
            ends: BTreeMap::new(),
            calls: None,
            newest: None,
            lag: None,
            took: Duration::ZERO,
            ended: None,
            is_on_hold: false,
            hour_rows: Vec::new(),
        }
    }

    pub(crate) fn count_session_end(&mut self, kind: &str, end: impl fmt::Display) {
        *self.ends.entry(format!("{kind} {end}")).or_default() += 1;
    }

    /// Notes that there is more to do than this run could.
    pub(crate) fn mark_unfinished(&mut self) {
        self.outcome = FeedOutcome::Unfinished;
    }

    /// Notes how it ended, and when that was.
    pub(crate) fn conclude(
        &mut self,
        failure: Option<&impl Coded>,
        now: Timestamp,
        took: Duration,
    ) {
        if let Some(failure) = failure {
            self.outcome =
                FeedOutcome::Failed { code: failure.code(), reason: failure.to_string() };
        }
        self.newest = self.newest.max(self.counts.newest);
        // Never negative, should clocks disagree.
        let lag = |newest| Duration::try_from(now.duration_since(newest)).unwrap_or_default();
        self.lag = self.newest.map(lag);
        self.took = took;
        self.ended = Some(now);
    }

    /// What failed, where something did.
    pub(crate) fn failure(&self) -> Option<(ErrorCode, &str)> {
        match &self.outcome {
            FeedOutcome::Failed { code, reason } => Some((*code, reason)),
            _ => None,
        }
    }

    /// Writes the line of the log that sums up the feed's run, and what needs attention. Whoever has the
    /// feed writes it, if this run had not.
    pub fn log(&self) {
        if self.outcome == FeedOutcome::OwnedElsewhere {
            return;
        }
        let failure = self.failure();
        let counts = &self.counts;
        tracing::info!(
            target: TARGET,
            feed = self.feed,
            cluster = self.cluster,
            events = counts.events,
            event_bytes = counts.event_bytes,
            duplicates = counts.duplicates,
            delivered = counts.delivered,
            repaired = self.repaired,
            dead_letters = counts.dead_letters(),
            hours_done = self.hours_done.len(),
            hours_believed = self.hours_believed.len(),
            hours_checked = self.hours_checked.len(),
            hours_waiting = self.hours_waiting,
            posts = counts.posts,
            retries = counts.retries,
            sent_bytes = counts.sent_bytes,
            newest = self.newest.map(tracing::field::display),
            calls_used = self.calls.map(|calls| calls.used),
            lag_seconds = self.lag.map(|lag| lag.as_secs()),
            seconds = self.took.as_secs_f64(),
            ends = ?self.ends,
            code = failure.map(|(code, _)| tracing::field::display(code)),
            failure = failure.map(|(_, reason)| reason),
            "{self}"
        );
        if let Some((code, reason)) = failure {
            tracing::error!(target: TARGET, feed = self.feed, cluster = self.cluster, %code, "{reason}");
        }
        if let (Some(first), Some(last)) = (self.hours_lost.first(), self.hours_lost.last()) {
            tracing::error!(
                target: TARGET,
                feed = self.feed,
                hours = self.hours_lost.len(),
                code = %if self.calls.is_some() { error_code::TAP_HOURS_LOST } else { error_code::HOURS_LOST },
                "hours {first} to {last} are lost: Proofpoint no longer keeps their events, which were not read in time"
            );
        }
    }
}

impl fmt::Display for FeedReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: ", self.feed)?;
        match &self.outcome {
            FeedOutcome::OwnedElsewhere => return f.write_str("another run has this feed"),
            FeedOutcome::Failed { code, reason } => write!(f, "failed: {code}: {reason}; ")?,
            FeedOutcome::Unfinished => f.write_str("to be continued; ")?,
            FeedOutcome::UpToDate => {}
        }
        write!(
            f,
            "{} read, {} delivered ({} repaired), {}, {}, {} done, {} waiting",
            counted(self.counts.events, "event"),
            counted(self.counts.delivered, "row"),
            self.repaired,
            counted(self.counts.duplicates, "duplicate"),
            counted(self.counts.dead_letters(), "dead letter"),
            counted(self.hours_done.len() as u64, "hour"),
            self.hours_waiting
        )?;
        match self.lag {
            Some(lag) => write!(f, ", newest event {} s old", lag.as_secs()),
            None => Ok(()),
        }
    }
}

/// Such as `1 hour` or `2 hours`.
fn counted(count: u64, noun: &str) -> String {
    format!("{count} {noun}{}", if count == 1 { "" } else { "s" })
}
