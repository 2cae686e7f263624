//! Counters of the simulated Log API.

use std::collections::BTreeMap;

use proofpoint_sentinel_core::feed::Feed;

use crate::watch_cell::WatchCell;

/// Counters of the whole server.
#[derive(Clone, Debug, Default)]
pub struct PodCounters {
    /// By feed, for all feeds with a well-formed request.
    pub feeds: BTreeMap<Feed, FeedCounters>,
    /// Refused requests by status, including malformed ones.
    pub refused: BTreeMap<u16, u64>,
    /// Connections reset before TLS.
    pub resets: u64,
}

impl PodCounters {
    /// The counters of `feed`.
    pub fn feed(&self, feed: &Feed) -> FeedCounters {
        self.feeds.get(feed).copied().unwrap_or_default()
    }

    /// The number of open sessions of all feeds.
    pub fn open(&self) -> u64 {
        self.feeds.values().map(|feed| feed.open).sum()
    }
}

/// Counters of one feed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct FeedCounters {
    /// Sessions opened.
    pub opened: u64,
    /// Archive sessions opened.
    pub archive_opened: u64,
    /// Live sessions opened.
    pub live_opened: u64,
    /// Well-formed requests that were refused: second sessions and injected refusals.
    pub refused: u64,
    /// Sessions open now.
    pub open: u64,
    /// Live sessions that are open.
    pub live_open: u64,
    /// The maximum of `open` so far.
    pub most_open: u64,
    /// Frames with an event that were handed to the connection.
    pub events_sent: u64,
    /// Those of live sessions.
    pub live_events_sent: u64,
    /// How often a live session had sent all events that had arrived.
    pub live_caught_up: u64,
    /// Sessions in which the client sent a close frame.
    pub closed: u64,
    /// Sessions that ended in any other way.
    pub dropped: u64,
    /// Pings of the server that the client answered with the same payload.
    pub pongs: u64,
    /// Pings from the client.
    pub pings: u64,
}

/// Changes the counters of one feed.
pub(super) fn update_feed(
    counters: &WatchCell<PodCounters>,
    feed: &Feed,
    change: impl FnOnce(&mut FeedCounters),
) {
    counters.update(|all| match all.feeds.get_mut(feed) {
        Some(counters) => change(counters),
        None => change(all.feeds.entry(feed.clone()).or_default()),
    });
}
