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
