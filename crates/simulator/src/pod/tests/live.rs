//! Live sessions: what arrives, and where the next one goes on.

use super::*;
use crate::mail::Traffic;

fn mins(minutes: i64) -> SignedDuration {
    SignedDuration::from_mins(minutes)
}

#[tokio::test]
async fn the_first_session_begins_with_the_last_hour_and_stays_open() {
    let scene = Scene::new().await;
    scene.give("too old", "10:59:59");
    scene.give("a", "11:00:00");
    scene.give("b", "12:00:00");
    scene.give("c", "12:20:00");
    let mut client = scene.open_live().await.unwrap();
    assert_eq!(take(&mut client, 2).await, ["a", "b"]);
    soon(scene.pod.live_caught_up(&feed())).await;
    assert_eq!(scene.pod.counters().feed(&feed()).live_events_sent, 2, "the third is to come");
    scene.clock.advance(mins(20));
    assert_eq!(take(&mut client, 1).await, ["c"]);
    scene.give("d", "12:19:00");
    scene.give("e", "12:20:00");
    assert_eq!(take(&mut client, 1).await, ["e"], "what is behind is passed over");
    client.send(Message::Ping(Bytes::from_static(b"mine"))).await.unwrap();
    let pong = soon(client.next()).await.unwrap().unwrap();
    assert_eq!(pong, Message::Pong(Bytes::from_static(b"mine")));

    let frames = close(&mut client).await;
    assert_eq!((frames.len(), close_code(&frames)), (1, Some(CloseCode::Normal)));
    let counters = scene.ended(client).await;
    assert_eq!((counters.opened, counters.live_opened, counters.archive_opened), (1, 1, 0));
    assert_eq!((counters.events_sent, counters.live_events_sent), (4, 4));
    assert_eq!((counters.closed, counters.dropped), (1, 0));
}

#[tokio::test]
async fn a_session_within_the_hour_goes_on_where_the_last_one_ended() {
    let scene = Scene::new().await;
    scene.give("a", "11:10:00");
    scene.give("b", "11:10:00");
    let mut client = scene.open_live().await.unwrap();
    assert_eq!(take(&mut client, 2).await, ["a", "b"]);
    close(&mut client).await;
    scene.ended(client).await;

    scene.clock.advance(mins(60));
    scene.give("c", "12:00:00");
    scene.give("d", "12:59:59");
    let mut client = scene.open_live().await.unwrap();
    assert_eq!(take(&mut client, 2).await, ["c", "d"]);
}

#[tokio::test]
async fn a_session_after_more_than_an_hour_gets_the_last_hour_only() {
    let scene = Scene::new().await;
    scene.give("a", "11:59:00");
    let mut client = scene.open_live().await.unwrap();
    assert_eq!(take(&mut client, 1).await, ["a"]);
    close(&mut client).await;
    scene.ended(client).await;

    scene.clock.advance(mins(61));
    scene.give("in the gap", "12:00:30");
    scene.give("b", "12:01:00");
    let mut client = scene.open_live().await.unwrap();
    assert_eq!(take(&mut client, 1).await, ["b"]);
}

#[tokio::test]
async fn what_nobody_read_counts_as_sent() {
    let scene = Scene::new().await;
    scene.give("a", "11:59:00");
    let client = scene.open_live().await.unwrap();
    soon(scene.pod.live_caught_up(&feed())).await;
    let counters = scene.ended(client).await;
    assert_eq!((counters.dropped, counters.live_events_sent), (1, 1));

    scene.give("b", "12:00:00");
    let mut client = scene.open_live().await.unwrap();
    assert_eq!(take(&mut client, 1).await, ["b"]);
}

#[tokio::test]
async fn a_clock_that_jumps_lets_everything_arrive() {
    let scene = Scene::new().await;
    let mut client = scene.open_live().await.unwrap();
    soon(scene.pod.live_caught_up(&feed())).await;
    scene.give("a", "12:30:00");
    scene.give("b", "17:30:00");
    scene.give("c", "20:00:01");
    scene.clock.advance(SignedDuration::from_hours(8));
    assert_eq!(take(&mut client, 2).await, ["a", "b"]);
    close(&mut client).await;
    assert_eq!(scene.ended(client).await.live_events_sent, 2);
}

#[tokio::test]
async fn live_and_archive_share_one_place() {
    let scene = Scene::new().await;
    let mut live = scene.open_live().await.unwrap();
    let refused = |opened: Result<Client, Error>| matches!(opened, Err(Error::Http(response)) if response.status() == 409);
    assert!(refused(scene.open().await), "the archive while live");
    assert!(refused(scene.open_live().await), "live while live");
    close(&mut live).await;
    scene.ended(live).await;

    scene.pod.script_archive(&feed(), [SessionFault::StallAfter(0)]);
    let _archive = scene.open().await.expect("the place is free");
    assert!(refused(scene.open_live().await), "live while the archive is read");
}

#[tokio::test]
async fn a_session_with_the_archive_does_not_move_the_position() {
    let scene = Scene::new().await;
    scene.give("a", "11:59:00");
    let mut client = scene.open().await.unwrap();
    assert_eq!(texts(&drain(&mut client).await.0), EVENTS);
    scene.ended(client).await;
    let mut client = scene.open_live().await.unwrap();
    assert_eq!(take(&mut client, 1).await, ["a"]);
}

#[tokio::test]
async fn generated_traffic_arrives_as_time_passes() {
    let volume = Volume { messages: 600, audits: 10, daily: false, bulk: true };
    let traffic = [("acme_hosted".to_owned(), Traffic::new(1, "acme_hosted"))];
    let source = Arc::new(GeneratedEvents::new(traffic, volume));
    let scene = Scene::with(|settings| PodSettings { source: source.clone(), ..settings }).await;
    let mut client = scene.open_live().await.unwrap();
    for hour in [hour().plus(5), hour().plus(6)] {
        let mut arrived = take(&mut client, 600).await;
        arrived.sort();
        let mut archived: Vec<Bytes> = source.events(&feed(), hour).collect();
        archived.sort();
        assert_eq!(arrived, archived);
        scene.clock.advance(mins(60));
    }
}

/// All texts of a live session that the client leaves once everything has come, unless the server
/// ends it before.
async fn whole_session(scene: &Scene) -> Vec<String> {
    let looks = scene.pod.counters().feed(&feed()).live_caught_up;
    let mut client = scene.open_live().await.unwrap();
    let mut frames = Vec::new();
    {
        let all_sent = scene.pod.wait_for(|all| all.feed(&feed()).live_caught_up > looks);
        tokio::pin!(all_sent);
        loop {
            tokio::select! {
                biased;
                frame = soon(client.next()) => match frame {
                    Some(Ok(frame)) => frames.push(frame),
                    _ => break,
                },
                _ = &mut all_sent => break,
            }
        }
    }
    // Fails where the server has ended the session.
    let _ = client.close(None).await;
    frames.extend(drain(&mut client).await.0);
    scene.ended(client).await;
    texts(&frames).into_iter().map(str::to_owned).collect()
}

#[tokio::test]
async fn what_a_faulty_session_sent_is_not_sent_again() {
    let cases: [(SessionFault, &[&str], &[&str]); 8] = [
        (SessionFault::CloseAfter(1, Some(1012)), &["a"], &["b", "c", "d"]),
        (SessionFault::CutAfter(2), &["a", "b"], &["c", "d"]),
        (SessionFault::CutWithinEvent(1), &["a"], &["c", "d"]),
        (SessionFault::FalseEmpty, &[], &["a", "b", "c", "d"]),
        (SessionFault::EmptyFrames, &["", "a", "", "b", "", "c"], &["d"]),
        (SessionFault::SkipEvery(3), &["a", "b"], &["d"]),
        (SessionFault::DuplicateEvery(2), &["a", "b", "b", "c"], &["d"]),
        (SessionFault::ReverseEvery(3), &["c", "b", "a"], &["d"]),
    ];
    for (fault, first, second) in cases {
        let scene = Scene::new().await;
        for name in ["a", "b", "c"] {
            scene.give(name, "12:00:00");
        }
        scene.pod.script_live(&feed(), [fault.clone()]);
        assert_eq!(whole_session(&scene).await, first, "{fault:?}");
        scene.give("d", "12:00:00");
        assert_eq!(whole_session(&scene).await, second, "after {fault:?}");
    }
}

#[tokio::test]
async fn a_stalled_live_session_goes_on_with_the_next() {
    let scene = Scene::new().await;
    scene.give("a", "12:00:00");
    scene.give("b", "12:00:00");
    scene.pod.script_live(&feed(), [SessionFault::StallAfter(1)]);
    let mut client = scene.open_live().await.unwrap();
    assert_eq!(take(&mut client, 1).await, ["a"]);
    client.send(Message::Ping(Bytes::new())).await.unwrap();
    assert_eq!(soon(client.next()).await.unwrap().unwrap(), Message::Pong(Bytes::new()));
    assert_eq!(close(&mut client).await.len(), 1, "only the close frame");
    scene.ended(client).await;
    assert_eq!(whole_session(&scene).await, ["b"]);
}
