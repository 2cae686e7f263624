//! `demo`: the whole connector, with nothing configured.

use std::collections::BTreeSet;
use std::path::Path;

use jiff::Timestamp;
use proofpoint_sentinel_core::feed::{EventType, Feed};
use proofpoint_sentinel_core::hour::Hour;
use proofpoint_sentinel_core::tables::{table, tap_table};
use proofpoint_sentinel_core::tap_kind::TapKind;
use proofpoint_sentinel_simulator::TAP_PRINCIPAL;
use proofpoint_sentinel_simulator::mail::MailTraffic;
use proofpoint_sentinel_simulator::pod::{EventSource, GeneratedEvents, MailVolume};
use proofpoint_sentinel_simulator::tap::{GeneratedRecords, RecordSource as _};
use serde_json::Value;

use crate::cli::program::{Ended, run};
use crate::cli::services::{CLUSTER, feed, id};
use crate::temporary;

const END: &str = "Every event of the closed hours arrived once, and none of the";

async fn demo(keep: &Path, more: &[&str]) -> Ended {
    demo_of(keep, 2, 300, more).await
}

async fn demo_of(keep: &Path, hours: u32, rate: u64, more: &[&str]) -> Ended {
    let (keep, hours, rate) = (keep.to_str().unwrap(), hours.to_string(), rate.to_string());
    let options = ["demo", "--hours", &hours, "--rate", &rate, "--keep", keep];
    let arguments = [&options, more].concat();
    let ended = run(&arguments, &[]).await;
    assert_eq!(ended.code, Some(0), "{ended:?}");
    assert_eq!(ended.stderr, "");
    assert!(ended.stdout.contains(END), "{ended:?}");
    ended
}

/// The hours of the demo's traffic, as it names them in its first line.
#[track_caller]
fn hours(ended: &Ended) -> (Hour, Hour) {
    let line = ended.stdout.lines().next().unwrap();
    let words: Vec<&str> = line.split_whitespace().collect();
    let to = words.iter().position(|word| *word == "to").expect("from one hour to another");
    (words[to - 1].parse().unwrap(), words[to + 1].parse().unwrap())
}

/// The feed's numbers of the table: hours, events read, rows by live, rows from the archive, events
/// that were known already, rows received.
#[track_caller]
fn told(ended: &Ended, feed: &Feed) -> [usize; 6] {
    let name = feed.to_string();
    let line = ended.stdout.lines().find(|line| line.starts_with(&name));
    let line = line.unwrap_or_else(|| panic!("{feed} is not in the table: {ended:?}"));
    let words: Vec<&str> = line.split_whitespace().collect();
    std::array::from_fn(|column| words[column + 1].replace(',', "").parse().unwrap())
}

/// The ids of the rows that the demo left, in order.
fn rows(keep: &Path, table: &str, feed: &Feed) -> Vec<String> {
    let path = keep.join("workspace").join(format!("{table}.ndjson"));
    let text = std::fs::read_to_string(path).unwrap();
    let mut ids: Vec<String> = text.lines().map(|row| id(feed, row.as_bytes())).collect();
    ids.sort();
    ids
}

fn volume(messages: u64) -> MailVolume {
    MailVolume { messages, audits: 10, daily: true, bulk: false }
}

/// The ids of the traffic, in order.
fn traffic(feed: &Feed, first: Hour, last: Hour) -> Vec<String> {
    let traffic = MailTraffic::new(1, CLUSTER);
    let source = GeneratedEvents::new([(CLUSTER.to_owned(), traffic)], volume(300));
    let events = first.through(last).flat_map(|hour| source.events(feed, hour));
    let mut ids: Vec<String> = events.map(|event| id(feed, &event)).collect();
    ids.sort();
    ids
}

#[tokio::test]
async fn every_event_lies_in_its_table_once_and_another_demo_goes_on() {
    let keep = temporary();
    let ended = demo(keep.path(), &[]).await;
    let (first, last) = hours(&ended);
    assert_eq!(last.hours_since(first), 1);
    for feed in EventType::ALL.map(feed) {
        let expected = traffic(&feed, first, last);
        assert!(!expected.is_empty());
        let arrived = rows(keep.path(), table(feed.event_type().unwrap()).name, &feed);
        let once: BTreeSet<&String> = arrived.iter().collect();
        assert_eq!(once.len(), arrived.len(), "{feed}: a row came twice");
        assert!(expected.iter().all(|id| once.contains(id)), "{feed}");
        let [hours, events, live, archive, known, received] = told(&ended, &feed);
        assert_eq!((events, received), (live + archive + known, live + archive), "{feed}");
        assert!(hours >= 2 && archive > 0, "{feed}");
        // At night nothing may be audited for longer than the live stream reaches back.
        assert!(live > 0 || feed.event_type().unwrap() == EventType::Audit, "{feed}");
    }

    let ended = demo(keep.path(), &[]).await;
    let nothing_more =
        format!("Every closed hour up to {last} UTC was delivered by an earlier demo.");
    let no_hour_between = ended.stdout.starts_with(&nothing_more);
    for feed in EventType::ALL.map(feed) {
        let arrived = rows(keep.path(), table(feed.event_type().unwrap()).name, &feed);
        let once: BTreeSet<&String> = arrived.iter().collect();
        assert_eq!(once.len(), arrived.len(), "{feed}: a row came twice");
        if no_hour_between {
            let [hours, _, _, archive, ..] = told(&ended, &feed);
            assert_eq!((hours, archive), (0, 0), "{feed}");
        }
    }
    let log = std::fs::read_to_string(keep.path().join("handler.log")).unwrap();
    assert!(log.contains("run begins"), "{log}");
    let told = ended.stdout.lines().find(|line| line.starts_with("ProofpointConnector_CL tells"));
    let told = told.unwrap_or_else(|| panic!("{ended:?}"));
    assert!(told.contains(" proved") && told.contains(" 4 runs"), "{told}");
}

/// The TAP records of the traffic that were created in an hour: id and status of each.
fn tap_records(hour: Hour) -> BTreeSet<String> {
    let traffic = vec![MailTraffic::new(1, CLUSTER)];
    let source = GeneratedRecords::new([(TAP_PRINCIPAL.to_owned(), traffic)], volume(RATE));
    let window = hour.start()..hour.end();
    let records = source.records(TAP_PRINCIPAL, &window, Timestamp::now());
    records.iter().map(|record| verdict(&record.body)).collect()
}

/// What tells the verdicts on a record, or its row, apart.
fn verdict(json: &[u8]) -> String {
    let value: Value = serde_json::from_slice(json).unwrap();
    let threats = value["threatsInfoMap"].as_array().into_iter().flatten();
    let statuses: BTreeSet<String> =
        threats.map(|it| format!("{} {}", it["threat"], it["threatStatus"])).collect();
    format!("{} {} {statuses:?}", value["id"], value["threatStatus"])
}

/// Threats are rare, so that they need more mail than events do.
const HOURS: u32 = 24;
const RATE: u64 = 100;

#[tokio::test]
async fn tap_records_of_the_same_mail_arrive_once() {
    let keep = temporary();
    let ended = demo_of(keep.path(), HOURS, RATE, &[]).await;
    let (_, last) = hours(&ended);
    let feed = Feed::tap("default");
    let [hours, events, current, closed, known, received] = told(&ended, &feed);
    assert_eq!((events, received), (current + closed + known, current + closed));
    assert!(hours >= 22 && closed > 0, "{ended:?}");
    let mut arrived = Vec::new();
    for kind in TapKind::ALL {
        let path = keep.path().join("workspace").join(format!("{}.ndjson", tap_table(kind).name));
        let text = std::fs::read_to_string(path).unwrap_or_default();
        arrived.extend(text.lines().map(|row| verdict(row.as_bytes())));
    }
    let once: BTreeSet<&String> = arrived.iter().collect();
    assert_eq!((once.len(), arrived.len()), (received, received), "a row came twice");
    let expected: BTreeSet<String> =
        last.plus(-20).through(last.plus(-1)).flat_map(tap_records).collect();
    assert!(!expected.is_empty());
    assert!(expected.iter().all(|verdict| once.contains(verdict)));
}

#[tokio::test]
async fn the_legacy_destination_gets_every_event_too() {
    let keep = temporary();
    let ended = demo(keep.path(), &["--legacy"]).await;
    let (first, last) = hours(&ended);
    for feed in EventType::ALL.map(feed) {
        let table = format!("{}_CL", table(feed.event_type().unwrap()).log_type);
        let arrived: BTreeSet<String> = rows(keep.path(), &table, &feed).into_iter().collect();
        let expected = traffic(&feed, first, last);
        assert!(expected.iter().all(|id| arrived.contains(id)), "{feed}");
    }
}

#[tokio::test]
async fn a_directory_in_which_another_demo_works_is_left_alone() {
    let keep = temporary();
    let lock = std::fs::File::create(keep.path().join(".lock")).unwrap();
    lock.lock().unwrap();
    let ended = run(&["demo", "--keep", keep.path().to_str().unwrap()], &[]).await;
    assert_eq!(ended.code, Some(1));
    assert!(ended.stderr.contains("another demo is at work in"), "{ended:?}");
    assert!(!keep.path().join("workspace").exists());
}
