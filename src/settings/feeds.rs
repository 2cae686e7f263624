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
mod tests {
    use super::*;
    use crate::settings::Vars;

    fn settings(more: &[(&str, &str)]) -> Settings {
        let common = [
            ("WorkspaceID", "11111111-1111-1111-1111-111111111111"),
            ("WorkspaceKey", "c2VjcmV0"),
            ("StateStorage", "file:///state"),
        ];
        let vars =
            common.iter().chain(more).map(|(name, value)| (name.to_string(), value.to_string()));
        Settings::read(&vars.collect::<Vars>()).unwrap()
    }

    const TWO_CLUSTERS_AND_TAP: &[(&str, &str)] = &[
        ("ProofpointClusterID_one", "acme"),
        ("ProofpointToken_one", "t"),
        ("ProofpointClusterID_two", "emea"),
        ("ProofpointClusterID_three", "bad"),
        ("ProofpointToken_two", "t"),
        ("TapServicePrincipal", "p"),
        ("TapSecret", "s"),
        ("TapServicePrincipal_two", "p"),
    ];

    #[test]
    fn feeds_of_usable_and_unusable_accounts_are_named() {
        let feeds = settings(TWO_CLUSTERS_AND_TAP).feeds();
        let feeds: Vec<String> = feeds.iter().map(Feed::to_string).collect();
        let expected = [
            "acme-message",
            "acme-maillog",
            "bad-message",
            "bad-maillog",
            "default-tap",
            "emea-message",
            "emea-maillog",
            "two-tap",
        ];
        assert_eq!(feeds, expected);
    }

    #[test]
    fn settings_of_a_feed_name_it_alone() {
        let settings = settings(TWO_CLUSTERS_AND_TAP);
        for feed in settings.feeds() {
            let narrowed = settings.narrowed_to(&feed).unwrap();
            assert_eq!(narrowed.feeds(), [feed.clone()].into(), "{feed}");
            let counted = narrowed.source.clusters.len()
                + narrowed.source.unusable_clusters.len()
                + narrowed.tap.iter().map(|tap| tap.accounts.len()).sum::<usize>()
                + narrowed.tap.iter().map(|tap| tap.unusable_accounts.len()).sum::<usize>();
            assert_eq!(counted, 1, "{feed}");
        }
        for text in ["acme-audit", "acme-tap", "other-message"] {
            assert!(settings.narrowed_to(&text.parse().unwrap()).is_none(), "{text}");
        }
    }
}
