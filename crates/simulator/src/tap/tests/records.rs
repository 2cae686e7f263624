//! Which records an answer has.

use std::collections::BTreeSet;

use super::*;
use TapKind::{ClicksBlocked, ClicksPermitted, MessagesBlocked, MessagesDelivered};

#[tokio::test]
async fn each_end_point_returns_its_kinds() {
    let test = TapTest::new().await;
    for kind in TapKind::ALL {
        test.add(kind, kind.as_str(), "10:30:00");
    }
    for (path, kinds) in [
        ("/v2/siem/all", &TapKind::ALL[..]),
        ("/v2/siem/issues", &[MessagesDelivered, ClicksPermitted]),
        ("/v2/siem/messages/delivered", &[MessagesDelivered]),
        ("/v2/siem/messages/blocked", &[MessagesBlocked]),
        ("/v2/siem/clicks/permitted", &[ClicksPermitted]),
        ("/v2/siem/clicks/blocked", &[ClicksBlocked]),
    ] {
        let answer = test.json(path, HOUR).await;
        let keys: BTreeSet<_> = answer.as_object().unwrap().keys().map(String::as_str).collect();
        let expected = kinds.iter().map(|kind| kind.as_str()).chain(["queryEndTime"]);
        assert_eq!(keys, expected.collect(), "{path}");
        for kind in kinds {
            assert_eq!(ids(&answer, *kind), [kind.as_str()], "{path}");
        }
    }
    assert_eq!(test.tap.counters().all_records(), 10);
}

#[tokio::test]
async fn an_empty_window_has_its_end_and_empty_arrays() {
    let test = TapTest::new().await;
    let expected = r#"{"queryEndTime":"2026-11-20T11:00:00Z","messagesBlocked":[]}"#;
    let answer = test.answer("/v2/siem/messages/blocked", HOUR).await;
    assert_eq!(answer, (200, expected.to_owned()));
    let since = test.json("/v2/siem/all", "sinceSeconds=300&format=JSON").await;
    assert_eq!(since["queryEndTime"], "2026-11-20T12:00:00Z");
}

#[tokio::test]
async fn a_window_selects_by_creation_time() {
    let test = TapTest::new().await;
    let late_verdict = r#"{"id":"late","messageTime":"2026-11-14T08:00:00.000Z",
        "threatsInfoMap":[{"threatTime":"2026-11-20T10:59:59.999Z"}]}"#;
    test.add_record(TapRecord::dated(MessagesDelivered, late_verdict).unwrap());
    test.add(MessagesDelivered, "start", "10:00:00");
    test.add(MessagesDelivered, "end", "11:00:00");
    let answer = test.json("/v2/siem/all", HOUR).await;
    assert_eq!(ids(&answer, MessagesDelivered), ["late", "start"]);
}

#[tokio::test]
async fn a_late_record_appears_in_its_past_window() {
    let test = TapTest::new().await;
    test.add(ClicksBlocked, "timely", "10:45:00");
    test.add_record(record(ClicksBlocked, "late", "10:50:00").indexed_at(at("12:20:00")));
    assert_eq!(ids(&test.json("/v2/siem/all", HOUR).await, ClicksBlocked), ["timely"]);
    test.clock.advance(SignedDuration::from_mins(20));
    assert_eq!(ids(&test.json("/v2/siem/all", HOUR).await, ClicksBlocked), ["late", "timely"]);
    let hour = at("10:00:00")..at("11:00:00");
    assert_eq!(test.tap.records(PRINCIPAL, &hour, at("12:19:59")).len(), 1);
    assert_eq!(test.tap.records(PRINCIPAL, &hour, at("12:20:00")).len(), 2);
}

#[tokio::test]
async fn false_positives_have_to_be_asked_for() {
    let test = TapTest::new().await;
    for status in ["active", "cleared", "falsepositive"] {
        let body = format!(
            r#"{{"id":"{status}","clickTime":"2026-11-20T10:30:00Z","threatStatus":"{status}"}}"#
        );
        test.add_record(TapRecord::dated(ClicksPermitted, body).unwrap());
    }
    let asked = async |more: &str| {
        ids(&test.json("/v2/siem/all", &format!("{HOUR}{more}")).await, ClicksPermitted)
    };
    assert_eq!(asked("").await, ["active", "cleared"]);
    assert_eq!(asked("&threatStatus=falsePositive").await, ["falsepositive"]);
    assert_eq!(asked("&threatStatus=active&threatType=url").await, ["active"]);
    assert_eq!(asked("&threatType=attachment").await, Vec::<&str>::new());
}

#[tokio::test]
async fn arrays_come_in_another_order_each_time() {
    let test = TapTest::new().await;
    for number in 0..20 {
        let body = format!(r#"{{"id":"{number}","threatsInfoMap":[1,2,3,4,5,6]}}"#);
        test.add_record(TapRecord::new(MessagesBlocked, at("10:30:00"), body));
    }
    let mut answers = Vec::new();
    for _ in 0..3 {
        answers.push(test.json("/v2/siem/all", HOUR).await);
    }
    let distinct = |pointer: &str| {
        answers.iter().map(|answer| answer.pointer(pointer).unwrap().to_string()).collect()
    };
    let orders: BTreeSet<String> = distinct("/messagesBlocked");
    assert_eq!(orders.len(), 3);
    let of_one = |answer: &Value| {
        let records = answer["messagesBlocked"].as_array().unwrap();
        let one = records.iter().find(|record| record["id"] == "7").unwrap();
        one["threatsInfoMap"].to_string()
    };
    let inner: BTreeSet<String> = answers.iter().map(of_one).collect();
    assert!(inner.len() > 1, "{inner:?}");
    assert!(
        answers
            .windows(2)
            .all(|pair| { ids(&pair[0], MessagesBlocked) == ids(&pair[1], MessagesBlocked) })
    );
}

#[tokio::test]
async fn order_can_be_kept() {
    let test = TapTest::with(|settings| TapSettings { reorders: false, ..settings }).await;
    for id in ["c", "a", "b", "d", "f", "e"] {
        test.add(MessagesBlocked, id, "10:30:00");
    }
    let once = test.answer("/v2/siem/all", HOUR).await;
    assert_eq!(test.answer("/v2/siem/all", HOUR).await, once);
    assert!(once.1.contains(r#"[{"id":"c"},{"id":"a"},{"id":"b"},{"id":"d"},"#), "{once:?}");
}

#[tokio::test]
async fn credentials_have_records_of_their_own() {
    let two = |settings: TapSettings| TapSettings {
        credentials: vec![
            TapCredential::new(PRINCIPAL, SECRET),
            TapCredential::new("another", "secret"),
        ],
        ..settings
    };
    let test = TapTest::with(two).await;
    test.add(ClicksBlocked, "own", "10:30:00");
    test.source.add("another", [record(ClicksBlocked, "other", "10:30:00")]);
    assert_eq!(ids(&test.json("/v2/siem/all", HOUR).await, ClicksBlocked), ["own"]);
    let asked = test.request("/v2/siem/all", HOUR).basic_auth("another", Some("secret"));
    let answer = asked.send().await.unwrap().bytes().await.unwrap();
    let answer: Value = serde_json::from_slice(&answer).unwrap();
    assert_eq!(ids(&answer, ClicksBlocked), ["other"]);
}
