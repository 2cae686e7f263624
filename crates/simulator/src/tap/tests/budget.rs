//! How many calls are answered.

use super::*;

#[tokio::test]
async fn a_pool_has_1800_calls_in_24_hours() {
    let test = TapTest::new().await;
    test.tap.spend_calls(PRINCIPAL, CallPool::Shared, at("11:00:00"), 1798);
    assert_eq!(test.answer("/v2/siem/all", HOUR).await.0, 200);
    assert_eq!(test.answer("/v2/siem/messages/blocked", "nothing").await.0, 400);
    assert_eq!(test.tap.calls_used(PRINCIPAL, CallPool::Shared), 1800);
    let throttled = test.call("/v2/siem/all", HOUR).await;
    assert_eq!(throttled.status(), 429);
    assert!(!throttled.headers().contains_key("retry-after"));
    assert_eq!(test.answer("/v2/siem/clicks/permitted", HOUR).await.0, 200);
    assert_eq!(test.tap.calls_used(PRINCIPAL, CallPool::PermittedClicks), 1);
}

#[tokio::test]
async fn room_returns_call_by_call() {
    let test = TapTest::with(|settings| TapSettings { calls_per_day: 2, ..settings }).await;
    let status = async || test.answer("/v2/siem/issues", "sinceSeconds=300").await.0;
    assert_eq!(status().await, 204);
    test.clock.advance(SignedDuration::from_hours(1));
    assert_eq!(status().await, 204);
    assert_eq!(status().await, 429);
    test.clock.advance(SignedDuration::from_hours(23));
    assert_eq!(status().await, 204);
    assert_eq!(status().await, 429);
    assert_eq!(test.tap.counters().statuses[&429], 2);
    assert_eq!(test.tap.counters().calls[&Endpoint::Issues], 3);
}
