//! Checkpoints that release 0.1.0 wrote lead to the decisions that 0.1.0 would have made. It compared
//! the texts of ends, and so does the model here.

use std::path::Path;

use jiff::Timestamp;
use proofpoint_sentinel_core::feed::{EventType, Feed};
use proofpoint_sentinel_core::hour::Hour;
use serde_json::{Value, json};

use super::hour_status::{HourReading, HourStatus, classify_read, has_failed_often, is_too_long};
use super::plan::plan;
use super::read_end::ReadEnd;
use super::timing::examples::{ONCE, at};
use crate::pod::SessionEnd;
use crate::state::{Checkpoint, CheckpointFormat as _, HourAttempt};

/// A checkpoint, as it was stored and as it was read.
struct Stored {
    name: String,
    json: Value,
    checkpoint: Checkpoint,
}

impl Stored {
    /// The hours to retry, each with the text of its last end.
    fn retries(&self) -> impl Iterator<Item = (&HourAttempt, &str)> {
        let texts = self.json["retry"].as_array().unwrap().iter();
        let texts = texts.map(|retry| retry["last_end"].as_str().unwrap());
        self.checkpoint.retry.iter().zip(texts)
    }
}

fn feed() -> Feed {
    Feed::log("acme_hosted", EventType::Message)
}

fn stored() -> Vec<Stored> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/checkpoints/v0.1.0");
    let files = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    let read = |path: std::path::PathBuf| {
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        let bytes = std::fs::read(&path).unwrap();
        let checkpoint = Checkpoint::from_json(&bytes, &feed());
        let checkpoint = checkpoint.unwrap_or_else(|error| panic!("{name}: {error}"));
        Stored { name, json: serde_json::from_slice(&bytes).unwrap(), checkpoint }
    };
    let stored: Vec<Stored> = files.map(read).collect();
    assert!(stored.iter().any(|stored| !stored.checkpoint.retry.is_empty()));
    stored
}

fn ends() -> Vec<ReadEnd> {
    let sessions = [
        SessionEnd::Closed(Some(1000)),
        SessionEnd::Closed(Some(1001)),
        SessionEnd::Closed(Some(1011)),
        SessionEnd::Closed(None),
        SessionEnd::Cut,
        SessionEnd::Stalled,
        SessionEnd::Invalid("\"ü\": a \\ and\na line".to_owned()),
    ];
    let own = [ReadEnd::Stopped, ReadEnd::OutOfTime, ReadEnd::Quiet];
    sessions.map(ReadEnd::Session).into_iter().chain(own).collect()
}

#[test]
fn a_checkpoint_of_0_1_0_means_what_it_meant() {
    for Stored { name, json, checkpoint } in stored() {
        let written = checkpoint.to_json(&feed()).unwrap();
        assert_eq!(Checkpoint::from_json(&written, &feed()), Ok(checkpoint.clone()), "{name}");
        let mut written: Value = serde_json::from_slice(&written).unwrap();
        written["version"] = 1.into();
        // What version 1 did not have is empty, unknown or off.
        for (field, nothing) in [
            ("backlog", json!([])),
            ("believed", json!([])),
            ("oldest_next", json!(false)),
            ("kept_hours", json!(0)),
            ("retention_hours", json!(null)),
            ("held", json!(null)),
            ("refusals", json!({"clock": 0, "accepted": 0, "suspects": []})),
            ("told_from", json["next_hour"].clone()),
            ("hour_rows", json!([])),
        ] {
            assert_eq!(written.as_object_mut().unwrap().remove(field), Some(nothing), "{field}");
        }
        for (position, retry) in checkpoint.retry.iter().enumerate() {
            written["retry"][position]["last_end"] = retry.last_end.to_string().into();
        }
        if let Some(live) = &checkpoint.live {
            written["live"]["end"] = live.end.to_string().into();
        }
        assert_eq!(written, json, "{name}");
    }
}

#[test]
fn hours_are_too_long_or_failed_as_for_0_1_0() {
    for stored in stored() {
        for (attempt, text) in stored.retries() {
            let too_long = attempt.attempts >= 2 && text == "out of time";
            assert_eq!(is_too_long(attempt), too_long, "{}: {attempt:?}", stored.name);
            let failures = attempt.attempts - attempt.empty_reads;
            let failed_often = failures >= 3 && !["stopped", "out of time"].contains(&text);
            assert_eq!(has_failed_often(attempt), failed_often, "{}: {attempt:?}", stored.name);
        }
    }
}

#[test]
fn a_second_equal_reading_is_believed_as_by_0_1_0() {
    let now = at("2026-11-20T11:00:00Z");
    let mut believed = 0;
    for stored in stored() {
        for (attempt, text) in stored.retries() {
            for end in ends() {
                for events in [0, attempt.last_events, attempt.last_events + 1] {
                    let is_done = is_done(attempt, text, &end, events);
                    believed += usize::from(is_done && end != ends()[0]);
                    let reading = HourReading { end: &end, events, missing: 0 };
                    let status = classify_read(attempt.hour, Some(attempt), reading, now, ONCE);
                    let is_done_now = !matches!(status, HourStatus::Retry(_));
                    assert_eq!(is_done_now, is_done, "{}: {attempt:?}, {end}", stored.name);
                }
            }
        }
    }
    assert!(believed > 0);
}

/// Whether a reading after `attempt`, whose end had this text, made the hour done.
fn is_done(attempt: &HourAttempt, text: &str, end: &ReadEnd, events: u64) -> bool {
    match end.to_string().as_str() {
        "closed with 1000" => events > 0 || attempt.empty_reads >= 2,
        "closed without a code" | "cut" => {
            events > 0 && attempt.last_events == events && text == end.to_string()
        }
        _ => false,
    }
}

#[test]
fn hours_of_0_1_0_are_planned_and_long_ones_come_last() {
    let now = at("2026-11-20T11:50:00Z");
    for stored in stored() {
        let later = stored.retries().filter(|(attempt, _)| is_later(attempt, now)).count();
        let too_long: Vec<Hour> = stored
            .retries()
            .filter(|(attempt, text)| {
                !is_later(attempt, now) && attempt.attempts >= 2 && *text == "out of time"
            })
            .map(|(attempt, _)| attempt.hour)
            .collect();
        let plan = plan(&stored.checkpoint, now, ONCE);
        assert_eq!(plan.later, later, "{}", stored.name);
        let (first, last) = plan.due.split_at(plan.due.len() - too_long.len());
        assert_eq!(last, too_long, "{}", stored.name);
        let newest_first: Vec<_> = first.iter().step_by(2).rev().collect();
        let oldest_first: Vec<_> = first.iter().skip(1).step_by(2).collect();
        let in_order = [oldest_first, newest_first].concat();
        assert!(in_order.is_sorted(), "{}", stored.name);
    }
}

fn is_later(attempt: &HourAttempt, now: Timestamp) -> bool {
    attempt.not_before > now
}
