//! The end points of the SIEM API, and the kinds of record that each returns.

use std::fmt;

/// A kind of record. Each has an array of its own in the answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum RecordKind {
    /// A delivered message with a threat.
    MessagesDelivered,
    /// A message that was blocked because of a threat.
    MessagesBlocked,
    /// A click that led to a threat.
    ClicksPermitted,
    /// A click that was stopped.
    ClicksBlocked,
}

impl RecordKind {
    /// All kinds, in the order of their arrays.
    pub const ALL: [RecordKind; 4] = [
        RecordKind::MessagesDelivered,
        RecordKind::MessagesBlocked,
        RecordKind::ClicksPermitted,
        RecordKind::ClicksBlocked,
    ];

    /// The name of its array.
    pub fn as_str(self) -> &'static str {
        match self {
            RecordKind::MessagesDelivered => "messagesDelivered",
            RecordKind::MessagesBlocked => "messagesBlocked",
            RecordKind::ClicksPermitted => "clicksPermitted",
            RecordKind::ClicksBlocked => "clicksBlocked",
        }
    }

    /// Whether its records are clicks, and not messages.
    pub fn is_click(self) -> bool {
        matches!(self, RecordKind::ClicksPermitted | RecordKind::ClicksBlocked)
    }
}

impl fmt::Display for RecordKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// A pool of calls. The calls of a credential are counted in each pool apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum CallPool {
    /// Of all end points but `clicks/permitted`.
    Shared,
    /// Of `clicks/permitted`.
    PermittedClicks,
}

/// An end point of the SIEM API.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Endpoint {
    /// All four kinds.
    All,
    /// What reached users: delivered messages and permitted clicks.
    Issues,
    /// One kind.
    One(RecordKind),
}

impl Endpoint {
    /// All end points.
    pub const ALL: [Endpoint; 6] = [
        Endpoint::All,
        Endpoint::Issues,
        Endpoint::One(RecordKind::MessagesDelivered),
        Endpoint::One(RecordKind::MessagesBlocked),
        Endpoint::One(RecordKind::ClicksPermitted),
        Endpoint::One(RecordKind::ClicksBlocked),
    ];

    /// Its path.
    pub fn path(self) -> &'static str {
        match self {
            Endpoint::All => "/v2/siem/all",
            Endpoint::Issues => "/v2/siem/issues",
            Endpoint::One(RecordKind::MessagesDelivered) => "/v2/siem/messages/delivered",
            Endpoint::One(RecordKind::MessagesBlocked) => "/v2/siem/messages/blocked",
            Endpoint::One(RecordKind::ClicksPermitted) => "/v2/siem/clicks/permitted",
            Endpoint::One(RecordKind::ClicksBlocked) => "/v2/siem/clicks/blocked",
        }
    }

    /// The end point at `path`.
    pub(super) fn at(path: &str) -> Option<Endpoint> {
        Endpoint::ALL.into_iter().find(|endpoint| endpoint.path() == path)
    }

    /// The kinds that it returns, in the order of their arrays.
    pub fn kinds(self) -> impl Iterator<Item = RecordKind> {
        RecordKind::ALL.into_iter().filter(move |kind| match self {
            Endpoint::All => true,
            Endpoint::Issues => {
                matches!(kind, RecordKind::MessagesDelivered | RecordKind::ClicksPermitted)
            }
            Endpoint::One(own) => own == *kind,
        })
    }

    /// The pool that its calls are counted in.
    pub fn pool(self) -> CallPool {
        match self {
            Endpoint::One(RecordKind::ClicksPermitted) => CallPool::PermittedClicks,
            _ => CallPool::Shared,
        }
    }
}
