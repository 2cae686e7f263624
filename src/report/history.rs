//! What the runs of the last days did for a feed, summed up by the hour in which they ended.

use jiff::Timestamp;
use proofpoint_sentinel_core::hour::Hour;
use serde::{Deserialize, Serialize};

use super::feed_report::{FeedOutcome, FeedReport};

/// For how many hours it is kept.
pub const HISTORY_HOURS: i64 = 7 * 24;

/// How many different failures are kept.
const MAX_FAILURES: usize = 5;

/// How many characters of a failure's reason are kept.
const MAX_REASON_CHARACTERS: usize = 500;

/// What the runs of the last days did for a feed. It is bounded, and nothing is decided by it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct History {
    /// The oldest hour that a run was to read; `None` before it is known.
    pub first_hour: Option<Hour>,
    /// When a run last ended without a failure.
    pub last_success: Option<Timestamp>,
    /// Failures of the last days, each code once, the latest first.
    pub failures: Vec<PastFailure>,
    /// Hours in which runs ended, oldest first.
    pub hours: Vec<RunsOfHour>,
}

/// A failure of one or more runs.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PastFailure {
    /// Its code.
    pub code: String,
    /// What failed last, and what to look at.
    pub reason: String,
    /// When a run first failed so, of those that are remembered.
    pub first: Timestamp,
    /// When a run last failed so.
    pub last: Timestamp,
    /// How many runs failed so.
    pub runs: u64,
}

/// The runs that ended in one hour.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RunsOfHour {
    /// The hour.
    pub hour: Hour,
    /// How many runs ended in it.
    pub runs: u64,
    /// How many of them failed.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub failed: u64,
    /// Events read.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub events: u64,
    /// Rows that the workspace accepted.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub delivered: u64,
    /// Those of them that the live stream had not brought.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub repaired: u64,
    /// Events that had been delivered before.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub duplicates: u64,
    /// Events kept as dead letters.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub dead_letters: u64,
    /// The longest lag at the end of a run.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub lag_seconds: Option<u64>,
}

fn is_zero(number: &u64) -> bool {
    *number == 0
}

/// The part of a status that has the history.
#[derive(Default, Deserialize)]
struct WithHistory {
    #[serde(default)]
    history: History,
}

impl History {
    /// The history in a status that was written before. What can't be read starts anew.
    pub(super) fn in_status(json: &[u8]) -> History {
        serde_json::from_slice(json).unwrap_or_else(|_| WithHistory::default()).history
    }

    /// Adds a run that ended at `finished`, and forgets what is too old.
    pub(super) fn add(&mut self, report: &FeedReport, finished: Timestamp) {
        let known = [self.first_hour, report.oldest_open];
        self.first_hour = known.into_iter().flatten().min();
        match &report.outcome {
            FeedOutcome::Failed { code, reason } => {
                self.add_failure(code.to_string(), reason, finished);
            }
            FeedOutcome::UpToDate | FeedOutcome::Unfinished => self.last_success = Some(finished),
            FeedOutcome::OwnedElsewhere => {}
        }
        let now = Hour::containing(finished);
        let oldest = now.plus(1 - HISTORY_HOURS);
        // Later ones were written by a clock that was ahead.
        self.hours.retain(|runs| (oldest..=now).contains(&runs.hour));
        self.failures.retain(|failure| failure.last >= oldest.start());
        self.runs_of(now).add(report);
    }

    fn add_failure(&mut self, code: String, reason: &str, at: Timestamp) {
        let reason = reason.chars().take(MAX_REASON_CHARACTERS).collect();
        let known = self.failures.iter().position(|failure| failure.code == code);
        let failure = match known.map(|position| self.failures.remove(position)) {
            Some(known) => PastFailure { reason, last: at, runs: known.runs + 1, ..known },
            None => PastFailure { code, reason, first: at, last: at, runs: 1 },
        };
        self.failures.insert(0, failure);
        self.failures.truncate(MAX_FAILURES);
    }

    /// The entry of the newest hour.
    fn runs_of(&mut self, hour: Hour) -> &mut RunsOfHour {
        if self.hours.last().is_none_or(|last| last.hour != hour) {
            self.hours.push(RunsOfHour::none(hour));
        }
        self.hours.last_mut().expect("it was pushed above")
    }
}

impl RunsOfHour {
    /// No run ended in `hour`.
    pub fn none(hour: Hour) -> RunsOfHour {
        RunsOfHour {
            hour,
            runs: 0,
            failed: 0,
            events: 0,
            delivered: 0,
            repaired: 0,
            duplicates: 0,
            dead_letters: 0,
            lag_seconds: None,
        }
    }

    fn add(&mut self, report: &FeedReport) {
        let counts = &report.counts;
        self.runs += 1;
        self.failed += u64::from(report.failure().is_some());
        self.events += counts.events;
        self.delivered += counts.delivered;
        self.repaired += report.repaired;
        self.duplicates += counts.duplicates;
        self.dead_letters += counts.dead_letters();
        self.lag_seconds = self.lag_seconds.max(report.lag.map(|lag| lag.as_secs()));
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use jiff::SignedDuration;

    use super::*;
    use crate::error_code::{self, ErrorCode};

    fn time(text: &str) -> Timestamp {
        text.parse().unwrap()
    }

    fn report(failure: Option<ErrorCode>) -> FeedReport {
        let mut report = FeedReport::new("acme_hosted-message".to_owned(), "default".to_owned());
        report.counts.events = 3;
        report.counts.delivered = 2;
        report.counts.refused = 1;
        report.lag = Some(Duration::from_secs(40));
        if let Some(code) = failure {
            report.outcome = FeedOutcome::Failed { code, reason: "x".repeat(600) };
        }
        report
    }

    #[test]
    fn runs_of_an_hour_are_summed_up() {
        let mut history = History::default();
        history.add(&report(None), time("2026-11-20T10:05:00Z"));
        let mut slow = report(Some(error_code::REFUSED_TOKEN));
        slow.lag = Some(Duration::from_secs(90));
        history.add(&slow, time("2026-11-20T10:10:00Z"));
        history.add(&report(None), time("2026-11-20T11:00:00Z"));
        let [first, second] = &history.hours[..] else { panic!("{history:?}") };
        let expected = RunsOfHour {
            runs: 2,
            failed: 1,
            events: 6,
            delivered: 4,
            dead_letters: 2,
            lag_seconds: Some(90),
            ..RunsOfHour::none("2026-11-20T10".parse().unwrap())
        };
        assert_eq!(*first, expected);
        assert_eq!((second.runs, second.lag_seconds), (1, Some(40)));
        assert_eq!(history.last_success, Some(time("2026-11-20T11:00:00Z")));
    }

    #[test]
    fn a_failure_is_there_once_with_its_first_and_last_time() {
        let mut history = History::default();
        let (token, denied) = (error_code::REFUSED_TOKEN, error_code::STORAGE_DENIED);
        for (code, at) in [(token, "10:00"), (denied, "10:05"), (token, "10:10")] {
            history.add(&report(Some(code)), time(&format!("2026-11-20T{at}:00Z")));
        }
        let [last, before] = &history.failures[..] else { panic!("{history:?}") };
        assert_eq!((last.code.as_str(), last.runs), ("PPS2002", 2));
        assert_eq!(
            (last.first, last.last),
            (time("2026-11-20T10:00:00Z"), time("2026-11-20T10:10:00Z"))
        );
        assert_eq!(last.reason.len(), MAX_REASON_CHARACTERS);
        assert_eq!((before.code.as_str(), before.runs), ("PPS5102", 1));
        assert_eq!(history.last_success, None);
    }

    #[test]
    fn it_is_bounded_and_survives_a_clock_that_was_ahead() {
        let mut history = History::default();
        let start = time("2026-11-01T00:30:00Z");
        history.add(&report(None), start + SignedDuration::from_hours(24 * 300));
        for hour in 0..400 {
            let code = error_code::ALL[hour as usize % 20];
            history.add(&report(Some(code)), start + SignedDuration::from_hours(hour));
        }
        let now = Hour::containing(start).plus(399);
        assert_eq!(history.hours.len(), 168);
        assert_eq!(history.hours.last().unwrap().hour, now);
        assert_eq!(history.hours[0].hour, now.plus(-167));
        assert_eq!(history.failures.len(), MAX_FAILURES);
        history.add(&report(None), start + SignedDuration::from_hours(1000));
        assert_eq!((history.failures.len(), history.hours.len()), (0, 1));
    }

    #[test]
    fn the_first_hour_is_the_oldest_ever_asked_for() {
        let mut history = History::default();
        for (oldest, first) in
            [(None, None), (Some(5), Some(5)), (Some(9), Some(5)), (Some(3), Some(3))]
        {
            let hour = |number: i64| Hour::containing(time("2026-11-20T00:00:00Z")).plus(number);
            let report = FeedReport { oldest_open: oldest.map(hour), ..report(None) };
            history.add(&report, time("2026-11-20T10:00:00Z"));
            assert_eq!(history.first_hour, first.map(hour));
        }
    }

    #[test]
    fn an_older_status_has_none_and_a_damaged_one_starts_anew() {
        for json in ["", "{", "[]", r#"{"version":1,"feed":"a"}"#, r#"{"history":7}"#] {
            assert_eq!(History::in_status(json.as_bytes()), History::default(), "{json}");
        }
        let json = br#"{"history":{"hours":[{"hour":"2026-11-20T10","runs":2}],"later":1}}"#;
        assert_eq!(History::in_status(json).hours[0].runs, 2);
    }
}
