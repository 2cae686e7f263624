//! The message by which the timer asks for work on one feed, as it lies in the queue.
//!
//! It is JSON: `{"version":1,"feed":"acme_hosted-message","planned":"2026-11-20T10:45:00Z"}`. The
//! Functions host copies its members over those that describe the message, so none of them is called
//! like one of these, such as `id`.

use jiff::Timestamp;
use proofpoint_sentinel_core::feed::{Feed, NotAFeed};
use serde::{Deserialize, Serialize};

use crate::error_code::{self, Coded, ErrorCode};

/// The version that this program writes and reads.
const VERSION: u32 = 1;

/// Asks for work on a feed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FeedMessage {
    /// The feed.
    pub feed: Feed,
    /// When it was planned: the work is done if a run has done it since. `None` asks for work whatever
    /// was done before.
    pub planned: Option<Timestamp>,
}

/// The message is none that this program knows.
#[derive(Debug, thiserror::Error)]
pub enum BadFeedMessage {
    /// It is not JSON, or lacks something.
    #[error("a message of the queue is not JSON with version and feed: {0}")]
    Unreadable(#[from] serde_json::Error),
    /// A later release wrote it.
    #[error("a message of the queue has version {0}; this release reads version {VERSION}")]
    Version(u32),
    /// It names no feed.
    #[error("a message of the queue names no feed: {0}")]
    Feed(#[from] NotAFeed),
}

impl Coded for BadFeedMessage {
    fn code(&self) -> ErrorCode {
        error_code::FEED_MESSAGE
    }
}

#[derive(Deserialize)]
struct Header {
    version: u32,
}

#[derive(Deserialize, Serialize)]
struct Body {
    version: u32,
    feed: String,
    #[serde(default)]
    planned: Option<Timestamp>,
}

impl FeedMessage {
    /// Reads what [`to_json`](Self::to_json) writes.
    pub fn from_json(text: &str) -> Result<FeedMessage, BadFeedMessage> {
        let Header { version } = serde_json::from_str(text)?;
        if version != VERSION {
            return Err(BadFeedMessage::Version(version));
        }
        let Body { feed, planned, .. } = serde_json::from_str(text)?;
        Ok(FeedMessage { feed: feed.parse()?, planned })
    }

    /// The message as a JSON object. The Functions host changes texts, but not objects.
    pub fn to_json(&self) -> serde_json::Value {
        let body = Body { version: VERSION, feed: self.feed.to_string(), planned: self.planned };
        serde_json::to_value(body).expect("its members have texts for keys")
    }
}

#[cfg(test)]
mod tests {
    use proofpoint_sentinel_core::feed::EventType;
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn a_message_is_read_back(account in "\\PC{1,20}", seconds in 0..4_000_000_000_i64) {
            let planned = Timestamp::from_second(seconds).ok().filter(|_| seconds % 3 > 0);
            for feed in [Feed::tap(&account), Feed::log(&account, EventType::Audit)] {
                let message = FeedMessage { feed, planned };
                // The host indents it.
                let text = serde_json::to_string_pretty(&message.to_json()).unwrap();
                prop_assert_eq!(FeedMessage::from_json(&text).unwrap(), message);
            }
        }

        #[test]
        fn no_text_panics(text in "\\PC{0,60}") {
            let _ = FeedMessage::from_json(&text);
        }
    }

    #[test]
    fn a_message_that_is_not_known_says_why() {
        let cases = [
            ("", "is not JSON"),
            ("plain text", "is not JSON"),
            ("aGVsbG8=", "is not JSON"),
            ("True", "is not JSON"),
            ("42", "is not JSON"),
            ("[\n  \"a\",\n  \"b\"\n]", "is not JSON"),
            (r#"{"feed":"acme-message"}"#, "missing field `version`"),
            (r#"{"version":1}"#, "missing field `feed`"),
            (r#"{"version":2,"unit":"x"}"#, "has version 2; this release reads version 1"),
            (r#"{"version":1,"feed":"acme"}"#, "names no feed: `acme`"),
            (r#"{"version":1,"feed":"acme-message","planned":"soon"}"#, "is not JSON"),
        ];
        for (text, expected) in cases {
            let error = FeedMessage::from_json(text).unwrap_err().to_string();
            assert!(error.contains(expected), "{text}: {error}");
        }
    }

    #[test]
    fn a_message_needs_no_time_and_may_have_more() {
        let text = r#"{"version":1,"feed":"acme-message","later":[1]}"#;
        let expected = FeedMessage { feed: "acme-message".parse().unwrap(), planned: None };
        assert_eq!(FeedMessage::from_json(text).unwrap(), expected);
    }
}
