//! Each fault, as a client sees it.

use super::*;

#[tokio::test]
async fn scripted_refusals_come_in_order_and_then_all_is_well() {
    let scene = Scene::new().await;
    let busy = Refusal::new(503, "Busy").with_header("retry-after", "7");
    scene.pod.script(&feed(), [Fault::Refuse(busy), Fault::Refuse(Refusal::new(500, "Oops"))]);
    let Err(Error::Http(first)) = scene.open().await else { panic!("not refused") };
    assert_eq!(
        (first.status().as_u16(), &first.headers()["retry-after"]),
        (503, &HeaderValue::from_static("7"))
    );
    let Err(Error::Http(second)) = scene.open().await else { panic!("not refused") };
    assert_eq!(second.status(), 500);
    scene.open().await.expect("the script is over");
    assert_eq!(scene.pod.counters().feed(&feed()).refused, 2);
}

#[tokio::test]
async fn cuts_and_early_ends() {
    let (frames, error, counters) = drained_with(Fault::CutAfter(2)).await;
    assert_eq!(texts(&frames), EVENTS[..2]);
    assert!(matches!(error, Some(Error::Io(_))), "{error:?}");
    assert_eq!(counters.dropped, 1);

    let (frames, error, counters) = drained_with(Fault::EndByEof).await;
    assert_eq!(texts(&frames), EVENTS);
    assert!(matches!(error, Some(Error::Protocol(_))), "{error:?}");
    assert_eq!(counters.dropped, 1);

    let (frames, error, _) = drained_with(Fault::CloseAfter(1, Some(1011))).await;
    assert_eq!((texts(&frames), error.is_none()), (vec![EVENTS[0]], true));
    assert_eq!(close_code(&frames), Some(CloseCode::Error));

    let (frames, ..) = drained_with(Fault::CloseAfter(1, None)).await;
    assert!(matches!(frames.last(), Some(Message::Close(None))));

    let (frames, ..) = drained_with(Fault::FalseEmpty).await;
    assert_eq!((frames.len(), close_code(&frames)), (1, Some(CloseCode::Normal)));
}

#[tokio::test]
async fn odd_frames() {
    let (frames, ..) = drained_with(Fault::EmptyFrames).await;
    assert_eq!(texts(&frames), ["", EVENTS[0], "", EVENTS[1], "", EVENTS[2]]);

    let (frames, ..) = drained_with(Fault::BinaryFrames).await;
    assert_eq!(frames[..3], EVENTS.map(|event| Message::Binary(event.into())));

    let (frames, ..) = drained_with(Fault::TrailingNewline).await;
    assert_eq!(texts(&frames)[0], "{\"n\":1}\n");

    let (frames, ..) = drained_with(Fault::Garbage(0, Bytes::from_static(b"{oops"))).await;
    assert_eq!(texts(&frames)[..2], ["{oops", EVENTS[0]]);

    let (frames, ..) = drained_with(Fault::Garbage(3, Bytes::from_static(b"\xff"))).await;
    assert_eq!(frames[3], Message::Binary(Bytes::from_static(b"\xff")));
}

#[tokio::test]
async fn pings_go_both_ways() {
    let scene = Scene::new().await;
    scene.pod.script(&feed(), [Fault::PingEvery(1)]);
    let mut client = scene.open().await.unwrap();
    client.send(Message::Ping(Bytes::from_static(b"mine"))).await.unwrap();
    let (frames, _) = drain(&mut client).await;
    assert!(frames.contains(&Message::Pong(Bytes::from_static(b"mine"))));
    let counters = soon(scene.pod.wait_for(|all| all.open() == 0)).await.feed(&feed());
    assert_eq!((counters.pings, counters.pongs, counters.closed), (1, 3, 1));
}
