//! What the operator sees of one feed.

use jiff::{SignedDuration, Timestamp};
use proofpoint_sentinel_core::feed::Feed;
use proofpoint_sentinel_core::hour::Hour;
use serde::Serialize;

use super::completeness::{Completeness, Hours};
use super::health::{Health, Reason, Runs, reasons_of_runs, worst};
use crate::error_code;
use crate::report::{CallReport, FeedStatus, HISTORY_HOURS, PastFailure, RunsOfHour};
use crate::state::{Checkpoint, HourAttempt};
use crate::tap_checkpoint::TapCheckpoint;

/// How many hours are listed that wait for another read.
const MAX_RETRIES: usize = 20;

/// The checkpoint of a feed.
#[derive(Debug)]
pub(super) enum FeedCheckpoint {
    Log(Box<Checkpoint>),
    Tap(Box<TapCheckpoint>),
}

impl FeedCheckpoint {
    fn updated(&self) -> Timestamp {
        match self {
            FeedCheckpoint::Log(checkpoint) => checkpoint.updated,
            FeedCheckpoint::Tap(checkpoint) => checkpoint.updated,
        }
    }

    /// Of a feed of the Log API.
    fn log(&self) -> Option<&Checkpoint> {
        match self {
            FeedCheckpoint::Log(checkpoint) => Some(checkpoint),
            FeedCheckpoint::Tap(_) => None,
        }
    }

    /// An hour of the Log API is due `delay` after its end.
    fn hours(&self, first: Option<Hour>, delay: SignedDuration, now: Timestamp) -> Hours {
        match self {
            FeedCheckpoint::Log(checkpoint) => Hours::of_log(checkpoint, first, delay, now),
            FeedCheckpoint::Tap(checkpoint) => Hours::of_tap(&checkpoint.progress, first, now),
        }
    }
}

/// What is in the state about one feed.
#[derive(Debug)]
pub(super) struct FeedState {
    pub feed: Feed,
    /// The name that the settings give its cluster.
    pub cluster: String,
    pub checkpoint: Option<FeedCheckpoint>,
    pub status: Option<FeedStatus>,
    pub dead_letters: Option<DeadLetterCounts>,
    /// Code and text of what could not be read, or of settings that can't be used.
    pub faults: Vec<(String, String)>,
}

/// What the operator sees of one feed.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct FeedOverview {
    /// The feed.
    pub feed: String,
    /// The name that the settings give its cluster.
    pub cluster: String,
    /// How well it is.
    pub health: Health,
    /// Why it is not healthy.
    pub reasons: Vec<Reason>,
    /// The last run that ended.
    pub last_run: Option<LastRun>,
    /// When a run last ended without a failure.
    pub last_success: Option<Timestamp>,
    /// The newest time of an event that was delivered.
    pub newest: Option<Timestamp>,
    /// How long ago that is.
    pub lag_seconds: Option<i64>,
    /// The longest lag at the end of a run, for each hour in which runs ended.
    pub lag_history: Vec<Lag>,
    /// When the live stream was last read, and how that ended.
    pub live: Option<LiveRead>,
    /// Since when the workspace takes no rows.
    pub held_since: Option<Timestamp>,
    /// The calls of a TAP account; `None` for other feeds.
    pub calls: Option<CallReport>,
    /// How many hours are due and not done.
    pub waiting: usize,
    /// The oldest of them.
    pub oldest_waiting: Option<Hour>,
    /// The hours of the last days, oldest first.
    pub completeness: Vec<HourCompleteness>,
    /// Hours that are read again, those that are read first in front; not all if there are many.
    pub retries: Vec<Retry>,
    /// How many there are.
    pub retries_total: usize,
    /// Dead letters that are in storage; `None` if they could not be counted.
    pub dead_letters: Option<DeadLetterCounts>,
    /// What runs of the last 24 hours did.
    pub last_24_hours: Totals,
    /// What runs of the last 7 days did.
    pub last_7_days: Totals,
    /// Failures of the last days, the latest first.
    pub failures: Vec<PastFailure>,
}

/// The last run.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct LastRun {
    /// When it ended.
    pub finished: Timestamp,
    /// How long it took.
    pub seconds: f64,
    /// How it ended: `up_to_date`, `unfinished` or `failed`.
    pub outcome: String,
    /// The code of what failed.
    pub code: Option<String>,
    /// What failed, and what to look at.
    pub failure: Option<String>,
}

/// The longest lag of an hour.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Lag {
    /// The hour.
    pub hour: Hour,
    /// The lag.
    pub seconds: u64,
}

/// A reading of the live stream.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct LiveRead {
    /// When it ended.
    pub ended: Timestamp,
    /// How it ended.
    pub end: String,
}

/// How sure it is that an hour is whole.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct HourCompleteness {
    /// The hour.
    pub hour: Hour,
    /// How sure it is.
    pub completeness: Completeness,
}

/// An hour that is read again.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Retry {
    /// The hour.
    pub hour: Hour,
    /// How often it was tried.
    pub attempts: u32,
    /// It is not read again before this.
    pub not_before: Timestamp,
    /// How the last read ended.
    pub last_end: String,
}

/// Dead letters by reason.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct DeadLetterCounts {
    /// Not one JSON object.
    pub malformed: u64,
    /// Too long for a row; the workspace has a shortened one.
    pub oversize: u64,
    /// Refused by the workspace for good.
    pub refused: u64,
}

impl DeadLetterCounts {
    /// All of them.
    pub fn total(self) -> u64 {
        self.malformed + self.oversize + self.refused
    }
}

/// Sums over runs.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Totals {
    /// Runs that ended.
    pub runs: u64,
    /// Those that failed.
    pub failed: u64,
    /// Events read.
    pub events: u64,
    /// Rows that the workspace accepted.
    pub delivered: u64,
    /// Those of them that the live stream had not brought.
    pub repaired: u64,
    /// Events that had been delivered before.
    pub duplicates: u64,
    /// Events kept as dead letters.
    pub dead_letters: u64,
}

impl Totals {
    /// Adds the runs of an hour.
    fn add(mut self, runs: &RunsOfHour) -> Totals {
        self.runs += runs.runs;
        self.failed += runs.failed;
        self.events += runs.events;
        self.delivered += runs.delivered;
        self.repaired += runs.repaired;
        self.duplicates += runs.duplicates;
        self.dead_letters += runs.dead_letters;
        self
    }
}

impl FeedOverview {
    /// What the state says at `now`. An hour is due `delay` after its end.
    pub(super) fn of(state: FeedState, delay: SignedDuration, now: Timestamp) -> FeedOverview {
        let FeedState { feed, cluster, checkpoint, status, dead_letters, faults } = state;
        let status = status.unwrap_or_default();
        let history = &status.history;
        let current = Hour::containing(now);
        let hours = checkpoint.as_ref().map(|it| it.hours(history.first_hour, delay, now));
        let log = checkpoint.as_ref().and_then(FeedCheckpoint::log);
        let waiting = hours.as_ref().map(Hours::waiting).unwrap_or_default();
        let completeness = hours.iter().flat_map(|hours| {
            let days = current.plus(1 - HISTORY_HOURS).through(current);
            days.map(|hour| HourCompleteness { hour, completeness: hours.completeness(hour) })
        });
        let completeness: Vec<HourCompleteness> = completeness.collect();
        let newest = log.and_then(|it| it.newest).max(status.newest);
        let totals = |hours: i64| {
            let recent = history.hours.iter().filter(|runs| runs.hour > current.plus(-hours));
            recent.fold(Totals::default(), |totals, runs| totals.add(runs))
        };
        let mut retry: Vec<&HourAttempt> = log.iter().flat_map(|it| &it.retry).collect();
        retry.sort_by_key(|attempt| attempt.not_before);
        let mut overview = FeedOverview {
            feed: feed.to_string(),
            cluster,
            health: Health::Healthy,
            reasons: Vec::new(),
            last_run: last_run(&status),
            last_success: history.last_success,
            newest,
            lag_seconds: newest.map(|newest| now.duration_since(newest).as_secs().max(0)),
            lag_history: history.hours.iter().filter_map(lag).collect(),
            live: log
                .and_then(|it| it.live.as_ref())
                .map(|mark| LiveRead { ended: mark.ended, end: mark.end.to_string() }),
            held_since: log.and_then(|it| it.held).map(|hold| hold.since),
            calls: status.calls,
            waiting: waiting.len(),
            oldest_waiting: waiting.first().copied(),
            completeness,
            retries: retry.iter().take(MAX_RETRIES).copied().map(Retry::from).collect(),
            retries_total: retry.len(),
            dead_letters,
            last_24_hours: totals(24),
            last_7_days: totals(HISTORY_HOURS),
            failures: history.failures.clone(),
        };
        let last_write = checkpoint.as_ref().map(FeedCheckpoint::updated);
        overview.explain(faults, status.finished.max(last_write), now);
        overview
    }

    /// Finds the reasons for which it is not healthy.
    fn explain(
        &mut self,
        faults: Vec<(String, String)>,
        last_sign: Option<Timestamp>,
        now: Timestamp,
    ) {
        let failure = self.last_run.as_ref().filter(|run| run.outcome == "failed");
        let failure = failure.map(|run| {
            (run.code.as_deref().unwrap_or_default(), run.failure.as_deref().unwrap_or_default())
        });
        let runs = Runs {
            now,
            last_sign,
            last_success: self.last_success,
            failure,
            oldest_waiting: self.oldest_waiting.map(Hour::end),
            waiting: self.waiting,
        };
        let mut found: Vec<(Health, Option<String>, String)> = faults
            .into_iter()
            .map(|(code, text)| (Health::Failing, Some(code), text))
            .chain(reasons_of_runs(runs))
            .collect();
        let is_lost = |hour: &&HourCompleteness| hour.completeness == Completeness::Lost;
        let lost: Vec<Hour> = self.completeness.iter().filter(is_lost).map(|it| it.hour).collect();
        if let (Some(first), Some(last)) = (lost.first(), lost.last()) {
            let code = if self.calls.is_some() {
                error_code::TAP_HOURS_LOST
            } else {
                error_code::HOURS_LOST
            };
            let code = Some(code.to_string());
            let count = lost.len();
            let text = format!(
                "Of the last 7 days, {count} h from {first} to {last} are lost: Proofpoint no longer kept them."
            );
            found.push((Health::Degraded, code, text));
        }
        let refused = self.dead_letters.map_or(0, |counts| counts.refused);
        if refused > 0 {
            let code = Some(error_code::ROW_REFUSED.to_string());
            let text = format!(
                "Dead letters of rows that the workspace refused: {refused}. The command deadletter list says why it did. Once that is corrected, deadletter resend delivers them."
            );
            found.push((Health::Degraded, code, text));
        }
        let mut reasons: Vec<Reason> = Vec::new();
        for (health, code, text) in found {
            // Settings that can't be used are a fault, and fail the last run too.
            if code.is_none() || !reasons.iter().any(|reason| reason.code == code) {
                reasons.push(Reason { health, feed: Some(self.feed.clone()), code, text });
            }
        }
        self.health = worst(&reasons);
        self.reasons = reasons;
    }
}

fn last_run(status: &FeedStatus) -> Option<LastRun> {
    Some(LastRun {
        finished: status.finished?,
        seconds: status.seconds,
        outcome: status.outcome.clone(),
        code: status.code.clone(),
        failure: status.failure.clone(),
    })
}

fn lag(runs: &RunsOfHour) -> Option<Lag> {
    Some(Lag { hour: runs.hour, seconds: runs.lag_seconds? })
}

impl From<&HourAttempt> for Retry {
    fn from(attempt: &HourAttempt) -> Retry {
        Retry {
            hour: attempt.hour,
            attempts: attempt.attempts,
            not_before: attempt.not_before,
            last_end: attempt.last_end.to_string(),
        }
    }
}
