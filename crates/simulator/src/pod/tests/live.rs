//! Live sessions: what they send, and where the next one continues.

use super::*;
use crate::mail::MailTraffic;

fn mins(minutes: i64) -> SignedDuration {
    SignedDuration::from_mins(minutes)
}

#[tokio::test]
async fn the_first_session_begins_with_the_last_hour() {
    let test = PodTest::new().await;
    test.add_event("too old", "10:59:59");
    test.add_event("a", "11:00:00");
    test.add_event("b", "12:00:00");
    test.add_event("c", "12:20:00");
    let mut client = test.open_live().await.unwrap();
    assert_eq!(take(&mut client, 2).await, ["a", "b"]);
    soon(test.pod.live_caught_up(&feed())).await;
    assert_eq!(test.pod.counters().feed(&feed()).live_events_sent, 2, "the third is to come");
    test.clock.advance(mins(20));
    assert_eq!(take(&mut client, 1).await, ["c"]);
    test.add_event("d", "12:19:00");
    test.add_event("e", "12:20:00");
    assert_eq!(take(&mut client, 1).await, ["e"], "earlier arrivals are skipped");
    client.send(Message::Ping(Bytes::from_static(b"mine"))).await.unwrap();
    let pong = soon(client.next()).await.unwrap().unwrap();
    assert_eq!(pong, Message::Pong(Bytes::from_static(b"mine")));

    let frames = close(&mut client).await;
    assert_eq!((frames.len(), close_code(&frames)), (1, Some(CloseCode::Normal)));
    let counters = test.ended(client).await;
    assert_eq!((counters.opened, counters.live_opened, counters.archive_opened), (1, 1, 0));
    assert_eq!((counters.events_sent, counters.live_events_sent), (4, 4));
    assert_eq!((counters.closed, counters.dropped), (1, 0));
}

#[tokio::test]
async fn within_an_hour_a_session_continues_the_last_one() {
    let test = PodTest::new().await;
    test.add_event("a", "11:10:00");
    test.add_event("b", "11:10:00");
    let mut client = test.open_live().await.unwrap();
    assert_eq!(take(&mut client, 2).await, ["a", "b"]);
    close(&mut client).await;
    test.ended(client).await;

    test.clock.advance(mins(60));
    test.add_event("c", "12:00:00");
    test.add_event("d", "12:59:59");
    let mut client = test.open_live().await.unwrap();
    assert_eq!(take(&mut client, 2).await, ["c", "d"]);
}

#[tokio::test]
async fn after_an_hour_a_session_gets_only_the_last_hour() {
    let test = PodTest::new().await;
    test.add_event("a", "11:59:00");
    let mut client = test.open_live().await.unwrap();
    assert_eq!(take(&mut client, 1).await, ["a"]);
    close(&mut client).await;
    test.ended(client).await;

    test.clock.advance(mins(61));
    test.add_event("in the gap", "12:00:30");
    test.add_event("b", "12:01:00");
    let mut client = test.open_live().await.unwrap();
    assert_eq!(take(&mut client, 1).await, ["b"]);
}

#[tokio::test]
async fn unread_events_count_as_sent() {
    let test = PodTest::new().await;
    test.add_event("a", "11:59:00");
    let client = test.open_live().await.unwrap();
    soon(test.pod.live_caught_up(&feed())).await;
    let counters = test.ended(client).await;
    assert_eq!((counters.dropped, counters.live_events_sent), (1, 1));

    test.add_event("b", "12:00:00");
    let mut client = test.open_live().await.unwrap();
    assert_eq!(take(&mut client, 1).await, ["b"]);
}

#[tokio::test]
async fn after_a_clock_jump_all_events_arrive() {
    let test = PodTest::new().await;
    let mut client = test.open_live().await.unwrap();
    soon(test.pod.live_caught_up(&feed())).await;
    test.add_event("a", "12:30:00");
    test.add_event("b", "17:30:00");
    test.add_event("c", "20:00:01");
    test.clock.advance(SignedDuration::from_hours(8));
    assert_eq!(take(&mut client, 2).await, ["a", "b"]);
    close(&mut client).await;
    assert_eq!(test.ended(client).await.live_events_sent, 2);
}

#[tokio::test]
async fn live_and_archive_share_one_slot() {
    let test = PodTest::new().await;
    let mut live = test.open_live().await.unwrap();
    let refused = |opened: Result<Client, Error>| matches!(opened, Err(Error::Http(response)) if response.status() == 409);
    assert!(refused(test.open().await), "the archive while live");
    assert!(refused(test.open_live().await), "live while live");
    close(&mut live).await;
    test.ended(live).await;

    test.pod.inject_archive(&feed(), [SessionFault::StallAfter(0)]);
    let _archive = test.open().await.expect("the slot is free");
    assert!(refused(test.open_live().await), "live while the archive is read");
}

#[tokio::test]
async fn an_archive_session_does_not_move_the_live_position() {
    let test = PodTest::new().await;
    test.add_event("a", "11:59:00");
    let mut client = test.open().await.unwrap();
    assert_eq!(texts(&drain(&mut client).await.0), EVENTS);
    test.ended(client).await;
    let mut client = test.open_live().await.unwrap();
    assert_eq!(take(&mut client, 1).await, ["a"]);
}

#[tokio::test]
async fn generated_traffic_arrives_as_time_passes() {
    let volume = MailVolume { messages: 600, audits: 10, daily: false, bulk: true };
    let traffic = [("acme_hosted".to_owned(), MailTraffic::new(1, "acme_hosted"))];
    let source = Arc::new(GeneratedEvents::new(traffic, volume));
    let test = PodTest::with(|settings| PodSettings { source: source.clone(), ..settings }).await;
    let mut client = test.open_live().await.unwrap();
    for hour in [hour().plus(5), hour().plus(6)] {
        let mut arrived = take(&mut client, 600).await;
        arrived.sort();
        let mut archived: Vec<Bytes> = source.events(&feed(), hour).collect();
        archived.sort();
        assert_eq!(arrived, archived);
        test.clock.advance(mins(60));
    }
}

/// All texts of a live session. The client closes it once all events have come, unless the server
/// ends it before.
async fn whole_session(test: &PodTest) -> Vec<String> {
    let checks = test.pod.counters().feed(&feed()).live_caught_up;
    let mut client = test.open_live().await.unwrap();
    let mut frames = Vec::new();
    {
        let all_sent = test.pod.wait_for(|all| all.feed(&feed()).live_caught_up > checks);
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
    // Fails if the server has ended the session.
    let _ = client.close(None).await;
    frames.extend(drain(&mut client).await.0);
    test.ended(client).await;
    texts(&frames).into_iter().map(str::to_owned).collect()
}

#[tokio::test]
async fn events_of_a_faulty_session_are_not_sent_again() {
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
        let test = PodTest::new().await;
        for name in ["a", "b", "c"] {
            test.add_event(name, "12:00:00");
        }
        test.pod.inject_live(&feed(), [fault.clone()]);
        assert_eq!(whole_session(&test).await, first, "{fault:?}");
        test.add_event("d", "12:00:00");
        assert_eq!(whole_session(&test).await, second, "after {fault:?}");
    }
}

#[tokio::test]
async fn the_next_session_continues_a_stalled_one() {
    let test = PodTest::new().await;
    test.add_event("a", "12:00:00");
    test.add_event("b", "12:00:00");
    test.pod.inject_live(&feed(), [SessionFault::StallAfter(1)]);
    let mut client = test.open_live().await.unwrap();
    assert_eq!(take(&mut client, 1).await, ["a"]);
    client.send(Message::Ping(Bytes::new())).await.unwrap();
    assert_eq!(soon(client.next()).await.unwrap().unwrap(), Message::Pong(Bytes::new()));
    assert_eq!(close(&mut client).await.len(), 1, "only the close frame");
    test.ended(client).await;
    assert_eq!(whole_session(&test).await, ["b"]);
}
