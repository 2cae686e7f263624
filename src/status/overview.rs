//! What the operator sees of all feeds.

use jiff::Timestamp;
use serde::Serialize;

use super::feed_overview::FeedOverview;
use super::health::{Health, Reason, worst};

/// The version of the document. Fields may be added without another one.
const VERSION: u32 = 1;

/// What the operator sees of all feeds. As JSON it is the document beside the page.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Overview {
    /// The version of the document.
    pub version: u32,
    /// The version of the program.
    pub program: &'static str,
    /// When it was made.
    pub generated: Timestamp,
    /// How well the worst feed is.
    pub health: Health,
    /// All that is not well, the worst first.
    pub reasons: Vec<Reason>,
    /// The feeds, the worst first.
    pub feeds: Vec<FeedOverview>,
}

impl Overview {
    /// Of feeds, and of faults that concern more than one of them: code and text of each.
    pub(super) fn of(
        mut feeds: Vec<FeedOverview>,
        faults: Vec<(String, String)>,
        now: Timestamp,
    ) -> Overview {
        feeds.sort_by(|a, b| b.health.cmp(&a.health).then_with(|| a.feed.cmp(&b.feed)));
        let shared = faults.into_iter().map(|(code, text)| Reason {
            health: Health::Failing,
            feed: None,
            code: Some(code),
            text,
        });
        let mut reasons: Vec<Reason> =
            shared.chain(feeds.iter().flat_map(|feed| feed.reasons.clone())).collect();
        reasons.sort_by_key(|reason| std::cmp::Reverse(reason.health));
        Overview {
            version: VERSION,
            program: env!("CARGO_PKG_VERSION"),
            generated: now,
            health: worst(&reasons),
            reasons,
            feeds,
        }
    }

    /// The first fault that concerns more than one feed, such as storage that can't be reached.
    pub fn shared_fault(&self) -> Option<&str> {
        self.reasons.iter().find(|reason| reason.feed.is_none()).map(|reason| &*reason.text)
    }

    /// The JSON document.
    pub fn to_json(&self) -> String {
        let mut json = serde_json::to_string_pretty(self).expect("all its keys are texts");
        json.push('\n');
        json
    }
}
