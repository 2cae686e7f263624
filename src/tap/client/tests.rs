use proofpoint_sentinel_core::tap_kind::TapKind;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpListener;
use tokio::sync::mpsc;

use super::*;
use crate::net::Net;
use crate::tap::{AskScope, Outcome, RecordForm};

/// Answers each connection with `answer` and closes it. Gives the address, and the heads of requests.
async fn answering(answer: impl Into<Vec<u8>>) -> (Url, mpsc::UnboundedReceiver<String>) {
    let answer = answer.into();
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let base = Url::parse(&format!("http://{}", listener.local_addr().unwrap())).unwrap();
    let (heads, requests) = mpsc::unbounded_channel();
    tokio::spawn(async move {
        loop {
            let (mut client, _) = listener.accept().await.unwrap();
            let mut head = Vec::new();
            while !head.ends_with(b"\r\n\r\n") && client.read_buf(&mut head).await.unwrap() > 0 {}
            heads.send(String::from_utf8(head).unwrap()).unwrap();
            client.write_all(&answer).await.unwrap();
        }
    });
    (base, requests)
}

fn interval() -> Interval {
    let at = |text: &str| text.parse().unwrap();
    Interval::new(
        at("2026-11-20T06:00:00Z"),
        at("2026-11-20T06:30:00Z"),
        at("2026-11-20T07:00:00Z"),
    )
    .unwrap()
}

fn client(base: &Url) -> TapClient {
    let http = Net::new(None).unwrap().http;
    TapClient::new(http, base, "a-principal", &Secret::new("hunter2")).unwrap()
}

fn answer(status: &str, body: &str) -> String {
    format!("HTTP/1.1 {status}\r\nContent-Length: {}\r\n\r\n{body}", body.len())
}

async fn ask(answer: impl Into<Vec<u8>>) -> (Vec<TapRecord>, Result<BodySummary, AskError>) {
    let (base, _requests) = answering(answer).await;
    let mut records = Vec::new();
    let mut answer = match client(&base).ask(interval(), None).await {
        Ok(answer) => answer,
        Err(error) => return (records, Err(error)),
    };
    loop {
        match answer.next_record().await {
            Ok(Some(record)) => records.push(record),
            Ok(None) => return (records, Ok(answer.summary().clone())),
            Err(error) => return (records, Err(error)),
        }
    }
}

#[tokio::test]
async fn a_call_is_what_the_service_expects() {
    let (base, mut requests) = answering(answer("200 OK", "{}")).await;
    for (status, parameter) in
        [(None, ""), (Some(ThreatStatus::FalsePositive), "&threatStatus=falsePositive")]
    {
        client(&base).ask(interval(), status).await.unwrap();
        let head = requests.recv().await.unwrap();
        let line = format!(
            "GET /v2/siem/all?format=json&interval=2026-11-20T06%3A00%3A00Z%2F2026-11-20T06%3A30%3A00Z{parameter} HTTP/1.1\r\n"
        );
        assert!(head.starts_with(&line), "{head}");
        // `a-principal:hunter2`
        let header = "authorization: Basic YS1wcmluY2lwYWw6aHVudGVyMg==\r\n";
        assert!(head.contains(header), "{head}");
    }
}

#[test]
fn the_credential_is_not_in_the_debug_output() {
    let http = Net::new(None).unwrap().http;
    let base = Url::parse("https://tap-api-v2.proofpoint.com").unwrap();
    let secret = Secret::new("hunter2");
    let client = TapClient::new(http.clone(), &base, "a-principal", &secret).unwrap();
    let text = format!("{client:?}");
    assert!(!text.contains("hunter2") && !text.contains("aHVudGVy"), "{text}");
    let error = TapClient::new(http, &base, "a:principal", &secret).unwrap_err();
    assert!(matches!(error, AskError::NotSendable));
}

#[tokio::test]
async fn records_are_taken_from_the_body() {
    let body = r#"{"queryEndTime":"2026-11-20T06:30:00Z","clicksBlocked":[{"id":"1"},2]}"#;
    for answer in [
        answer("200 OK", body),
        format!(
            "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n{:x}\r\n{}\r\n{:x}\r\n{}\r\n0\r\n\r\n",
            50,
            &body[..50],
            body.len() - 50,
            &body[50..]
        ),
    ] {
        let (records, end) = ask(answer).await;
        let forms: Vec<_> = records.iter().map(|record| (record.kind, record.form)).collect();
        let kind = TapKind::ClicksBlocked;
        assert_eq!(forms, [(kind, RecordForm::Object), (kind, RecordForm::NotAnObject)]);
        assert_eq!(end.unwrap().query_end, Some("2026-11-20T06:30:00Z".parse().unwrap()));
    }
    let (records, end) = ask("HTTP/1.1 204 No Content\r\n\r\n").await;
    assert_eq!((records, end.unwrap()), (vec![], BodySummary::default()));
}

#[tokio::test]
async fn a_body_that_breaks_off_gives_the_records_before_that() {
    let body = r#"{"clicksBlocked":[{"id":"1"},{"id":"2"#;
    let torn = format!("HTTP/1.1 200 OK\r\nContent-Length: 90\r\n\r\n{body}");
    for answer in [torn, answer("200 OK", body)] {
        let (records, end) = ask(answer).await;
        assert_eq!(records.len(), 1);
        let error = end.unwrap_err();
        let AskError::Body(BodyError::Cut { bytes }) = error else { panic!("{error}") };
        assert_eq!((bytes, error.outcome()), (body.len() as u64, Outcome::TooLong));
    }
}

#[tokio::test]
async fn each_refusal_has_its_consequence() {
    for (status, body, outcome, scope, is_passing) in [
        (
            "400 Bad",
            "The requested interval is too short.",
            Outcome::Refused,
            AskScope::Window,
            false,
        ),
        (
            "400 Bad",
            "start time is too far into the past",
            Outcome::TooOld,
            AskScope::Window,
            false,
        ),
        (
            "400 Bad",
            "The requested interval is still current.",
            Outcome::Refused,
            AskScope::Window,
            true,
        ),
        ("400 Bad", "", Outcome::Refused, AskScope::Window, false),
        ("401 No", "", Outcome::Abandoned, AskScope::Account, false),
        ("403 No", "", Outcome::Abandoned, AskScope::Account, false),
        ("404 No", "<html>", Outcome::Abandoned, AskScope::Account, false),
        ("429 Slow", "", Outcome::Throttled, AskScope::Account, true),
        ("503 Down", "", Outcome::TooLong, AskScope::Window, true),
    ] {
        let error = ask(answer(status, body)).await.1.unwrap_err();
        assert_eq!((error.outcome(), error.scope()), (outcome, scope), "{error}");
        assert_eq!(error.is_passing(), is_passing, "{error}");
    }
}

#[tokio::test]
async fn a_page_in_place_of_an_answer_is_a_fault_of_its_own() {
    let (_, end) = ask(answer("200 OK", "<html><title>Sign in</title>")).await;
    let error = end.unwrap_err();
    assert!(matches!(error, AskError::Body(BodyError::NotExpected { at: 0, .. })), "{error}");
    assert_eq!((error.outcome(), error.is_passing()), (Outcome::Refused, false));
}

#[tokio::test]
async fn a_connection_that_breaks_or_is_not_there_is_told_apart() {
    let error = ask("").await.1.unwrap_err();
    assert!(matches!(error, AskError::Broken { .. }), "{error}");
    assert_eq!(error.outcome(), Outcome::TooLong);

    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let base = Url::parse(&format!("http://{}", listener.local_addr().unwrap())).unwrap();
    drop(listener);
    let error = client(&base).ask(interval(), None).await.unwrap_err();
    assert!(matches!(error, AskError::Unreachable { .. }), "{error}");
    assert_eq!((error.outcome(), error.scope()), (Outcome::Abandoned, AskScope::Account));
}

#[tokio::test(start_paused = true)]
async fn a_service_that_sends_nothing_is_given_up() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let base = Url::parse(&format!("http://{}", listener.local_addr().unwrap())).unwrap();
    let error = client(&base).ask(interval(), None).await.unwrap_err();
    assert!(matches!(error, AskError::TimedOut { .. }), "{error}");
    assert_eq!(error.outcome(), Outcome::TooLong);
}
