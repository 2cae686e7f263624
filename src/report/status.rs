//! The status of a feed: the report of its last run as a JSON document, for readers from outside.

use std::collections::BTreeMap;

use jiff::Timestamp;
use proofpoint_sentinel_core::hour::Hour;
use serde::{Deserialize, Serialize};

use super::feed_report::{CallReport, FeedReport};
use super::history::History;

/// The version of the document. Fields may be added without another one.
const VERSION: u32 = 1;

#[derive(Serialize)]
struct Status<'a> {
    version: u32,
    feed: &'a str,
    /// The name that the settings give its cluster.
    cluster: &'a str,
    /// The id of the run.
    run: &'a str,
    finished: Timestamp,
    seconds: f64,
    outcome: &'static str,
    /// The code of what failed.
    code: Option<String>,
    /// What failed, and what to look at.
    failure: Option<&'a str>,
    events: u64,
    event_bytes: u64,
    delivered: u64,
    repaired: u64,
    duplicates: u64,
    dead_letters: DeadLetters,
    posts: u64,
    retries: u64,
    hours_done: &'a [Hour],
    /// Those of `hours_done` that are only believed to be done.
    hours_believed: &'a [Hour],
    hours_checked: &'a [Hour],
    hours_waiting: usize,
    hours_lost: &'a [Hour],
    newest: Option<Timestamp>,
    lag_seconds: Option<u64>,
    session_ends: &'a BTreeMap<String, u32>,
    /// The calls of a TAP account.
    #[serde(skip_serializing_if = "Option::is_none")]
    calls: Option<CallReport>,
    history: &'a History,
}

/// What is read of a status. What an earlier release did not write is missing.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(default)]
pub struct FeedStatus {
    /// When the run ended.
    pub finished: Option<Timestamp>,
    /// How long it took.
    pub seconds: f64,
    /// How it ended: `up_to_date`, `unfinished` or `failed`.
    pub outcome: String,
    /// The code of what failed.
    pub code: Option<String>,
    /// What failed, and what to look at.
    pub failure: Option<String>,
    /// The newest time of an event that was ever delivered.
    pub newest: Option<Timestamp>,
    /// The calls of a TAP account.
    pub calls: Option<CallReport>,
    /// What the runs of the last days did.
    pub history: History,
}

impl FeedStatus {
    /// Reads a stored status; `None` if it is damaged.
    pub fn from_json(json: &[u8]) -> Option<FeedStatus> {
        serde_json::from_slice(json).ok()
    }
}

#[derive(Serialize)]
struct DeadLetters {
    malformed: u64,
    oversize: u64,
    refused: u64,
}

/// The status that `report` gives, which is of the run with the id `run`. What `previous`, the status
/// before it, says of the last days is carried on.
pub(crate) fn status_json(
    report: &FeedReport,
    run: &str,
    finished: Timestamp,
    previous: Option<&[u8]>,
) -> Vec<u8> {
    let mut history = previous.map(History::in_status).unwrap_or_default();
    history.add(report, finished);
    let (counts, failure) = (&report.counts, report.failure());
    let (malformed, oversize, refused) = (counts.malformed, counts.oversize, counts.refused);
    let status = Status {
        version: VERSION,
        feed: &report.feed,
        cluster: &report.cluster,
        run,
        finished,
        seconds: report.took.as_secs_f64(),
        outcome: report.outcome.as_str(),
        code: failure.map(|(code, _)| code.to_string()),
        failure: failure.map(|(_, reason)| reason),
        events: counts.events,
        event_bytes: counts.event_bytes,
        delivered: counts.delivered,
        repaired: report.repaired,
        duplicates: counts.duplicates,
        dead_letters: DeadLetters { malformed, oversize, refused },
        posts: counts.posts,
        retries: counts.retries,
        hours_done: &report.hours_done,
        hours_believed: &report.hours_believed,
        hours_checked: &report.hours_checked,
        hours_waiting: report.hours_waiting,
        hours_lost: &report.hours_lost,
        newest: report.newest,
        lag_seconds: report.lag.map(|lag| lag.as_secs()),
        session_ends: &report.ends,
        calls: report.calls,
        history: &history,
    };
    let mut json = serde_json::to_vec_pretty(&status).expect("its maps have texts for keys");
    json.push(b'\n');
    json
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use serde_json::{Value, json};

    use super::*;
    use crate::pod::OpenError;

    #[test]
    fn the_status_has_what_the_log_line_has() {
        let mut report = FeedReport::new("acme_hosted-message".to_owned(), "default".to_owned());
        let now: Timestamp = "2026-11-20T10:46:00Z".parse().unwrap();
        report.counts.delivered = 7;
        report.counts.malformed = 1;
        report.repaired = 2;
        report.hours_done.push("2026-11-20T09".parse().unwrap());
        report.newest = Some("2026-11-20T10:45:30Z".parse().unwrap());
        report.count_session_end("live", "quiet");
        report.conclude(Some(&OpenError::Token), now, Duration::from_millis(1500));
        let status: Value =
            serde_json::from_slice(&status_json(&report, "run-7", now, None)).unwrap();
        let expected = json!({
            "version": 1, "feed": "acme_hosted-message", "cluster": "default", "run": "run-7",
            "finished": "2026-11-20T10:46:00Z", "seconds": 1.5,
            "outcome": "failed", "code": "PPS2011",
            "failure": OpenError::Token.to_string(),
            "events": 0, "event_bytes": 0, "delivered": 7, "repaired": 2, "duplicates": 0,
            "dead_letters": {"malformed": 1, "oversize": 0, "refused": 0},
            "posts": 0, "retries": 0, "hours_done": ["2026-11-20T09"], "hours_believed": [],
            "hours_checked": [],
            "hours_waiting": 0, "hours_lost": [], "newest": "2026-11-20T10:45:30Z",
            "lag_seconds": 30, "session_ends": {"live quiet": 1},
            "history": {
                "first_hour": null, "last_success": null,
                "failures": [{
                    "code": "PPS2011", "reason": OpenError::Token.to_string(),
                    "first": "2026-11-20T10:46:00Z", "last": "2026-11-20T10:46:00Z", "runs": 1,
                }],
                "hours": [{
                    "hour": "2026-11-20T10", "runs": 1, "failed": 1, "delivered": 7, "repaired": 2,
                    "dead_letters": 1, "lag_seconds": 30,
                }],
            },
        });
        assert_eq!(status, expected);
    }

    #[test]
    fn the_history_is_carried_on_and_read_back() {
        let report = FeedReport::new("acme_hosted-message".to_owned(), "default".to_owned());
        let (one, two) = ("2026-11-20T10:46:00Z", "2026-11-20T10:51:00Z");
        let first = status_json(&report, "1", one.parse().unwrap(), None);
        let second = status_json(&report, "2", two.parse().unwrap(), Some(&first));
        let status = FeedStatus::from_json(&second).unwrap();
        assert_eq!(status.history.hours[0].runs, 2);
        assert_eq!(status.history.last_success, Some(two.parse().unwrap()));
        assert_eq!(
            (status.outcome.as_str(), status.finished),
            ("up_to_date", Some(two.parse().unwrap()))
        );
        assert_eq!(FeedStatus::from_json(b"{"), None);
    }
}
