mod mail;
mod shape;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::LazyLock;

use proptest::prelude::*;
use serde_json::Value;

use super::*;
use crate::tap::ThreatStatus;
use TapKind::{ClicksBlocked, ClicksPermitted, MessagesBlocked, MessagesDelivered};
use proofpoint_sentinel_core::tap_kind::TapKind;

const PRINCIPAL: &str = "a-principal";

fn at(text: &str) -> Timestamp {
    format!("2026-11-{text}Z").parse().unwrap()
}

fn source(messages: u64, bulk: bool) -> GeneratedRecords {
    let volume = MailVolume { messages, audits: 0, daily: false, bulk };
    let traffic = MailTraffic::new(42, "acme_hosted");
    GeneratedRecords::new([(PRINCIPAL.to_owned(), vec![traffic])], volume)
}

/// All records that are created in two days.
fn two_days(source: &GeneratedRecords) -> Vec<TapRecord> {
    source.records(PRINCIPAL, &(at("18T00:00:00")..at("20T00:00:00")), at("21T00:00:00"))
}

/// All records that are created in eight days.
static EIGHT_DAYS: LazyLock<Vec<TapRecord>> = LazyLock::new(|| {
    let window = at("12T00:00:00")..at("20T00:00:00");
    source(120, false).records(PRINCIPAL, &window, at("21T00:00:00"))
});

fn parsed(record: &TapRecord) -> Value {
    serde_json::from_slice(&record.body).unwrap()
}

fn of_kind(records: &[TapRecord], kind: TapKind) -> Vec<Value> {
    records.iter().filter(|record| record.kind == kind).map(parsed).collect()
}

#[test]
fn the_same_traffic_has_the_same_records() {
    let records = two_days(&source(60, false));
    assert_eq!(two_days(&source(60, false)), records);
    let other = MailTraffic::new(43, "acme_hosted");
    let other =
        GeneratedRecords::new([(PRINCIPAL.to_owned(), vec![other])], source(60, false).volume);
    assert_ne!(two_days(&other), records);
    let window = at("18T00:00:00")..at("20T00:00:00");
    assert!(other.records("another", &window, at("21T00:00:00")).is_empty());
}

#[test]
fn a_day_has_hundreds_of_records() {
    let records = two_days(&source(2000, false));
    let count = |kind| records.iter().filter(|record| record.kind == kind).count();
    for (kind, expected) in [
        (MessagesBlocked, 1000..4000),
        (MessagesDelivered, 300..1500),
        (ClicksPermitted, 50..500),
        (ClicksBlocked, 50..500),
    ] {
        assert!(expected.contains(&count(kind)), "{kind}: {}", count(kind));
    }
}

#[test]
fn much_mail_has_no_more_records() {
    let volume = MailVolume { messages: 1_000_000, audits: 0, daily: false, bulk: true };
    let clusters = ["a_hosted", "b_hosted"].map(|id| MailTraffic::new(1, id));
    let source = GeneratedRecords::new([(PRINCIPAL.to_owned(), clusters.to_vec())], volume);
    let window = at("18T10:00:00")..at("18T11:00:00");
    let records = source.records(PRINCIPAL, &window, at("20T00:00:00"));
    assert!((20..400).contains(&records.len()), "{}", records.len());
    let clusters: BTreeSet<String> = records
        .iter()
        .filter_map(|record| Some(parsed(record)["cluster"].as_str()?.to_owned()))
        .collect();
    assert_eq!(clusters.len(), 2);
}

#[test]
fn records_are_indexed_up_to_thirty_minutes_late() {
    let lags = |records: Vec<TapRecord>| -> Vec<SignedDuration> {
        records.iter().map(|record| record.indexed_at.duration_since(record.created_at)).collect()
    };
    let late = lags(EIGHT_DAYS.clone());
    let minutes = SignedDuration::from_mins;
    assert!(late.iter().all(|lag| !lag.is_negative() && *lag <= minutes(30)));
    assert!(late.iter().filter(|lag| **lag > minutes(15)).count() > late.len() / 50);
    assert!(late.iter().filter(|lag| **lag < minutes(1)).count() > late.len() / 2);
    let timely = lags(two_days(&source(40, false).with_lag(SignedDuration::ZERO)));
    assert!(timely.iter().all(SignedDuration::is_zero));
}

#[test]
fn a_record_is_missing_until_it_is_indexed() {
    let source = source(400, false);
    let window = at("18T10:00:00")..at("18T11:00:00");
    let all = source.records(PRINCIPAL, &window, at("18T11:30:00"));
    let then = at("18T11:02:00");
    let expected: Vec<TapRecord> =
        all.iter().filter(|record| record.indexed_at <= then).cloned().collect();
    assert_eq!(source.records(PRINCIPAL, &window, then), expected);
    assert!(expected.len() < all.len());
    assert_eq!(source.records(PRINCIPAL, &window, at("20T00:00:00")), all);
}

/// The records with one id, in the order of their creation.
fn by_id(records: &[TapRecord]) -> BTreeMap<String, Vec<TapRecord>> {
    let mut by_id: BTreeMap<String, Vec<TapRecord>> = BTreeMap::new();
    for record in records {
        let id = parsed(record)["id"].as_str().unwrap().to_owned();
        by_id.entry(id).or_default().push(record.clone());
    }
    for versions in by_id.values_mut() {
        versions.sort_by_key(|record| record.created_at);
    }
    by_id
}

#[test]
fn a_new_verdict_issues_a_record_again() {
    let again: Vec<Vec<TapRecord>> =
        by_id(&EIGHT_DAYS).into_values().filter(|versions| versions.len() > 1).collect();
    let mut pairs = BTreeSet::new();
    for versions in &again {
        let [first, second] = &versions[..] else { panic!("{versions:?}") };
        assert_eq!(first.kind, second.kind);
        assert!(first.created_at < second.created_at);
        assert_eq!(first.threats[0].status, Some(ThreatStatus::Active));
        assert_ne!(second.threats[0].status, Some(ThreatStatus::Active));
        pairs.insert((first.kind, second.threats[0].status.unwrap()));
        assert_eq!(parsed(first)["GUID"], parsed(second)["GUID"]);
    }
    for kind in TapKind::ALL {
        assert!(pairs.contains(&(kind, ThreatStatus::Cleared)), "{kind} {pairs:?}");
    }
    assert!(pairs.contains(&(MessagesDelivered, ThreatStatus::FalsePositive)));
}

#[test]
fn a_new_verdict_can_replace_the_record() {
    let source = source(40, false).with_replaced_records();
    let week = at("12T00:00:00")..at("20T00:00:00");
    let now = at("20T00:00:00");
    let records = source.records(PRINCIPAL, &week, now);
    assert!(by_id(&records).values().all(|versions| versions.len() == 1));
    let kept = self::source(40, false).records(PRINCIPAL, &week, now);
    assert!(kept.len() > records.len());
    assert_eq!(by_id(&kept).len(), by_id(&records).len());
}

#[test]
fn ids_can_be_missing() {
    let records = two_days(&source(100, false).with_missing_ids(10));
    let without = records.iter().filter(|record| parsed(record).get("id").is_none()).count();
    assert!((records.len() / 20..records.len() / 6).contains(&without), "{without}");
    assert!(EIGHT_DAYS.iter().all(|record| parsed(record)["id"].is_string()));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(8))]
    #[test]
    fn windows_have_every_record_once(
        cuts in prop::collection::btree_set(0u64..172_800_000_000, 0..12),
        bulk in any::<bool>(),
    ) {
        let source = source(30, bulk);
        let (start, end) = (at("18T00:00:00"), at("20T00:00:00"));
        let now = at("20T00:20:00");
        let cuts = cuts.into_iter().map(|micros| start + SignedDuration::from_micros(micros.cast_signed()));
        let bounds: Vec<Timestamp> = [start].into_iter().chain(cuts).chain([end]).collect();
        let of_window = |pair: &[Timestamp]| source.records(PRINCIPAL, &(pair[0]..pair[1]), now);
        let mut parts: Vec<TapRecord> = bounds.windows(2).flat_map(of_window).collect();
        let mut whole = source.records(PRINCIPAL, &(start..end), now);
        for records in [&mut parts, &mut whole] {
            records.sort_by(|a, b| (a.created_at, &a.body).cmp(&(b.created_at, &b.body)));
        }
        prop_assert_eq!(parts, whole);
    }
}
