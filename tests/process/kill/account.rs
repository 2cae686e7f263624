//! What has arrived, event by event.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use proofpoint_sentinel_core::feed::Feed;

/// How many batches of a feed are under way at once.
const UNDER_WAY: usize = 4;

/// How many names a failure shows.
const SHOWN: usize = 10;

/// Which posts came of which handler: one handler after the other posts.
#[derive(Default)]
pub(crate) struct Lives(Vec<u64>);

impl Lives {
    /// A handler begins to work. The one before it is dead, and `posts` were accepted so far.
    pub(crate) fn begin(&mut self, posts: u64) {
        self.0.push(posts);
    }

    /// The handler that the post with this number, counted from 1, came of.
    fn of(&self, post: u64) -> usize {
        self.0.partition_point(|before| *before < post)
    }
}

/// What came of the events.
#[derive(Default)]
pub(crate) struct Account {
    pub kills: usize,
    pub events: usize,
    /// Rows beyond the first of their event.
    pub duplicates: usize,
    /// Posts that were accepted and not remembered, as the duplicates of their rows tell.
    pub forgotten_posts: usize,
    /// Kills that cost such posts.
    pub costly_kills: usize,
    /// Sessions refused, since the one of a handler that was killed counted as alive.
    pub refusals: u64,
}

impl Account {
    pub(crate) fn add(&mut self, other: &Account) {
        self.kills += other.kills;
        self.events += other.events;
        self.duplicates += other.duplicates;
        self.forgotten_posts += other.forgotten_posts;
        self.costly_kills += other.costly_kills;
        self.refusals += other.refusals;
    }
}

/// The rows of a feed by their ids: the posts that brought them, in order.
pub(crate) type Arrived = BTreeMap<String, Vec<u64>>;

/// Settles the account of a feed with these ids: each arrived, no other did, and those that
/// came again had been under way when a handler was killed. Gives those posts by handler.
pub(crate) fn forgotten(
    feed: &Feed,
    ids: &BTreeSet<String>,
    arrived: &Arrived,
    lives: &Lives,
) -> BTreeMap<usize, BTreeSet<u64>> {
    let missing: Vec<&String> = ids.iter().filter(|id| !arrived.contains_key(*id)).collect();
    assert!(missing.is_empty(), "{feed}: {} events are missing: {}", missing.len(), some(&missing));
    let made_up: Vec<&String> = arrived.keys().filter(|id| !ids.contains(*id)).collect();
    assert!(made_up.is_empty(), "{feed}: nobody sent {}", some(&made_up));

    let mut forgotten: BTreeMap<usize, BTreeSet<u64>> = BTreeMap::new();
    for (id, posts) in arrived {
        for pair in posts.windows(2) {
            let (life, next) = (lives.of(pair[0]), lives.of(pair[1]));
            assert!(life < next, "{feed}: one handler delivered `{id}` twice, in posts {pair:?}");
            forgotten.entry(life).or_default().insert(pair[0]);
        }
    }
    for (life, posts) in &forgotten {
        assert!(
            posts.len() <= UNDER_WAY,
            "{feed}: handler {life} was killed and its posts {posts:?} were made again"
        );
    }
    forgotten
}

fn some(ids: &[&String]) -> String {
    let shown: Vec<&str> = ids.iter().take(SHOWN).map(|id| id.as_str()).collect();
    let more = if ids.len() > SHOWN { ", ..." } else { "" };
    shown.join(", ") + more
}

impl fmt::Display for Account {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Account { kills, events, duplicates, forgotten_posts, costly_kills, refusals } = self;
        write!(
            f,
            "{kills} kills, {events} events, none missing, {duplicates} duplicates of {forgotten_posts} posts under way at {costly_kills} kills, {refusals} sessions refused"
        )
    }
}
