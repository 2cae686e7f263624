//! Faults of calls.

use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::{Instant, timeout};

use super::*;
use TapKind::{ClicksBlocked, MessagesDelivered};

/// With records `r0`, `r1` and `r2`, always in this order.
async fn with_records() -> TapTest {
    let test = TapTest::with(|settings| TapSettings { reorders: false, ..settings }).await;
    for id in ["r0", "r1", "r2"] {
        test.add(ClicksBlocked, id, "10:30:00");
    }
    test
}

/// The bytes of an answer up to its end or its fault.
async fn read(mut answer: reqwest::Response) -> (String, bool) {
    let mut text = String::new();
    loop {
        match answer.chunk().await {
            Ok(Some(chunk)) => text.push_str(std::str::from_utf8(&chunk).unwrap()),
            Ok(None) => return (text, true),
            Err(_) => return (text, false),
        }
    }
}

#[tokio::test]
async fn a_fault_affects_one_valid_call() {
    let test = with_records().await;
    let gateway = TapResponse::new(503, "busy").with_header("retry-after", "7");
    test.tap.inject(PRINCIPAL, [CallFault::Reply(gateway), CallFault::Reset]);
    assert_eq!(test.answer("/v2/siem/all", "sinceSeconds=1").await.0, 400);
    let answer = test.call("/v2/siem/all", HOUR).await;
    assert_eq!(
        (answer.status().as_u16(), &answer.headers()["retry-after"]),
        (503, &"7".parse().unwrap())
    );
    assert_eq!(answer.text().await.unwrap(), "busy");
    let reset = test.request("/v2/siem/all", HOUR).basic_auth(PRINCIPAL, Some(SECRET));
    assert!(reset.send().await.unwrap_err().is_request());
    assert_eq!(ids(&test.json("/v2/siem/all", HOUR).await, ClicksBlocked).len(), 3);
    assert_eq!(test.tap.counters().resets, 1);
    let statuses: Vec<_> = test.tap.calls().into_iter().map(|call| call.status).collect();
    assert_eq!(statuses, [Some(400), Some(503), None, Some(200)]);
}

#[tokio::test]
async fn an_answer_can_be_a_page() {
    let test = with_records().await;
    test.tap.inject(PRINCIPAL, [CallFault::Reply(TapResponse::html(200))]);
    let answer = test.call("/v2/siem/all", HOUR).await;
    assert_eq!(answer.headers()["content-type"], "text/html; charset=utf-8");
    assert!(answer.text().await.unwrap().starts_with("<!DOCTYPE html>"));
}

#[tokio::test]
async fn an_answer_can_fail_to_come() {
    let test = with_records().await;
    test.tap.inject(PRINCIPAL, [CallFault::Hang]);
    let waiting = timeout(Duration::from_millis(300), test.call("/v2/siem/all", HOUR)).await;
    assert!(waiting.is_err());
    assert_eq!(test.tap.calls()[0].status, None);
    assert_eq!(test.answer("/v2/siem/all", HOUR).await.0, 200);
}

#[tokio::test]
async fn faults_can_be_taken_back() {
    let test = with_records().await;
    test.tap.inject(PRINCIPAL, [CallFault::Reset]);
    test.tap.clear_faults();
    assert_eq!(test.answer("/v2/siem/all", HOUR).await.0, 200);
}

#[tokio::test]
async fn an_hour_can_be_at_fault_each_time() {
    let test = with_records().await;
    let hour: Hour = "2026-11-20T10".parse().unwrap();
    let broken = CallFault::Reply(TapResponse::new(500, ""));
    test.tap.set_hour_fault(PRINCIPAL, hour, Some(broken));
    for _ in 0..2 {
        assert_eq!(test.answer("/v2/siem/all", HOUR).await.0, 500);
    }
    let other = "interval=2026-11-20T10:00:00Z/PT59M";
    assert_eq!(test.answer("/v2/siem/all", other).await.0, 200);
    test.tap.set_hour_fault(PRINCIPAL, hour, None);
    assert_eq!(test.answer("/v2/siem/all", HOUR).await.0, 200);
}

#[tokio::test]
async fn a_body_can_be_cut_within_a_record() {
    let test = with_records().await;
    let faults = [CallFault::CutWithinRecord(1), CallFault::EndWithinRecord(1)];
    test.tap.inject(PRINCIPAL, faults);
    let (cut, whole) = read(test.call("/v2/siem/all", HOUR).await).await;
    assert!(cut.ends_with(r#""clicksBlocked":[{"id":"r0"},{"id""#), "{cut}");
    assert!(!whole);
    let ended = read(test.call("/v2/siem/all", HOUR).await).await;
    assert_eq!(ended, (cut, true));
    assert_eq!(test.tap.counters().complete, 0);
    assert_eq!(test.tap.counters().records[&ClicksBlocked], 2);
}

#[tokio::test]
async fn a_body_without_enough_records_is_cut_at_its_end() {
    let test = with_records().await;
    test.tap.inject(PRINCIPAL, [CallFault::CutWithinRecord(3)]);
    let (cut, whole) = read(test.call("/v2/siem/all", HOUR).await).await;
    assert!(cut.ends_with(r#"{"id":"r2"}]"#), "{cut}");
    assert!(!whole);
}

#[tokio::test]
async fn a_body_can_stall() {
    let test = with_records().await;
    test.tap.inject(PRINCIPAL, [CallFault::StallWithinRecord(0)]);
    let mut answer = test.call("/v2/siem/all", HOUR).await;
    assert!(answer.chunk().await.unwrap().unwrap().ends_with(b"\"clicksBlocked\":[{\"id\""));
    assert!(timeout(Duration::from_millis(200), answer.chunk()).await.is_err());
    assert_eq!(test.tap.counters().open, 1);
    drop(answer);
    test.tap.wait_for(|all| all.open == 0).await;
}

#[tokio::test]
async fn a_body_can_be_slow() {
    let test = with_records().await;
    test.tap.inject(PRINCIPAL, [CallFault::Trickle(1000)]);
    let begun = Instant::now();
    let (text, whole) = read(test.call("/v2/siem/all", HOUR).await).await;
    assert!(whole);
    let answer: Value = serde_json::from_str(&text).unwrap();
    assert_eq!(ids(&answer, ClicksBlocked).len(), 3);
    let least = Duration::from_millis(text.len() as u64) / 2;
    assert!(begun.elapsed() > least, "{:?} for {} bytes", begun.elapsed(), text.len());
}

#[tokio::test]
async fn a_huge_body_is_generated_while_it_is_sent() {
    let test = with_records().await;
    test.tap.inject(PRINCIPAL, [CallFault::Huge(2_000_000)]);
    let mut answer = test.call("/v2/siem/all", HOUR).await;
    let mut bytes = 0;
    while bytes < 10_000_000 {
        bytes += answer.chunk().await.unwrap().unwrap().len();
    }
    // The whole body has gigabytes. What is ahead of the client is in buffers of the connection.
    let sent = test.tap.counters().body_bytes;
    assert!(sent < 40_000_000, "{sent}");
    drop(answer);
    test.tap.wait_for(|all| all.open == 0).await;

    test.tap.inject(PRINCIPAL, [CallFault::Huge(5000)]);
    let answer = test.json("/v2/siem/all", HOUR).await;
    assert_eq!(ids(&answer, MessagesDelivered).len(), 5000);
    assert_eq!(ids(&answer, ClicksBlocked).len(), 3);
    assert_eq!(test.tap.counters().complete, 1);
}

#[tokio::test]
async fn keys_and_members_can_be_wrong() {
    let test = with_records().await;
    test.tap.inject(
        PRINCIPAL,
        [
            CallFault::MissingArrays,
            CallFault::NoQueryEndTime,
            CallFault::UnknownArray("qrCodes".to_owned(), vec!["{}".into()]),
            CallFault::Member("null".into()),
        ],
    );
    let mut answers = Vec::new();
    for _ in 0..4 {
        answers.push(test.json("/v2/siem/all", HOUR).await);
    }
    assert_eq!(answers[0].as_object().unwrap().len(), 2);
    assert!(answers[1].get("queryEndTime").is_none());
    assert_eq!(answers[2]["qrCodes"].as_array().unwrap().len(), 1);
    assert!(TapKind::ALL.iter().all(|kind| answers[3][kind.as_str()][0].is_null()));
    assert_eq!(answers[3]["clicksBlocked"].as_array().unwrap().len(), 4);
}

#[tokio::test]
async fn a_connection_takes_one_call_after_the_other() {
    let test = with_records().await;
    let tcp = TcpStream::connect(("127.0.0.1", test.tap.uri().port().unwrap())).await.unwrap();
    let connector = tokio_rustls::TlsConnector::from(Arc::clone(&test.client.tls));
    let mut tls = connector.connect("localhost".try_into().unwrap(), tcp).await.unwrap();
    for calls in 1..=3 {
        // `a-principal:a:secret` in base64.
        let request = format!(
            "GET /v2/siem/all?{HOUR} HTTP/1.1\r\nhost: localhost\r\n\
             authorization: Basic YS1wcmluY2lwYWw6YTpzZWNyZXQ=\r\n\r\n"
        );
        tls.write_all(request.as_bytes()).await.unwrap();
        let mut answer = Vec::new();
        while !answer.ends_with(b"\r\n0\r\n\r\n") {
            assert_ne!(tls.read_buf(&mut answer).await.unwrap(), 0, "the connection ended");
        }
        assert!(answer.starts_with(b"HTTP/1.1 200 OK\r\n"));
        assert_eq!(test.tap.counters().all_calls(), calls);
    }
}
