//! Archive sessions.

use super::*;

#[tokio::test]
async fn an_archive_session_ends_normally_after_its_events() {
    let test = PodTest::new().await;
    let mut client = test.open().await.unwrap();
    let (frames, error) = drain(&mut client).await;
    assert!(error.is_none(), "{error:?}");
    assert_eq!(texts(&frames), EVENTS);
    assert_eq!(close_code(&frames), Some(CloseCode::Normal));
    let counters = soon(test.pod.wait_for(|all| all.open() == 0)).await.feed(&feed());
    let expected = FeedCounters {
        opened: 1,
        archive_opened: 1,
        most_open: 1,
        events_sent: 3,
        closed: 1,
        ..Default::default()
    };
    assert_eq!(counters, expected);
}

#[tokio::test]
async fn an_hour_is_empty_before_the_archive_delay() {
    let recent = "cid=acme_hosted&type=message&sinceTime=2026-11-20T11:00:00Z\
                  &toTime=2026-11-20T12:00:00Z";
    let source = InMemoryEvents::default();
    source.add_to_hour(&feed(), "2026-11-20T11".parse().unwrap(), ["{}"]);
    let test = PodTest::with(|settings| PodSettings { source: Arc::new(source), ..settings }).await;
    let mut client = test.connect(recent, Some("Bearer a-token")).await.unwrap();
    assert_eq!(drain(&mut client).await.0.len(), 1, "only the close frame");
    drop(client);
    test.clock.advance(SignedDuration::from_mins(30));
    soon(test.pod.wait_for(|all| all.open() == 0)).await;
    let mut client = test.connect(recent, Some("Bearer a-token")).await.unwrap();
    assert_eq!(texts(&drain(&mut client).await.0), ["{}"]);
}

#[tokio::test]
async fn a_rate_limited_session_can_be_closed_early() {
    let test =
        PodTest::with(|settings| PodSettings { events_per_second: Some(1), ..settings }).await;
    let mut client = test.open().await.unwrap();
    soon(client.next()).await.unwrap().unwrap();
    client.close(None).await.unwrap();
    drain(&mut client).await;
    let counters = soon(test.pod.wait_for(|all| all.open() == 0)).await.feed(&feed());
    assert_eq!((counters.events_sent, counters.closed), (1, 1));
}

#[tokio::test]
async fn a_late_event_is_in_the_archive_after_the_delay() {
    let test = PodTest::new().await;
    let late = SourceEvent::new("late", hour());
    let arrives_at = "2026-11-20T12:00:00Z".parse().unwrap();
    test.source.add(&feed(), [SourceEvent { arrives_at, ..late }]);
    test.clock.advance(SignedDuration::from_secs(30 * 60 - 1));
    let mut client = test.open().await.unwrap();
    assert_eq!(texts(&drain(&mut client).await.0), EVENTS);
    test.ended(client).await;
    test.clock.advance(SignedDuration::from_secs(1));
    let mut client = test.open().await.unwrap();
    assert_eq!(texts(&drain(&mut client).await.0)[3..], ["late"]);
}
