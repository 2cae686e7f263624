//! Which requests get a session.

use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};

use super::*;

#[tokio::test]
async fn wrong_requests_get_their_status() {
    let test = PodTest::new().await;
    let good = Some("Bearer a-token");
    let cases = [
        (format!("cid=acme_hosted&type=message{WINDOW}"), None, 401),
        (format!("cid=acme_hosted&type=message{WINDOW}"), Some("Bearer "), 401),
        (format!("cid=acme_hosted&type=message{WINDOW}"), Some("Bearer other"), 401),
        (format!("cid=acme_hosted&type=message{WINDOW}"), Some("Basic a-token"), 401),
        (format!("cid=other_hosted&type=message{WINDOW}"), good, 401),
        (format!("type=message{WINDOW}"), good, 400),
        (format!("cid=&type=message{WINDOW}"), good, 400),
        (format!("cid=acme_hosted{WINDOW}"), good, 400),
        (format!("cid=acme_hosted&type={WINDOW}"), good, 400),
        (format!("cid=acme_hosted&type=click{WINDOW}"), good, 400),
        (format!("cid=acme_hosted&cid=acme_hosted&type=message{WINDOW}"), good, 400),
        ("cid=acme_hosted&type=message&sinceTime=x&toTime=2026-11-20T07:00Z".into(), good, 400),
        ("cid=acme_hosted&type=message&toTime=2026-11-20T07:00:00Z".into(), good, 400),
        ("cid=acme_hosted&type=message&sinceTime=2026-11-20T07:00:00Z".into(), good, 501),
    ];
    for (query, token, status) in cases {
        let response = test.refusal(&query, token).await;
        assert_eq!(response.status(), status, "{query} {token:?}");
        assert_eq!(response.headers()["content-type"], "text/plain;charset=iso-8859-1");
    }
    let counters = test.pod.counters();
    assert_eq!(counters.refused.values().sum::<u64>(), 14);
    assert!(counters.feeds.is_empty());
}

#[tokio::test]
async fn wrong_paths_and_methods_get_their_status() {
    let test = PodTest::new().await;
    for (head, status) in [
        ("GET /v2/stream HTTP/1.1\r\nUpgrade: websocket\r\n", "404"),
        ("GET /v1/stream?cid=acme_hosted HTTP/1.1\r\n", "404"),
        ("POST /v1/stream HTTP/1.1\r\nUpgrade: websocket\r\n", "405"),
        ("nonsense\r\n", "400"),
    ] {
        let mut tls = test.tls().await;
        tls.write_all(format!("{head}Host: localhost\r\n\r\n").as_bytes()).await.unwrap();
        let mut answer = String::new();
        soon(tls.read_to_string(&mut answer)).await.unwrap();
        assert!(answer.starts_with(&format!("HTTP/1.1 {status} ")), "{head}: {answer}");
    }
}

#[tokio::test]
async fn a_second_session_is_refused_while_the_first_is_open() {
    let test = PodTest::new().await;
    test.pod.inject(&feed(), [SessionFault::StallAfter(1)]);
    let mut first = test.open().await.unwrap();
    soon(test.pod.wait_for(|all| all.feed(&feed()).events_sent == 1)).await;
    match test.open().await {
        Err(Error::Http(response)) => {
            assert_eq!(response.status(), 409);
            assert_eq!(response.headers()["content-length"], "47");
        }
        other => panic!("not refused: {other:?}"),
    }
    let audit = format!("cid=acme_hosted&type=audit{WINDOW}");
    test.connect(&audit, Some("Bearer a-token")).await.expect("another type has its own slot");

    first.close(None).await.unwrap();
    drain(&mut first).await;
    let counters = soon(test.pod.wait_for(|all| all.feed(&feed()).open == 0)).await;
    assert_eq!(counters.feed(&feed()).closed, 1, "a clean end releases the slot");
    test.open().await.expect("the slot is free");
}

#[tokio::test]
async fn a_dropped_session_keeps_its_slot_for_a_while() {
    let test = PodTest::with(|settings| PodSettings {
        slot_release_delay: Duration::from_secs(3600),
        ..settings
    })
    .await;
    test.pod.inject(&feed(), [SessionFault::StallAfter(0)]);
    let client = test.open().await.unwrap();
    drop(client);
    let counters = soon(test.pod.wait_for(|all| all.feed(&feed()).dropped == 1)).await;
    assert_eq!(counters.open(), 0);
    assert!(matches!(test.open().await, Err(Error::Http(response)) if response.status() == 409));
}
