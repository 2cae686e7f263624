//! Dead letters: events that can't be delivered, kept whole with the reason.
//!
//! A dead letter is one line of JSON about the event, and after it the event's bytes as they came.

use std::fmt;
use std::str::FromStr;

use jiff::Timestamp;
use proofpoint_sentinel_core::feed::Feed;
use serde::{Deserialize, Serialize};

use super::object::sha256_hex;
use crate::error_code::{self, ErrorCode};

/// Why an event could not be delivered.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum DeadLetterReason {
    /// It is no event: not a JSON object, or too long to be taken in.
    Malformed,
    /// Its row is larger than the workspace takes, even after what may be left out was left out.
    Oversize,
    /// The workspace refused its row for good.
    Refused,
}

impl DeadLetterReason {
    /// The code of the message that tells of it.
    pub fn code(self) -> ErrorCode {
        match self {
            DeadLetterReason::Malformed => error_code::EVENT_MALFORMED,
            DeadLetterReason::Oversize => error_code::EVENT_OVERSIZE,
            DeadLetterReason::Refused => error_code::ROW_REFUSED,
        }
    }
}

impl fmt::Display for DeadLetterReason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            DeadLetterReason::Malformed => "malformed",
            DeadLetterReason::Oversize => "oversize",
            DeadLetterReason::Refused => "refused",
        })
    }
}

/// The text names no reason.
#[derive(Debug, thiserror::Error)]
#[error("`{0}` is not a reason of dead letters; the reasons are malformed, oversize and refused")]
pub struct NotAReason(String);

impl FromStr for DeadLetterReason {
    type Err = NotAReason;

    fn from_str(text: &str) -> Result<DeadLetterReason, NotAReason> {
        use DeadLetterReason::{Malformed, Oversize, Refused};
        [Malformed, Oversize, Refused]
            .into_iter()
            .find(|reason| reason.to_string() == text)
            .ok_or_else(|| NotAReason(text.to_owned()))
    }
}

/// An event that can't be delivered.
#[derive(Clone, Copy, Debug)]
pub struct DeadLetter<'a> {
    /// Why.
    pub reason: DeadLetterReason,
    /// Where it came from.
    pub feed: &'a Feed,
    /// The reason in words, for a person who opens the file.
    pub detail: &'a str,
    /// The event, exactly as received.
    pub event: &'a [u8],
    /// When it was given up.
    pub at: Timestamp,
}

/// A dead letter as it was stored.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoredDeadLetter {
    /// Why.
    pub reason: DeadLetterReason,
    /// Where it came from, as [`Feed`]'s `Display` writes it.
    pub feed: String,
    /// The reason in words.
    pub detail: String,
    /// The event, exactly as received.
    pub event: Vec<u8>,
    /// When it was given up.
    pub at: Timestamp,
}

/// The bytes are no dead letter, or not a whole one.
#[derive(Debug, thiserror::Error)]
pub enum NotADeadLetter {
    /// The first line does not say what a dead letter's first line says.
    #[error("it does not start with a line about an event: {0}")]
    Header(#[from] serde_json::Error),
    /// The line is there, and the event after it is another one or not whole.
    #[error("the event in it is not the one that its first line tells of: it was cut or changed")]
    Event,
    /// It is whole, and not the one that its name promises.
    #[error("it is the dead letter of another event, feed or reason: it was renamed")]
    Name,
}

/// The first line.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Header {
    reason: DeadLetterReason,
    feed: String,
    detail: String,
    at: Timestamp,
    bytes: u64,
    sha256: String,
}

impl DeadLetter<'_> {
    /// Depends on reason, feed and event only: the same event given up twice is one dead letter.
    pub(super) fn name(&self) -> String {
        let hash = &sha256_hex(self.event)[..32];
        format!("dead-letters/{}/{}/{hash}.json", self.reason, self.feed)
    }

    /// The bytes to store.
    pub(super) fn encode(&self) -> Vec<u8> {
        let header = Header {
            reason: self.reason,
            feed: self.feed.to_string(),
            detail: self.detail.to_owned(),
            at: self.at,
            bytes: self.event.len() as u64,
            sha256: sha256_hex(self.event),
        };
        let mut bytes = serde_json::to_vec(&header).expect("texts and numbers can be JSON");
        bytes.reserve_exact(1 + self.event.len());
        bytes.push(b'\n');
        bytes.extend_from_slice(self.event);
        bytes
    }

    /// Reads a stored dead letter, and makes sure that its event is whole.
    pub fn parse(bytes: &[u8]) -> Result<StoredDeadLetter, NotADeadLetter> {
        // JSON has no line ends within the line, so the first one ends it.
        let end = bytes.iter().position(|byte| *byte == b'\n').unwrap_or(bytes.len());
        let header: Header = serde_json::from_slice(&bytes[..end])?;
        let event = bytes.get(end + 1..).ok_or(NotADeadLetter::Event)?;
        if event.len() as u64 != header.bytes || sha256_hex(event) != header.sha256 {
            return Err(NotADeadLetter::Event);
        }
        let Header { reason, feed, detail, at, .. } = header;
        Ok(StoredDeadLetter { reason, feed, detail, event: event.to_vec(), at })
    }
}

#[cfg(test)]
mod tests {
    use proofpoint_sentinel_core::feed::EventType;
    use proptest::prelude::*;

    use super::*;

    fn feed(cluster_id: &str) -> Feed {
        Feed::log(cluster_id, EventType::Maillog)
    }

    fn letter<'a>(feed: &'a Feed, detail: &'a str, event: &'a [u8]) -> DeadLetter<'a> {
        let at = "2026-11-20T10:46:00.123Z".parse().unwrap();
        DeadLetter { reason: DeadLetterReason::Refused, feed, detail, event, at }
    }

    #[test]
    fn a_human_can_read_it() {
        let feed = feed("acme");
        let letter = letter(&feed, "400 InvalidPayload", b"{\"guid\":\"a\"}");
        let text = String::from_utf8(letter.encode()).unwrap();
        assert_eq!(
            text,
            "{\"reason\":\"refused\",\"feed\":\"acme-maillog\",\"detail\":\"400 InvalidPayload\",\
             \"at\":\"2026-11-20T10:46:00.123Z\",\"bytes\":12,\"sha256\":\
             \"42b9ac79c8a76e2b32bb0bbad4e6adfd910352d94318a8a48d9f68d6c635e96d\"}\n{\"guid\":\"a\"}"
        );
        assert!(letter.name().starts_with("dead-letters/refused/acme-maillog/"));
        assert!(letter.name().ends_with(".json"));
    }

    #[test]
    fn the_same_event_has_the_same_name_and_another_feed_another() {
        let (one, two) = (feed("one"), feed("two"));
        assert_eq!(letter(&one, "a", b"e").name(), letter(&one, "b", b"e").name());
        assert_ne!(letter(&one, "a", b"e").name(), letter(&two, "a", b"e").name());
        assert_ne!(letter(&one, "a", b"e").name(), letter(&one, "a", b"f").name());
    }

    proptest! {
        #[test]
        fn comes_back_as_it_went(
            event in proptest::collection::vec(any::<u8>(), 0..500),
            detail in any::<String>(),
            cluster_id in any::<String>(),
        ) {
            let feed = feed(&cluster_id);
            let letter = letter(&feed, &detail, &event);
            let stored = DeadLetter::parse(&letter.encode()).unwrap();
            prop_assert_eq!(&stored.event, &event);
            prop_assert_eq!(&stored.detail, &detail);
            prop_assert_eq!(stored.feed, feed.to_string());
            prop_assert_eq!((stored.reason, stored.at), (letter.reason, letter.at));
        }

        #[test]
        fn neither_a_cut_nor_an_addition_goes_unseen(
            event in proptest::collection::vec(any::<u8>(), 1..100),
            cut in any::<prop::sample::Index>(),
        ) {
            let feed = feed("acme");
            let mut bytes = letter(&feed, "", &event).encode();
            prop_assert!(DeadLetter::parse(&bytes[..cut.index(bytes.len())]).is_err());
            bytes.push(b'\n');
            prop_assert!(DeadLetter::parse(&bytes).is_err());
        }
    }
}
