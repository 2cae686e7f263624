//! What has arrived of a feed, and whether the ledger knew it when its handler was dead.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use futures_util::future::join_all;
use jiff::Timestamp;
use proofpoint_sentinel::feed::Feed;
use proofpoint_sentinel::hour::Hour;
use proofpoint_sentinel::simulator::workspace::Workspace;
use proofpoint_sentinel::state::EventId;
use serde::Deserialize;

use crate::storage::Storage;

/// How many batches of a feed are under way at once.
const UNDER_WAY: usize = 4;

/// How many names a failure shows.
const SHOWN: usize = 10;

/// The books of a feed, kept from one handler to the next.
pub struct Books {
    feed: Feed,
    table: String,
    /// Rows that were entered.
    rows: usize,
    /// The ids of the rows, and whether they were remembered when their handler was dead.
    events: HashMap<String, bool>,
    /// Rows whose event had arrived before.
    pub duplicates: usize,
}

impl Books {
    /// The books of `feed`, whose rows go to `table`.
    pub fn new(feed: Feed, table: String) -> Books {
        Books { feed, table, rows: 0, events: HashMap::new(), duplicates: 0 }
    }

    pub fn feed(&self) -> &Feed {
        &self.feed
    }

    /// Enters what a handler that is dead has delivered: nothing that had been remembered before
    /// it, and no event twice. Says how many of its posts were accepted and not remembered, which
    /// are no more than can be under way.
    pub async fn enter(&mut self, workspace: &Workspace, storage: &Storage) -> usize {
        let feed = &self.feed;
        let mut delivered: BTreeMap<String, u64> = BTreeMap::new();
        for (post, row) in workspace.rows_with_posts(&self.table).split_off(self.rows) {
            self.rows += 1;
            let id = id(&row);
            match self.events.get(&id) {
                Some(true) => panic!("{feed}: `{id}` was remembered, and came again"),
                Some(false) => self.duplicates += 1,
                None => {}
            }
            if let Some(before) = delivered.insert(id.clone(), post) {
                panic!("{feed}: one handler delivered `{id}` twice, in posts {before} and {post}");
            }
        }
        let remembered = self.remembered(delivered.keys(), storage).await;
        let mut forgotten = BTreeSet::new();
        for (id, post) in delivered {
            let is_remembered = remembered.contains(&id);
            if !is_remembered {
                forgotten.insert(post);
            }
            self.events.insert(id, is_remembered);
        }
        assert!(
            forgotten.len() <= UNDER_WAY,
            "{feed}: the posts {forgotten:?} were accepted and not remembered"
        );
        forgotten.len()
    }

    /// Those of `ids` that the ledger has.
    async fn remembered(
        &self,
        ids: impl Iterator<Item = &String>,
        storage: &Storage,
    ) -> BTreeSet<String> {
        let mut hours: BTreeMap<Hour, Vec<&String>> = BTreeMap::new();
        for id in ids {
            hours.entry(Hour::containing(time(id))).or_default().push(id);
        }
        let known = hours.into_iter().map(async |(hour, ids)| {
            let ledger = storage.ledger(&self.feed, hour).await;
            ids.into_iter().filter(|id| ledger.contains(event_id(id))).cloned().collect::<Vec<_>>()
        });
        join_all(known).await.into_iter().flatten().collect()
    }

    /// Closes the books: all of `sent` has arrived, and nothing else.
    pub fn close(&self, sent: &BTreeSet<String>) {
        let feed = &self.feed;
        let missing: Vec<_> = sent.iter().filter(|id| !self.events.contains_key(*id)).collect();
        let shown = &missing[..missing.len().min(SHOWN)];
        assert!(missing.is_empty(), "{feed}: {} events are missing: {shown:?}", missing.len());
        assert_eq!(self.events.len(), sent.len(), "{feed}: events that nobody sent");
    }
}

/// The id of a row, which is called differently in the tables.
fn id(row: &str) -> String {
    #[derive(Deserialize)]
    struct Row {
        #[serde(alias = "guid")]
        id: String,
    }
    let row: Row = serde_json::from_str(row).expect("it has an id");
    row.id
}

/// The second of an event's time, which is the second word of its id.
fn time(id: &str) -> Timestamp {
    let word = id.split(' ').nth(1).expect("it has a time");
    word.parse().expect("it is a time")
}

/// What the ledger knows an event by.
fn event_id(id: &str) -> EventId {
    EventId::of(&format!("{id}\n{}", time(id).as_second()))
}
