//! What the simulated Log API has seen.

use std::collections::BTreeMap;

use proofpoint_sentinel_core::feed::Feed;

/// Counts of the whole server.
#[derive(Clone, Debug, Default)]
pub struct PodCounters {
    /// By feed, for feeds that were ever asked for properly.
    pub feeds: BTreeMap<Feed, FeedCounters>,
    /// Refused requests by status, including those that named no feed.
    pub refused: BTreeMap<u16, u64>,
    /// Connections reset before TLS.
    pub resets: u64,
}

impl PodCounters {
    /// The counts of `feed`.
    pub fn feed(&self, feed: &Feed) -> FeedCounters {
        self.feeds.get(feed).copied().unwrap_or_default()
    }

    /// How many sessions are open, of all feeds.
    pub fn open(&self) -> u64 {
        self.feeds.values().map(|feed| feed.open).sum()
    }
}

/// Counts of one feed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct FeedCounters {
    /// Sessions opened.
    pub opened: u64,
    /// Sessions opened that were for a window of the archive.
    pub archive_opened: u64,
    /// Sessions opened that were live.
    pub live_opened: u64,
    /// Requests refused although they were well-formed: second sessions and scripted refusals.
    pub refused: u64,
    /// Sessions open now.
    pub open: u64,
    /// The most sessions that were ever open at once.
    pub most_open: u64,
    /// Frames with an event, handed to the connection.
    pub events_sent: u64,
    /// Those of them that live sessions sent.
    pub live_events_sent: u64,
    /// How often a live session looked for more and had sent all that had arrived.
    pub live_caught_up: u64,
    /// Sessions that the client ended, or agreed to end, with a close frame.
    pub closed: u64,
    /// Sessions that ended in any other way.
    pub dropped: u64,
    /// Pings of ours that the client answered with their payload.
    pub pongs: u64,
    /// Pings from the client.
    pub pings: u64,
}
