//! What is collected: event types of clusters.

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

/// One cluster × one event type: what has a session, a lease and a checkpoint of its own.
///
/// Written `acme_hosted-message`, from the cluster id (not from the name that settings give the
/// cluster), so that renaming a setting's suffix does not start the feed anew. The text is safe in
/// a blob's name and a file's name: characters outside `[A-Za-z0-9._]` of the cluster id are
/// percent-encoded.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Feed {
    /// The cluster id, as Proofpoint gave it.
    pub cluster_id: String,
    /// What is read from it.
    pub event_type: EventType,
}

impl fmt::Display for Feed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for byte in self.cluster_id.bytes() {
            match byte {
                b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'.' | b'_' => {
                    write!(f, "{}", byte as char)?;
                }
                other => write!(f, "%{other:02X}")?,
            }
        }
        write!(f, "-{}", self.event_type)
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
            let (cluster_id, event_type) = text.rsplit_once('-')?;
            let event_type = event_type.parse().ok()?;
            Some(Feed { cluster_id: percent_decoded(cluster_id)?, event_type })
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
        assert_eq!(feed, Feed { cluster_id: "a/b\u{fc}".to_owned(), event_type: EventType::Audit });
    }

    proptest! {
        #[test]
        fn comes_back_from_its_text(
            cluster_id in any::<String>(),
            event_type in prop::sample::select(EventType::ALL.to_vec()),
        ) {
            let feed = Feed { cluster_id, event_type };
            prop_assert_eq!(feed.to_string().parse::<Feed>().unwrap(), feed);
        }

        #[test]
        fn no_other_text_is_taken_and_none_panics(
            text in prop_oneof![any::<String>(), "[a%2F\u{fc}-]{0,8}-(message|Audit)"],
        ) {
            if let Ok(feed) = text.parse::<Feed>() {
                prop_assert_eq!(feed.to_string(), text);
            }
        }
    }
}
