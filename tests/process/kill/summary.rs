//! Checks which events were delivered, and counts the duplicates.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use proofpoint_sentinel_core::feed::Feed;

/// How many batches of a feed can be in flight at once.
const IN_FLIGHT: usize = 4;

/// How many ids a failure shows.
const SHOWN: usize = 10;

/// Which handler made which posts. Handlers run one after the other.
#[derive(Default)]
pub(crate) struct HandlerPosts(Vec<u64>);

impl HandlerPosts {
    /// A new handler starts. The one before it is dead; `posts` were accepted so far.
    pub(crate) fn start_handler(&mut self, posts: u64) {
        self.0.push(posts);
    }

    /// The handler that made the post with this number, counted from 1.
    fn handler_of(&self, post: u64) -> usize {
        self.0.partition_point(|before| *before < post)
    }
}

/// The result of one or more scenarios.
#[derive(Default)]
pub(crate) struct KillSummary {
    pub kills: usize,
    pub events: usize,
    /// Rows beyond the first of their event.
    pub duplicates: usize,
    /// Posts that were accepted but not recorded in the state, as the duplicates of their rows show.
    pub unrecorded_posts: usize,
    /// Kills that left such posts behind.
    pub costly_kills: usize,
    /// Sessions refused because the killed handler's session still counted as open.
    pub refusals: u64,
}

impl KillSummary {
    pub(crate) fn add(&mut self, other: &KillSummary) {
        self.kills += other.kills;
        self.events += other.events;
        self.duplicates += other.duplicates;
        self.unrecorded_posts += other.unrecorded_posts;
        self.costly_kills += other.costly_kills;
        self.refusals += other.refusals;
    }
}

/// For each event id of a feed, the posts that delivered it, in order.
pub(crate) type PostsByEvent = BTreeMap<String, Vec<u64>>;

/// Checks a feed whose events have these ids: each was delivered, no other was, and events that
/// were delivered again had been in flight when a handler was killed. Returns the posts that were
/// made again, by the handler that made them first.
pub(crate) fn unrecorded_posts(
    feed: &Feed,
    ids: &BTreeSet<String>,
    delivered: &PostsByEvent,
    handlers: &HandlerPosts,
) -> BTreeMap<usize, BTreeSet<u64>> {
    let missing: Vec<&String> = ids.iter().filter(|id| !delivered.contains_key(*id)).collect();
    assert!(missing.is_empty(), "{feed}: {} events are missing: {}", missing.len(), some(&missing));
    let unknown: Vec<&String> = delivered.keys().filter(|id| !ids.contains(*id)).collect();
    assert!(unknown.is_empty(), "{feed}: Proofpoint never sent {}", some(&unknown));

    let mut unrecorded: BTreeMap<usize, BTreeSet<u64>> = BTreeMap::new();
    for (id, posts) in delivered {
        for pair in posts.windows(2) {
            let (first, second) = (handlers.handler_of(pair[0]), handlers.handler_of(pair[1]));
            assert!(
                first < second,
                "{feed}: one handler delivered `{id}` twice, in posts {pair:?}"
            );
            unrecorded.entry(first).or_default().insert(pair[0]);
        }
    }
    for (handler, posts) in &unrecorded {
        assert!(
            posts.len() <= IN_FLIGHT,
            "{feed}: handler {handler} was killed and its posts {posts:?} were made again"
        );
    }
    unrecorded
}

fn some(ids: &[&String]) -> String {
    let shown: Vec<&str> = ids.iter().take(SHOWN).map(|id| id.as_str()).collect();
    let more = if ids.len() > SHOWN { ", ..." } else { "" };
    shown.join(", ") + more
}

impl fmt::Display for KillSummary {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let KillSummary { kills, events, duplicates, unrecorded_posts, costly_kills, refusals } =
            self;
        write!(
            f,
            "{kills} kills, {events} events, none missing, {duplicates} duplicates from {unrecorded_posts} posts in flight at {costly_kills} kills, {refusals} sessions refused"
        )
    }
}
