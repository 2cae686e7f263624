//! The end points of the SIEM API.

use proofpoint_sentinel_core::tap_kind::TapKind;

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
    One(TapKind),
}

impl Endpoint {
    /// All end points.
    pub const ALL: [Endpoint; 6] = [
        Endpoint::All,
        Endpoint::Issues,
        Endpoint::One(TapKind::MessagesDelivered),
        Endpoint::One(TapKind::MessagesBlocked),
        Endpoint::One(TapKind::ClicksPermitted),
        Endpoint::One(TapKind::ClicksBlocked),
    ];

    /// Its path.
    pub fn path(self) -> &'static str {
        match self {
            Endpoint::All => "/v2/siem/all",
            Endpoint::Issues => "/v2/siem/issues",
            Endpoint::One(TapKind::MessagesDelivered) => "/v2/siem/messages/delivered",
            Endpoint::One(TapKind::MessagesBlocked) => "/v2/siem/messages/blocked",
            Endpoint::One(TapKind::ClicksPermitted) => "/v2/siem/clicks/permitted",
            Endpoint::One(TapKind::ClicksBlocked) => "/v2/siem/clicks/blocked",
        }
    }

    /// The end point at `path`.
    pub(super) fn at(path: &str) -> Option<Endpoint> {
        Endpoint::ALL.into_iter().find(|endpoint| endpoint.path() == path)
    }

    /// The kinds that it returns, in the order of their arrays.
    pub fn kinds(self) -> impl Iterator<Item = TapKind> {
        TapKind::ALL.into_iter().filter(move |kind| match self {
            Endpoint::All => true,
            Endpoint::Issues => {
                matches!(kind, TapKind::MessagesDelivered | TapKind::ClicksPermitted)
            }
            Endpoint::One(own) => own == *kind,
        })
    }

    /// The pool that its calls are counted in.
    pub fn pool(self) -> CallPool {
        match self {
            Endpoint::One(TapKind::ClicksPermitted) => CallPool::PermittedClicks,
            _ => CallPool::Shared,
        }
    }
}
