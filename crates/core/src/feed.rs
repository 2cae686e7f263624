//! What is collected: event types of clusters, and the records of TAP.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// The kinds of event that the Log API streams, named as its `type` parameter names them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum EventType {
    /// One event per message that the filter processed.
    Message,
    /// One event per line of the mail transfer agent's log.
    Maillog,
    /// One event per action in the administration console.
    Audit,
}

impl EventType {
    /// All of them, in the order in which they are named to the user.
    pub const ALL: [EventType; 3] = [EventType::Message, EventType::Maillog, EventType::Audit];

    /// The name, as in the `type` parameter and in settings.
    pub fn as_str(self) -> &'static str {
        match self {
            EventType::Message => "message",
            EventType::Maillog => "maillog",
            EventType::Audit => "audit",
        }
    }
}

impl fmt::Display for EventType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// The text names no event type.
#[derive(Debug, thiserror::Error)]
#[error("`{0}` is not an event type; there are message, maillog and audit")]
pub struct NotAnEventType(String);

impl FromStr for EventType {
    type Err = NotAnEventType;

    fn from_str(text: &str) -> Result<EventType, NotAnEventType> {
        EventType::ALL
            .into_iter()
            .find(|event_type| event_type.as_str().eq_ignore_ascii_case(text))
            .ok_or_else(|| NotAnEventType(text.to_owned()))
    }
}

/// What a feed brings.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum FeedType {
    /// Events of one type, from the Log API.
    Log(EventType),
    /// Records of Targeted Attack Protection.
    Tap,
}

/// What its feeds are called.
const TAP: &str = "tap";

impl fmt::Display for FeedType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            FeedType::Log(event_type) => event_type.fmt(f),
            FeedType::Tap => f.write_str(TAP),
        }
    }
}

/// The text names nothing that a feed brings.
#[derive(Debug, thiserror::Error)]
#[error("`{0}` is not a type of feed; there are message, maillog, audit and tap")]
pub struct NotAFeedType(String);

impl FromStr for FeedType {
    type Err = NotAFeedType;

    fn from_str(text: &str) -> Result<FeedType, NotAFeedType> {
        if text.eq_ignore_ascii_case(TAP) {
            return Ok(FeedType::Tap);
        }
        let event_type = text.parse().map_err(|_| NotAFeedType(text.to_owned()))?;
        Ok(FeedType::Log(event_type))
    }
}

/// What has a lease and a checkpoint of its own: one event type of a cluster, or the records of a TAP
/// account.
///
/// Written `acme_hosted-message`, from the cluster id (not from the name that settings give the
/// cluster), so that renaming a setting's suffix does not start the feed anew. A TAP account has no id
/// besides its credential, so its name in the settings stands there: `default-tap`. The text is safe in
/// a blob's name and a file's name: characters outside `[A-Za-z0-9._]` are percent-encoded.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Feed {
    /// The cluster id, as Proofpoint gave it, or the name of the TAP account.
    pub account: String,
    /// What is read from it.
    pub feed_type: FeedType,
}

impl Feed {
    /// The feed of one event type of a cluster.
    pub fn log(cluster_id: impl Into<String>, event_type: EventType) -> Feed {
        Feed { account: cluster_id.into(), feed_type: FeedType::Log(event_type) }
    }

    /// The feed of a TAP account.
    pub fn tap(name: impl Into<String>) -> Feed {
        Feed { account: name.into(), feed_type: FeedType::Tap }
    }

    /// The event type; `None` for TAP.
    pub fn event_type(&self) -> Option<EventType> {
        match self.feed_type {
            FeedType::Log(event_type) => Some(event_type),
            FeedType::Tap => None,
        }
    }
}

impl fmt::Display for Feed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for byte in self.account.bytes() {
            match byte {
                b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'.' | b'_' => {
                    write!(f, "{}", byte as char)?;
                }
                other => write!(f, "%{other:02X}")?,
            }
        }
        write!(f, "-{}", self.feed_type)
    }
}

/// The text is not what a feed's `Display` writes.
#[derive(Debug, thiserror::Error)]
#[error("`{0}` is not a feed; one is written acme_hosted-message")]
pub struct NotAFeed(String);

impl FromStr for Feed {
    type Err = NotAFeed;

    /// Takes exactly what `Display` writes: a feed has one text.
    fn from_str(text: &str) -> Result<Feed, NotAFeed> {
        let parsed = || {
            let (account, feed_type) = text.rsplit_once('-')?;
            Some(Feed { account: percent_decoded(account)?, feed_type: feed_type.parse().ok()? })
        };
        parsed().filter(|feed| feed.to_string() == text).ok_or_else(|| NotAFeed(text.to_owned()))
    }
}

fn percent_decoded(text: &str) -> Option<String> {
    let mut parts = text.split('%');
    let mut bytes = parts.next()?.as_bytes().to_vec();
    for part in parts {
        let (digits, rest) = part.split_at_checked(2)?;
        bytes.push(u8::from_str_radix(digits, 16).ok()?);
        bytes.extend_from_slice(rest.as_bytes());
    }
    String::from_utf8(bytes).ok()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_feed_has_one_text() {
        for text in [
            "",
            "acme",
            "acme-mail",
            "acme-Message",
            "acme-Tap",
            "a-b-message",
            "a/b-message",
            "%61-message",
            "%2f-message",
            "%2-message",
            "%+1-message",
            "%FF-message",
        ] {
            assert!(text.parse::<Feed>().is_err(), "{text}");
        }
        let feed: Feed = "a%2Fb%C3%BC-audit".parse().unwrap();
        assert_eq!(feed, Feed::log("a/b\u{fc}", EventType::Audit));
        assert_eq!("emea-tap".parse::<Feed>().unwrap(), Feed::tap("emea"));
    }

    proptest! {
        #[test]
        fn comes_back_from_its_text(
            account in any::<String>(),
            feed_type in prop::sample::select(vec![FeedType::Log(EventType::Maillog), FeedType::Tap]),
        ) {
            let feed = Feed { account, feed_type };
            prop_assert_eq!(feed.to_string().parse::<Feed>().unwrap(), feed);
        }

        #[test]
        fn no_other_text_is_taken_and_none_panics(
            text in prop_oneof![any::<String>(), "[a%2F\u{fc}-]{0,8}-(message|Audit|tap)"],
        ) {
            if let Ok(feed) = text.parse::<Feed>() {
                prop_assert_eq!(feed.to_string(), text);
            }
        }
    }
}
