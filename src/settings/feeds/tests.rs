use super::*;
use crate::settings::Vars;

fn settings(more: &[(&str, &str)]) -> Settings {
    let common = [
        ("WorkspaceID", "11111111-1111-1111-1111-111111111111"),
        ("WorkspaceKey", "c2VjcmV0"),
        ("StateStorage", "file:///state"),
    ];
    let vars = common.iter().chain(more).map(|(name, value)| (name.to_string(), value.to_string()));
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
