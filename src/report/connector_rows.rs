//! Rows of the connector's own table: what a run did for a feed, and what an hour of it is like.

use jiff::Timestamp;
use proofpoint_sentinel_core::feed::{Feed, FeedType};
use serde::Serialize;
use serde_json::value::RawValue;

use super::feed_report::FeedReport;
use crate::row::RowShape;
use crate::state::HourRow;

/// The longest reason of a failure that is sent, in characters.
const MAX_REASON_CHARACTERS: usize = 1_000;

/// A row. What is `None` is left out, so its column stays empty.
#[derive(Default, Serialize)]
#[serde(rename_all = "PascalCase")]
struct ConnectorRow<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    time_generated: Option<Timestamp>,
    /// The row's time in the Data Collector API, which reserves the other name.
    #[serde(rename = "eventTime", skip_serializing_if = "Option::is_none")]
    event_time: Option<Timestamp>,
    record_type: &'static str,
    source: &'static str,
    account: &'a str,
    feed_type: String,
    connector_version: &'static str,
    run_id: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    outcome: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    code: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    duration_seconds: Option<f64>,
    events: u64,
    delivered: u64,
    duplicates: u64,
    dead_letters: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    dead_letter_reasons: Option<Box<RawValue>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    lag_seconds: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    newest_event: Option<Timestamp>,
    #[serde(skip_serializing_if = "Option::is_none")]
    hours_due: Option<usize>,
    #[serde(skip_serializing_if = "Option::is_none")]
    hours_lost: Option<usize>,
    #[serde(skip_serializing_if = "Option::is_none")]
    calls_used: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    calls_left: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    hour: Option<Timestamp>,
    #[serde(skip_serializing_if = "Option::is_none")]
    completeness: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    attempts: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    live: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    archive: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    late: Option<u64>,
}

/// How many dead letters were stored, by reason.
#[derive(Serialize)]
struct DeadLetterReasons {
    malformed: u64,
    oversize: u64,
    refused: u64,
}

/// Makes rows in the shape that the destination takes.
#[derive(Clone, Copy, Debug)]
pub struct ConnectorRowBuilder {
    shape: RowShape,
}

impl ConnectorRowBuilder {
    /// Makes rows in one shape.
    pub fn new(shape: RowShape) -> ConnectorRowBuilder {
        ConnectorRowBuilder { shape }
    }

    /// The row of what the run with the id `run` did for a feed. `now` stands in for the time of its
    /// end where it was not worked on.
    pub fn run_row(self, report: &FeedReport, run: &str, now: Timestamp) -> Vec<u8> {
        let feed = report.feed.parse::<Feed>().ok();
        let (counts, failure) = (&report.counts, report.failure());
        let (malformed, oversize, refused) = (counts.malformed, counts.oversize, counts.refused);
        let row = ConnectorRow {
            record_type: "run",
            outcome: Some(report.outcome.as_str()),
            code: failure.map(|(code, _)| code.to_string()),
            reason: failure.map(|(_, reason)| one_line(reason)),
            duration_seconds: Some(report.took.as_secs_f64()),
            events: counts.events,
            delivered: counts.delivered,
            duplicates: counts.duplicates,
            dead_letters: counts.dead_letters(),
            dead_letter_reasons: Some(self.dynamic(&DeadLetterReasons {
                malformed,
                oversize,
                refused,
            })),
            lag_seconds: report.lag.map(|lag| lag.as_secs_f64()),
            newest_event: report.newest,
            hours_due: Some(report.hours_waiting),
            hours_lost: Some(report.hours_lost.len()),
            calls_used: report.calls.map(|calls| calls.used),
            calls_left: report.calls.map(|calls| calls.limit.saturating_sub(calls.used)),
            ..self.row(feed.as_ref(), run, report.ended.unwrap_or(now))
        };
        let account = feed.as_ref().map_or(&*report.cluster, |feed| &*feed.account);
        json(&ConnectorRow { account, ..row })
    }

    /// The row of what an hour of `feed` is like.
    pub fn hour_row(self, feed: &Feed, hour: &HourRow) -> Vec<u8> {
        let counts = hour.counts;
        json(&ConnectorRow {
            record_type: "hour",
            events: counts.delivered() + counts.dead_letters,
            delivered: counts.delivered(),
            duplicates: hour.repeated,
            dead_letters: counts.dead_letters,
            hour: Some(hour.hour.start()),
            completeness: Some(hour.completeness.as_str()),
            attempts: hour.attempts,
            live: Some(counts.live),
            archive: Some(counts.archive),
            late: Some(counts.late),
            ..self.row(Some(feed), &hour.run, hour.at)
        })
    }

    /// What every row has. The feed of a cluster whose id is not known has no name.
    fn row<'a>(self, feed: Option<&'a Feed>, run_id: &'a str, at: Timestamp) -> ConnectorRow<'a> {
        let (time_generated, event_time) = match self.shape {
            RowShape::Columns => (Some(at), None),
            RowShape::Legacy => (None, Some(at)),
        };
        let is_tap = feed.is_some_and(|feed| feed.feed_type == FeedType::Tap);
        ConnectorRow {
            time_generated,
            event_time,
            source: if is_tap { "tap" } else { "pod" },
            account: feed.map_or("", |feed| &*feed.account),
            feed_type: feed.map(|feed| feed.feed_type.to_string()).unwrap_or_default(),
            connector_version: env!("CARGO_PKG_VERSION"),
            run_id,
            ..ConnectorRow::default()
        }
    }

    /// A value of a dynamic column. The Data Collector API would make a column of each member, so it
    /// gets the text of the JSON.
    fn dynamic(self, value: &impl Serialize) -> Box<RawValue> {
        let value = serde_json::value::to_raw_value(value);
        let value = value.expect("its keys are texts");
        match self.shape {
            RowShape::Columns => value,
            RowShape::Legacy => {
                serde_json::value::to_raw_value(value.get()).expect("a text is JSON")
            }
        }
    }
}

fn json(row: &ConnectorRow<'_>) -> Vec<u8> {
    serde_json::to_vec(row).expect("its keys are texts")
}

fn one_line(reason: &str) -> String {
    let characters = reason.chars().map(|it| if it.is_control() { ' ' } else { it });
    characters.take(MAX_REASON_CHARACTERS).collect()
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use proofpoint_sentinel_core::feed::EventType;
    use proofpoint_sentinel_core::tables::connector_table;
    use serde_json::{Value, json};

    use super::*;
    use crate::pod::OpenError;
    use crate::report::CallReport;
    use crate::state::{Completeness, HourCounts};

    const NOW: &str = "2026-11-20T10:46:00Z";

    fn now() -> Timestamp {
        NOW.parse().unwrap()
    }

    fn read(row: &[u8]) -> Value {
        serde_json::from_slice(row).unwrap()
    }

    fn report() -> FeedReport {
        let mut report = FeedReport::new("acme_hosted-message".to_owned(), "emea".to_owned());
        report.counts.events = 9;
        report.counts.delivered = 6;
        report.counts.duplicates = 2;
        report.counts.malformed = 1;
        report.hours_waiting = 3;
        report.counts.newest = Some("2026-11-20T10:45:30Z".parse().unwrap());
        report.conclude(Some(&OpenError::Token), now(), Duration::from_millis(1500));
        report
    }

    fn hour() -> HourRow {
        HourRow {
            hour: "2026-11-20T09".parse().unwrap(),
            at: now(),
            run: "run-7".to_owned(),
            completeness: Completeness::Proved,
            attempts: Some(2),
            counts: HourCounts { live: 5, archive: 3, late: 1, dead_letters: 2 },
            repeated: 4,
        }
    }

    #[test]
    fn a_run_of_a_feed_becomes_a_row() {
        let row = ConnectorRowBuilder::new(RowShape::Columns).run_row(&report(), "run-7", now());
        let expected = json!({
            "TimeGenerated": NOW, "RecordType": "run", "Source": "pod", "Account": "acme_hosted",
            "FeedType": "message", "ConnectorVersion": env!("CARGO_PKG_VERSION"), "RunId": "run-7",
            "Outcome": "failed", "Code": "PPS2011", "Reason": OpenError::Token.to_string(),
            "DurationSeconds": 1.5, "Events": 9, "Delivered": 6, "Duplicates": 2, "DeadLetters": 1,
            "DeadLetterReasons": {"malformed": 1, "oversize": 0, "refused": 0}, "LagSeconds": 30.0,
            "NewestEvent": "2026-11-20T10:45:30Z", "HoursDue": 3, "HoursLost": 0,
        });
        assert_eq!(read(&row), expected);
    }

    #[test]
    fn an_hour_becomes_a_row() {
        let feed = Feed::log("acme_hosted", EventType::Message);
        let row = ConnectorRowBuilder::new(RowShape::Columns).hour_row(&feed, &hour());
        let expected = json!({
            "TimeGenerated": NOW, "RecordType": "hour", "Source": "pod", "Account": "acme_hosted",
            "FeedType": "message", "ConnectorVersion": env!("CARGO_PKG_VERSION"), "RunId": "run-7",
            "Events": 11, "Delivered": 9, "Duplicates": 4, "DeadLetters": 2,
            "Hour": "2026-11-20T09:00:00Z", "Completeness": "proved", "Attempts": 2, "Live": 5,
            "Archive": 3, "Late": 1,
        });
        assert_eq!(read(&row), expected);
    }

    #[test]
    fn the_data_collector_api_gets_names_and_texts_that_it_takes() {
        let builder = ConnectorRowBuilder::new(RowShape::Legacy);
        let row = read(&builder.run_row(&report(), "run-7", now()));
        assert_eq!((&row["eventTime"], &row["TimeGenerated"]), (&json!(NOW), &Value::Null));
        let reasons = row["DeadLetterReasons"].as_str().unwrap();
        assert_eq!(read(reasons.as_bytes())["malformed"], 1);
    }

    #[test]
    fn a_tap_account_has_calls_and_a_cluster_without_an_id_its_name() {
        let builder = ConnectorRowBuilder::new(RowShape::Columns);
        let mut tap = FeedReport::new("default-tap".to_owned(), "default".to_owned());
        tap.calls = Some(CallReport { used: 300, limit: 1_800, waits_until: None });
        let row = read(&builder.run_row(&tap, "run-7", now()));
        assert_eq!((&row["Source"], &row["Account"]), (&json!("tap"), &json!("default")));
        assert_eq!((&row["CallsUsed"], &row["CallsLeft"]), (&json!(300), &json!(1_500)));
        let nameless = FeedReport::new("cluster emea".to_owned(), "emea".to_owned());
        let row = read(&builder.run_row(&nameless, "run-7", now()));
        assert_eq!((&row["Account"], &row["FeedType"]), (&json!("emea"), &json!("")));
    }

    #[test]
    fn every_column_is_filled_by_one_of_the_rows() {
        let builder = ConnectorRowBuilder::new(RowShape::Columns);
        let mut run = report();
        run.calls = Some(CallReport { used: 1, limit: 2, waits_until: None });
        let feed = Feed::log("acme_hosted", EventType::Message);
        let rows = [builder.run_row(&run, "r", now()), builder.hour_row(&feed, &hour())];
        let rows = rows.map(|row| read(&row));
        for column in connector_table().columns {
            assert!(rows.iter().any(|row| row.get(column.name).is_some()), "{}", column.name);
        }
    }
}
