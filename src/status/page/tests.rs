use jiff::SignedDuration;
use jiff::Timestamp;
use proofpoint_sentinel_core::feed::{EventType, Feed};
use proofpoint_sentinel_core::hour::Hour;
use serde_json::json;

use super::*;
use crate::report::FeedStatus;
use crate::state::Checkpoint;
use crate::status::feed_overview::{DeadLetterCounts, FeedCheckpoint, FeedOverview, FeedState};

fn now() -> Timestamp {
    "2026-11-20T12:50:00Z".parse().unwrap()
}

/// A feed that is up to date.
fn feed(cluster_id: &str) -> FeedState {
    let feed = Feed::log(cluster_id, EventType::Message);
    let mut checkpoint = Checkpoint::starting_at(Hour::containing(now()), &feed, "run", now());
    checkpoint.newest = Some(now() - SignedDuration::from_secs(12));
    let status = json!({
        "finished": "2026-11-20T12:46:00Z", "seconds": 3.5, "outcome": "up_to_date",
        "history": {
            "first_hour": "2026-11-20T00", "last_success": "2026-11-20T12:46:00Z",
            "hours": [
                {"hour": "2026-11-20T11", "runs": 12, "delivered": 1200, "lag_seconds": 40},
                {"hour": "2026-11-20T12", "runs": 10, "delivered": 1034, "repaired": 5},
            ],
        },
    });
    FeedState {
        feed,
        cluster: "default".to_owned(),
        checkpoint: Some(FeedCheckpoint::Log(Box::new(checkpoint))),
        status: FeedStatus::from_json(status.to_string().as_bytes()),
        dead_letters: Some(DeadLetterCounts::default()),
        faults: Vec::new(),
    }
}

fn overview(feeds: Vec<FeedState>) -> Overview {
    let delay = SignedDuration::from_mins(45);
    let feeds = feeds.into_iter().map(|feed| FeedOverview::of(feed, delay, now())).collect();
    Overview::of(feeds, Vec::new(), now())
}

#[test]
fn a_feed_that_is_up_to_date_is_healthy() {
    let overview = overview(vec![feed("acme_hosted")]);
    assert_eq!((overview.health, overview.reasons.len()), (Health::Healthy, 0));
    let feed = &overview.feeds[0];
    assert_eq!((feed.lag_seconds, feed.waiting), (Some(12), 0));
    let totals = feed.last_24_hours;
    assert_eq!((totals.runs, totals.delivered, totals.repaired), (22, 2234, 5));
    let page = html(&overview);
    for shown in ["Everything that is due has arrived.", "acme_hosted-message", "12 s old", "2,234"]
    {
        assert!(page.contains(shown), "{shown}");
    }
}

#[test]
fn the_worst_feed_comes_first_with_its_reasons() {
    let mut failing = feed("zeta");
    failing.status = FeedStatus::from_json(
        br#"{"finished":"2026-11-20T12:46:00Z","outcome":"failed","code":"PPS2002","failure":"the Log API answered 401"}"#,
    );
    let mut degraded = feed("beta");
    degraded.dead_letters = Some(DeadLetterCounts { refused: 3, ..DeadLetterCounts::default() });
    let overview = overview(vec![feed("acme"), degraded, failing]);
    let names: Vec<&str> = overview.feeds.iter().map(|feed| feed.feed.as_str()).collect();
    assert_eq!(names, ["zeta-message", "beta-message", "acme-message"]);
    let reasons: Vec<_> =
        overview.reasons.iter().map(|it| (it.health, it.code.as_deref().unwrap())).collect();
    assert_eq!(reasons, [(Health::Failing, "PPS2002"), (Health::Degraded, "PPS4103")]);
    let page = html(&overview);
    assert!(page.contains("docs/errors.md#pps2002-"), "the code is a link");
    assert_eq!(page.matches("<details").count(), 3);
    assert_eq!(page.matches(" open>").count(), 2, "those that need a look are open");
}

#[test]
fn a_fault_in_the_settings_is_told_once() {
    let mut unusable = feed("acme");
    unusable.faults = vec![("PPS1001".to_owned(), "a setting is missing".to_owned())];
    unusable.status = FeedStatus::from_json(
        br#"{"finished":"2026-11-20T12:46:00Z","outcome":"failed","code":"PPS1001","failure":"a setting is missing"}"#,
    );
    let overview = overview(vec![unusable]);
    assert_eq!((overview.health, overview.reasons.len()), (Health::Failing, 1));
}

#[test]
fn lost_hours_of_the_last_days_are_named() {
    let mut with_losses = feed("acme");
    let Some(FeedCheckpoint::Log(checkpoint)) = &mut with_losses.checkpoint else {
        panic!("it has one");
    };
    checkpoint.lost = ["2026-11-01T00", "2026-11-20T02", "2026-11-20T04"]
        .map(|hour| hour.parse().unwrap())
        .into();
    let overview = overview(vec![with_losses]);
    assert_eq!(overview.health, Health::Degraded);
    let text = &overview.reasons[0].text;
    assert!(text.contains("2 h from 2026-11-20T02 to 2026-11-20T04 are lost"), "{text}");
}

#[test]
fn whatever_is_in_the_state_is_text_on_the_page() {
    let hostile = "</style><script>alert(1)</script>\"'&";
    let mut feed = feed(hostile);
    feed.cluster = hostile.to_owned();
    feed.faults = vec![(hostile.to_owned(), hostile.to_owned())];
    let status = feed.status.as_mut().unwrap();
    status.outcome = "failed".to_owned();
    (status.code, status.failure) = (Some(hostile.to_owned()), Some(hostile.to_owned()));
    let page = html(&overview(vec![feed]));
    assert!(!page.contains("<script"), "{page}");
    assert_eq!(page.matches("</style>").count(), 1);
    assert!(page.contains("&lt;script&gt;"));
}

#[test]
fn the_policy_allows_the_page_its_style_and_nothing_else() {
    let page = html(&overview(vec![feed("acme")]));
    let (_, rest) = page.split_once("<style>").unwrap();
    let (style, rest) = rest.split_once("</style>").unwrap();
    let hash = BASE64_STANDARD.encode(Sha256::digest(style));
    assert!(content_security_policy().contains(&format!("style-src 'sha256-{hash}'")));
    assert!(!rest.contains("<style") && !rest.contains("style=\""), "the policy forbids more");
    assert!(!page.contains("<script") && !page.contains("src="));
}

#[test]
fn without_feeds_the_page_says_what_is_wrong() {
    let faults = vec![("PPS1000".to_owned(), "3 settings\nPPS1001: x".to_owned())];
    let overview = Overview::of(Vec::new(), faults, now());
    assert_eq!(overview.health, Health::Failing);
    let page = html(&overview);
    assert!(page.contains("PPS1000</a>") && page.contains("There is nothing to show yet."));
}

#[test]
fn the_json_has_the_documented_members() {
    let overview = overview(vec![feed("acme_hosted")]);
    let json: serde_json::Value = serde_json::from_str(&overview.to_json()).unwrap();
    assert_eq!(json["health"], "healthy");
    assert_eq!(json["feeds"][0]["completeness"].as_array().unwrap().len(), 168);
    let last_hours = &json["feeds"][0]["completeness"].as_array().unwrap()[155..];
    let expected = json!({"hour": "2026-11-20T00", "completeness": "proved"});
    assert_eq!(last_hours[0], expected);
    assert_eq!(last_hours[12]["completeness"], "open");
}
