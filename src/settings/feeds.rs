//! The feeds that settings name.

use std::collections::BTreeSet;

use proofpoint_sentinel_core::feed::{Feed, FeedType};

use super::Settings;

impl Settings {
    /// Each feed that is to be worked on, also those of clusters and accounts whose own settings can't
    /// be used, in order. A cluster whose id is not known has none.
    pub fn feeds(&self) -> BTreeSet<Feed> {
        let usable = self.source.clusters.iter().map(|cluster| &cluster.id);
        let unusable =
            self.source.unusable_clusters.iter().filter_map(|cluster| cluster.id.as_ref());
        let types = &self.source.event_types;
        let logs =
            usable.chain(unusable).flat_map(|id| types.iter().map(move |it| Feed::log(id, *it)));
        let accounts = self.tap.iter().flat_map(|tap| {
            let unusable = tap.unusable_accounts.iter().map(|account| &account.name);
            tap.accounts.iter().map(|account| &account.name).chain(unusable)
        });
        logs.chain(accounts.map(Feed::tap)).collect()
    }

    /// The same settings with nothing to work on but `feed`; `None` if they do not name it.
    pub fn narrowed_to(&self, feed: &Feed) -> Option<Settings> {
        if !self.feeds().contains(feed) {
            return None;
        }
        let mut narrowed = self.clone();
        let (source, account) = (&mut narrowed.source, &feed.account);
        match feed.feed_type {
            FeedType::Log(event_type) => {
                source.event_types = vec![event_type];
                source.clusters.retain(|cluster| cluster.id == *account);
                source.unusable_clusters.retain(|cluster| cluster.id.as_ref() == Some(account));
                narrowed.tap = None;
            }
            FeedType::Tap => {
                source.clusters.clear();
                source.unusable_clusters.clear();
                if let Some(tap) = &mut narrowed.tap {
                    tap.accounts.retain(|it| it.name == *account);
                    tap.unusable_accounts.retain(|it| it.name == *account);
                }
            }
        }
        Some(narrowed)
    }
}

#[cfg(test)]
mod tests;
