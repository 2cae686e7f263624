//! Each fault, as a client sees it.

use std::time::{Duration, Instant};

use tokio::io::AsyncWriteExt;
use tokio_tungstenite::tungstenite::error::CapacityError;

use super::*;

#[tokio::test]
async fn injected_refusals_come_in_order_and_then_end() {
    let test = PodTest::new().await;
    let busy = RefusedHandshake::new(503, "Busy").with_header("retry-after", "7");
    test.pod.inject(
        &feed(),
        [SessionFault::Refuse(busy), SessionFault::Refuse(RefusedHandshake::new(500, "Oops"))],
    );
    let Err(Error::Http(first)) = test.open().await else { panic!("not refused") };
    assert_eq!(
        (first.status().as_u16(), &first.headers()["retry-after"]),
        (503, &HeaderValue::from_static("7"))
    );
    let Err(Error::Http(second)) = test.open().await else { panic!("not refused") };
    assert_eq!(second.status(), 500);
    test.open().await.expect("no fault is left");
    assert_eq!(test.pod.counters().feed(&feed()).refused, 2);
}

#[tokio::test]
async fn sessions_can_end_early() {
    let (frames, error, counters) = drained_with(SessionFault::CutAfter(2)).await;
    assert_eq!(texts(&frames), EVENTS[..2]);
    assert!(matches!(error, Some(Error::Io(_))), "{error:?}");
    assert_eq!(counters.dropped, 1);

    let (frames, error, counters) = drained_with(SessionFault::EndByEof).await;
    assert_eq!(texts(&frames), EVENTS);
    assert!(matches!(error, Some(Error::Protocol(_))), "{error:?}");
    assert_eq!(counters.dropped, 1);

    let (frames, error, _) = drained_with(SessionFault::CloseAfter(1, Some(1011))).await;
    assert_eq!((texts(&frames), error.is_none()), (vec![EVENTS[0]], true));
    assert_eq!(close_code(&frames), Some(CloseCode::Error));

    let (frames, ..) = drained_with(SessionFault::CloseAfter(1, None)).await;
    assert!(matches!(frames.last(), Some(Message::Close(None))));

    let (frames, ..) = drained_with(SessionFault::FalseEmpty).await;
    assert_eq!((frames.len(), close_code(&frames)), (1, Some(CloseCode::Normal)));
}

#[tokio::test]
async fn frames_can_be_unusual() {
    let (frames, ..) = drained_with(SessionFault::EmptyFrames).await;
    assert_eq!(texts(&frames), ["", EVENTS[0], "", EVENTS[1], "", EVENTS[2]]);

    let (frames, ..) = drained_with(SessionFault::BinaryFrames).await;
    assert_eq!(frames[..3], EVENTS.map(|event| Message::Binary(event.into())));

    let (frames, ..) = drained_with(SessionFault::TrailingNewline).await;
    assert_eq!(texts(&frames)[0], "{\"n\":1}\n");

    let (frames, ..) = drained_with(SessionFault::Garbage(0, Bytes::from_static(b"{oops"))).await;
    assert_eq!(texts(&frames)[..2], ["{oops", EVENTS[0]]);

    let (frames, ..) = drained_with(SessionFault::Garbage(3, Bytes::from_static(b"\xff"))).await;
    assert_eq!(frames[3], Message::Binary(Bytes::from_static(b"\xff")));
}

#[tokio::test]
async fn pings_go_both_ways() {
    let test = PodTest::new().await;
    test.pod.inject(&feed(), [SessionFault::PingEvery(1)]);
    let mut client = test.open().await.unwrap();
    client.send(Message::Ping(Bytes::from_static(b"mine"))).await.unwrap();
    let (frames, _) = drain(&mut client).await;
    assert!(frames.contains(&Message::Pong(Bytes::from_static(b"mine"))));
    let counters = soon(test.pod.wait_for(|all| all.open() == 0)).await.feed(&feed());
    assert_eq!((counters.pings, counters.pongs, counters.closed), (1, 3, 1));
}

#[tokio::test]
async fn a_connection_breaks_within_a_frame() {
    let (frames, error, counters) = drained_with(SessionFault::CutWithinEvent(1)).await;
    assert_eq!(texts(&frames), EVENTS[..1]);
    assert!(matches!(error, Some(Error::Io(_))), "{error:?}");
    assert_eq!((counters.events_sent, counters.dropped), (1, 1));

    let (frames, error, _) = drained_with(SessionFault::CutWithinEvent(9)).await;
    assert_eq!(texts(&frames), EVENTS);
    assert!(matches!(error, Some(Error::Io(_))), "without a next event it is cut: {error:?}");
}

#[tokio::test]
async fn a_connection_is_reset() {
    let (frames, error, counters) = drained_with(SessionFault::ResetAfter(2)).await;
    assert!(EVENTS[..2].starts_with(&texts(&frames)), "{frames:?}");
    let Some(Error::Io(error)) = error else { panic!("no reset: {error:?}") };
    assert_eq!(error.kind(), io::ErrorKind::ConnectionReset);
    assert_eq!((counters.events_sent, counters.dropped), (2, 1));
}

#[tokio::test]
async fn a_connection_is_reset_before_tls() {
    let test = PodTest::new().await;
    test.pod.reset_connections(1);
    let tcp = TcpStream::connect(("127.0.0.1", test.pod.port)).await.unwrap();
    let connector = tokio_rustls::TlsConnector::from(Arc::clone(&test.client.tls));
    soon(connector.connect("localhost".try_into().unwrap(), tcp)).await.unwrap_err();
    assert_eq!(test.pod.counters().resets, 1);
    test.open().await.expect("the next one is served");
}

#[tokio::test]
async fn a_half_open_connection_is_mute_and_keeps_its_slot() {
    let test = PodTest::with(|settings| PodSettings {
        slot_release_delay: Duration::from_secs(3600),
        ..settings
    })
    .await;
    test.pod.inject(&feed(), [SessionFault::HalfOpenAfter(1)]);
    let mut client = test.open().await.unwrap();
    assert_eq!(take(&mut client, 1).await, EVENTS[..1]);
    client.send(Message::Ping(Bytes::from_static(b"mine"))).await.unwrap();
    client.close(None).await.unwrap();
    let refused = |opened| matches!(opened, Err(Error::Http(_)));
    assert!(refused(test.open().await), "the session keeps its slot");
    assert_eq!(test.pod.counters().open(), 1);
    client.get_mut().get_mut().0.shutdown().await.unwrap();
    let (frames, error) = drain(&mut client).await;
    assert!(frames.is_empty() && error.is_some(), "neither pong nor close: {frames:?}");
    let counters = test.ended(client).await;
    assert_eq!((counters.dropped, counters.pings), (1, 0));
    assert!(refused(test.open().await), "the slot is released later");
}

#[tokio::test]
async fn frames_can_be_invalid() {
    let (frames, error, counters) = drained_with(SessionFault::NotUtf8After(1)).await;
    assert_eq!(texts(&frames), EVENTS[..1]);
    assert!(matches!(error, Some(Error::Utf8(_))), "{error:?}");
    assert_eq!(counters.dropped, 1);

    let (frames, error, counters) = drained_with(SessionFault::OversizedAfter(2)).await;
    assert_eq!(texts(&frames), EVENTS[..2]);
    let Some(Error::Capacity(CapacityError::MessageTooLong { size, .. })) = error else {
        panic!("not refused: {error:?}");
    };
    assert_eq!((size, counters.dropped), (65 << 20, 1));
}

#[tokio::test]
async fn events_can_be_repeated_skipped_or_reversed() {
    let (frames, _, counters) = drained_with(SessionFault::DuplicateEvery(2)).await;
    assert_eq!(texts(&frames), [EVENTS[0], EVENTS[1], EVENTS[1], EVENTS[2]]);
    assert_eq!(counters.events_sent, 4);

    let (frames, _, counters) = drained_with(SessionFault::SkipEvery(2)).await;
    assert_eq!(texts(&frames), [EVENTS[0], EVENTS[2]]);
    assert_eq!(counters.events_sent, 2);

    let (frames, ..) = drained_with(SessionFault::ReverseEvery(2)).await;
    assert_eq!(texts(&frames), [EVENTS[1], EVENTS[0], EVENTS[2]]);
}

#[tokio::test]
async fn sending_can_be_slow() {
    let begun = Instant::now();
    let (frames, error, _) = drained_with(SessionFault::Trickle(100)).await;
    assert_eq!((texts(&frames), error.is_none()), (EVENTS.to_vec(), true));
    assert_eq!(close_code(&frames), Some(CloseCode::Normal));
    // Three frames of 9 bytes and one of 4, with a pause after each byte except the last.
    assert!(begun.elapsed() >= Duration::from_millis(300), "{:?}", begun.elapsed());
}

#[tokio::test]
async fn a_fault_affects_only_its_kind_of_session() {
    let test = PodTest::new().await;
    let refuse = |status| [SessionFault::Refuse(RefusedHandshake::new(status, "No"))];
    test.pod.inject_live(&feed(), refuse(501));
    test.pod.inject_archive(&feed(), refuse(502));
    test.pod.inject(&feed(), refuse(503));
    let status = |opened: Result<Client, Error>| match opened {
        Err(Error::Http(response)) => response.status().as_u16(),
        other => panic!("not refused: {other:?}"),
    };
    assert_eq!(status(test.open().await), 503, "a fault for any session comes first");
    assert_eq!(status(test.open().await), 502);
    let client = test.open().await.expect("the fault that is left is for live sessions");
    test.ended(client).await;
    assert_eq!(status(test.open_live().await), 501);
    test.open_live().await.expect("nothing is left");
}
