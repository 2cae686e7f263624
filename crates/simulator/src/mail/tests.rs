use std::collections::{BTreeMap, HashSet};

use jiff::SignedDuration;
use serde_json::Value;

use super::*;

const HOUR: &str = "2026-11-20T06";

fn traffic() -> MailTraffic {
    MailTraffic::new(42, "acme_hosted")
}

fn hour() -> Hour {
    HOUR.parse().unwrap()
}

fn parsed(events: impl Iterator<Item = Vec<u8>>) -> Vec<Value> {
    events.map(|event| serde_json::from_slice(&event).expect("an event is JSON")).collect()
}

fn texts<'a>(events: &'a [Value], pointer: &str) -> Vec<&'a str> {
    events.iter().filter_map(|event| event.pointer(pointer)?.as_str()).collect()
}

#[test]
fn the_same_seed_gives_the_same_events() {
    for event_type in EventType::ALL {
        let once: Vec<_> = traffic().events(event_type, hour(), 50).collect();
        let again: Vec<_> = traffic().events(event_type, hour(), 50).collect();
        let other: Vec<_> =
            MailTraffic::new(43, "acme_hosted").events(event_type, hour(), 50).collect();
        assert_eq!(once, again);
        assert_ne!(once, other);
    }
}

#[test]
fn skipping_to_a_late_part_changes_no_event() {
    for event_type in EventType::ALL {
        let whole: Vec<LoggedEvent> =
            traffic().since(event_type, hour(), 120, hour().start()).collect();
        let bulk: Vec<LoggedEvent> =
            traffic().bulk_since(event_type, hour(), 400, hour().start()).collect();
        assert!(whole.is_sorted_by_key(|logged| logged.number));
        for minutes in [7, 50] {
            let since = hour().start() + SignedDuration::from_mins(minutes);
            let late = |events: &[LoggedEvent]| -> Vec<LoggedEvent> {
                events.iter().filter(|logged| logged.at >= since).cloned().collect()
            };
            let some: Vec<LoggedEvent> = traffic().since(event_type, hour(), 120, since).collect();
            assert_eq!(late(&some), late(&whole), "{event_type} {minutes}");
            let some: Vec<LoggedEvent> =
                traffic().bulk_since(event_type, hour(), 400, since).collect();
            assert_eq!(late(&some), late(&bulk), "{event_type} {minutes}, in bulk");
            let skipped = bulk.len() - some.len();
            assert!(skipped > 400 * (minutes as usize - 2) / 60, "{skipped}");
        }
    }
}

#[test]
fn events_can_be_sorted_by_time() {
    for event_type in EventType::ALL {
        let logged: Vec<LoggedEvent> =
            traffic().bulk_since(event_type, hour(), 600, hour().start()).collect();
        let time_order: Vec<LoggedEvent> = TimeOrdered::new(logged.iter().cloned()).collect();
        let mut sorted = logged.clone();
        sorted.sort();
        assert_eq!(time_order, sorted, "{event_type}");
        assert_ne!(time_order, logged, "{event_type} is logged in another order");
    }
}

#[test]
fn ids_are_unique_across_hours_and_modes() {
    for (event_type, key) in
        [(EventType::Message, "guid"), (EventType::Maillog, "id"), (EventType::Audit, "guid")]
    {
        let events = parsed(
            traffic()
                .events(event_type, hour(), 200)
                .chain(traffic().events(event_type, hour().plus(1), 200))
                .chain(traffic().bulk(event_type, hour().plus(2), 600)),
        );
        let ids: HashSet<_> = events.iter().map(|event| event[key].as_str().unwrap()).collect();
        assert_eq!(ids.len(), events.len(), "{event_type}");
    }
}

#[test]
fn log_lines_belong_to_messages() {
    for bulk in [false, true] {
        let events = |event_type| -> Vec<Value> {
            match bulk {
                true => parsed(traffic().bulk(event_type, hour(), 600)),
                false => parsed(traffic().events(event_type, hour(), 600)),
            }
        };
        let messages = events(EventType::Message);
        let lines = events(EventType::Maillog);
        let known: HashSet<_> = texts(&messages, "/filter/qid").into_iter().collect();
        let logged: HashSet<_> = texts(&lines, "/sm/qid").into_iter().collect();
        assert!(logged.is_subset(&known), "bulk: {bulk}");
        assert!(logged.len() > known.len() * 3 / 4, "bulk: {bulk}");
        assert!(lines.len() > messages.len());
        for line in &lines {
            let data = line["data"].as_str().unwrap();
            assert!(data.contains(line["sm"]["qid"].as_str().unwrap()));
        }
    }
}

#[test]
fn every_timestamp_lies_in_the_hour() {
    for event_type in EventType::ALL {
        let events = parsed(traffic().events(event_type, hour(), 300).chain(traffic().bulk(
            event_type,
            hour(),
            3000,
        )));
        for ts in texts(&events, "/ts") {
            let at = jiff::fmt::strtime::parse("%Y-%m-%dT%H:%M:%S%.f%z", ts)
                .or_else(|_| jiff::fmt::strtime::parse("%Y-%m-%dT%H:%M:%S%.f%:z", ts))
                .and_then(|time| time.to_timestamp())
                .unwrap();
            assert_eq!(Hour::containing(at), hour(), "{ts}");
        }
    }
}

#[test]
fn messages_have_the_size_of_real_ones() {
    let mut sizes: Vec<_> =
        traffic().events(EventType::Message, hour(), 2000).map(|event| event.len()).collect();
    sizes.sort_unstable();
    let mean = sizes.iter().sum::<usize>() / sizes.len();
    assert!((2500..3600).contains(&mean), "mean {mean}");
    assert!(sizes[0] > 800 && sizes[1999] < 8000, "{} to {}", sizes[0], sizes[1999]);
}

#[test]
fn big_messages_have_the_requested_rate_and_size() {
    let traffic = traffic().with_big_messages(50, 300_000);
    let big: Vec<_> = traffic
        .events(EventType::Message, hour(), 500)
        .map(|event| event.len())
        .filter(|size| *size > 200_000)
        .collect();
    assert!((7..=10).contains(&big.len()), "{}", big.len());
    assert!(big.iter().all(|size| (280_000..330_000).contains(size)), "{big:?}");
}

#[test]
fn traffic_looks_like_mail() {
    let events = parsed(traffic().events(EventType::Message, hour(), 1000));
    let mut directions = BTreeMap::new();
    let mut dispositions = BTreeMap::new();
    for event in &events {
        *directions.entry(event["filter"]["routeDirection"].as_str().unwrap()).or_insert(0) += 1;
        *dispositions.entry(event["filter"]["disposition"].as_str().unwrap()).or_insert(0) += 1;
    }
    assert_eq!(directions.keys().copied().collect::<Vec<_>>(), ["inbound", "internal", "outbound"]);
    assert!(directions["inbound"] > directions["outbound"]);
    assert_eq!(
        dispositions.keys().copied().collect::<Vec<_>>(),
        ["accept", "continue", "discard", "reject", "retry"]
    );
    assert!(dispositions["discard"] > 20);
}

/// Optional paths. Each must be present in some event.
const OPTIONAL_PATHS: &[&str] = &[
    "/pps/version",
    "/connection/tls/inbound/cipherBits",
    "/connection/tls/inbound/policy",
    "/envelope/fromHashed",
    "/envelope/rcptsHashed/0",
    "/envelope/rcpts/3",
    "/filter/actions/0/isFinal",
    "/filter/delivered/rcpts/0",
    "/filter/isMsgEncrypted",
    "/filter/isMsgInDigest",
    "/filter/isMsgReinjected",
    "/filter/mid",
    "/filter/origGuid",
    "/filter/currentFolder",
    "/filter/throttleIp",
    "/filter/pe/rcpts/0",
    "/filter/smime/rcpts/0",
    "/filter/startTime",
    "/filter/modules/av/virusNames/0",
    "/filter/modules/dkimv/0/selector",
    "/filter/modules/dmarc/filterdResult",
    "/filter/modules/dmarc/records/0/error",
    "/filter/modules/dmarc/alignment/0/results/1/identityOrg",
    "/filter/modules/dmarc/authResults/0/emailIdentities/smtp.mailfrom",
    "/filter/modules/dmarc/authResults/0/emailIdentities/smtp.mailfromHashed",
    "/filter/modules/dmarc/authResults/1/propspec/header.d",
    "/filter/modules/pdr/v1/spamscore",
    "/filter/modules/pdr/v2/response",
    "/filter/modules/sandbox/errorStatus",
    "/filter/modules/spam/triggeredClassifier",
    "/filter/modules/spam/charsets/0",
    "/filter/modules/spam/scores/classifiers/mlxlog",
    "/filter/modules/urldefense/counts/noRewriteIsExcludedDomain",
    "/filter/modules/urldefense/rewrittenUrls/0",
    "/filter/modules/zerohour/score",
    "/filter/quarantine/folder",
    "/filter/quarantine/folderId",
    "/filter/verified/rcptsHashed/0",
    "/msg/header/cc/0",
    "/msg/header/return-path/0",
    "/msg/header/x-originating-ip/0",
    "/msg/normalizedHeader/x-mailer/0",
    "/msg/parsedAddresses/cc/0",
    "/msg/parsedAddresses/reply-to/0",
    "/msg/parsedAddresses/toHashed/0",
    "/msgParts/0/sandboxStatus",
    "/msgParts/0/urls/0/isRewritten",
    "/msgParts/0/urls/0/notRewrittenReason",
    "/msgParts/1/metadata/wordcount",
    "/msgParts/1/metadata/Content Status",
];

#[test]
fn every_documented_path_occurs() {
    let events = parsed(traffic().events(EventType::Message, hour(), 3000));
    for path in OPTIONAL_PATHS {
        assert!(events.iter().any(|event| event.pointer(path).is_some()), "{path} never occurs");
    }
    let parts = || events.iter().filter_map(|event| event["msgParts"].as_array()).flatten();
    for flag in ["isArchive", "isCorrupted", "isProtected", "isTimedOut", "isVirtual"] {
        assert!(parts().any(|part| part[flag] == true), "no part has {flag}");
    }
    assert!(events.iter().any(|event| event.get("msgParts").is_none()));
    assert!(events.iter().any(|event| event["msgParts"].as_array().is_some_and(Vec::is_empty)));
    assert!(events.iter().any(|event| event.pointer("/connection/tls").is_none()));
    assert!(texts(&events, "/msg/header/subject/0").iter().any(|subject| !subject.is_ascii()));
}

#[test]
fn maillog_has_old_and_new_shapes() {
    let lines = parsed(traffic().events(EventType::Maillog, hour(), 3000));
    for path in [
        "/sm/from",
        "/sm/to/0",
        "/sm/ctladdr",
        "/sm/tls/verify",
        "/tls/version",
        "/metadata/origin",
    ] {
        assert!(lines.iter().any(|line| line.pointer(path).is_some()), "{path} never occurs");
    }
    assert!(lines.iter().any(|line| line["sm"]["pri"].is_u64()));
    assert!(lines.iter().any(|line| line["sm"]["pri"].is_string()));
    let ids = texts(&lines, "/id");
    assert!(ids.iter().any(|id| id.contains('/')) && ids.iter().any(|id| id.contains('+')));
    let states: HashSet<_> = texts(&lines, "/sm/dsn").into_iter().collect();
    assert_eq!(states, HashSet::from(["2.0.0", "4.4.1", "5.1.1"]));
}

#[test]
fn a_deferred_delivery_is_retried_later() {
    let mut attempts: BTreeMap<(String, String), Vec<(Timestamp, String)>> = BTreeMap::new();
    for logged in traffic().since(EventType::Maillog, hour(), 3000, hour().start()) {
        let line: Value = serde_json::from_slice(&logged.bytes).expect("an event is JSON");
        let text = |pointer| Some(line.pointer(pointer)?.as_str()?.to_owned());
        if let (Some(qid), Some(to), Some(dsn)) =
            (text("/sm/qid"), text("/sm/to/0"), text("/sm/dsn"))
        {
            attempts.entry((qid, to)).or_default().push((logged.at, dsn));
        }
    }
    let in_order = |tries: &[(Timestamp, String)]| {
        let last = &tries[tries.len() - 1];
        tries.iter().all(|(at, dsn)| !dsn.starts_with('4') || *at < last.0)
            && !last.1.starts_with('4')
    };
    // A retry in the last seconds of the hour would fall into the next hour.
    let before = hour().end() - SignedDuration::from_mins(1);
    attempts.retain(|_, tries| tries[0].0 < before);
    assert!(attempts.values().any(|tries| tries.len() == 2), "some deliveries are retried");
    for (of, tries) in &attempts {
        assert!(in_order(tries), "{of:?}: {tries:?}");
    }
}

#[test]
fn bulk_events_are_renumbered_events_of_the_pool() {
    let slow = parsed(traffic().events(EventType::Message, hour(), 600));
    let fast = parsed(traffic().bulk(EventType::Message, hour(), 600));
    assert_eq!(slow.len(), fast.len());
    assert_eq!(slow[..256], fast[..256]);
    for (slow, fast) in slow.iter().zip(&fast) {
        assert_eq!(slow["guid"], fast["guid"]);
    }
}

#[test]
fn single_mails_are_those_of_the_log() {
    for bulk in [false, true] {
        let logged: Vec<LoggedEvent> = match bulk {
            true => traffic().bulk_since(EventType::Message, hour(), 600, hour().start()).collect(),
            false => traffic().since(EventType::Message, hour(), 600, hour().start()).collect(),
        };
        let traffic = traffic();
        let mails = traffic.hour_of_mail(hour(), 600, bulk);
        for number in [0, 3, 255, 256, 599] {
            let event = &logged[number as usize];
            assert_eq!(mails.event(number), event.bytes, "bulk: {bulk}, {number}");
            assert_eq!(mails.at(number), event.at, "bulk: {bulk}, {number}");
        }
    }
}

#[test]
fn a_single_mail_is_treated_as_its_event_says() {
    for bulk in [false, true] {
        let traffic = traffic();
        let mails = traffic.hour_of_mail(hour(), 600, bulk);
        let mut treatments = BTreeMap::new();
        for number in 0..600 {
            let event: Value = serde_json::from_slice(&mails.event(number)).unwrap();
            let filter = &event["filter"];
            let expected = match filter["disposition"].as_str().unwrap() {
                _ if filter["routeDirection"] != "inbound" => "other",
                "discard" => "quarantined",
                "continue" => "delivered",
                _ => "other",
            };
            let treatment = match mails.treatment(number) {
                Treatment::Quarantined(_) => "quarantined",
                Treatment::Delivered(_) => "delivered",
                Treatment::Other => "other",
            };
            assert_eq!(treatment, expected, "bulk: {bulk}, {event}");
            *treatments.entry(treatment).or_insert(0) += 1;
        }
        assert!(treatments.values().all(|count| *count > 30), "{treatments:?}");
    }
}
