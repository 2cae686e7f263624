//! `ProofpointClusterID` and `ProofpointToken`, once or with suffixes.

use std::collections::BTreeSet;

use proofpoint_sentinel_core::secret::Secret;

use super::reader::{SettingsReader, quoted};

/// A Proofpoint on Demand cluster and the token that opens its log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cluster {
    /// The suffix of its settings' names (`emea` of `ProofpointClusterID_emea`), `default` where
    /// there is none.
    pub name: String,
    /// The cluster id, such as `acme_hosted`.
    pub id: String,
    /// The bearer token.
    pub token: Secret,
}

const ID: &str = "ProofpointClusterID";
const TOKEN: &str = "ProofpointToken";

pub(super) fn read(reader: &mut SettingsReader<'_>) -> Option<Vec<Cluster>> {
    let suffixes: BTreeSet<&str> = [ID, TOKEN]
        .into_iter()
        .flat_map(|prefix| {
            reader.names_with(prefix).filter_map(move |name| {
                let suffix = &name[prefix.len()..];
                (suffix.is_empty() || (suffix.starts_with('_') && suffix.len() > 1))
                    .then_some(suffix)
            })
        })
        .collect();
    if suffixes.is_empty() {
        reader.missing(
            format!("{ID} and {TOKEN}"),
            "a cluster id such as acme_hosted and its PoD Logging token",
        );
        return None;
    }
    let clusters: Vec<Option<Cluster>> =
        suffixes.into_iter().map(|suffix| cluster(reader, suffix)).collect();
    let clusters: Vec<Cluster> = clusters.into_iter().collect::<Option<_>>()?;
    for (position, cluster) in clusters.iter().enumerate() {
        if clusters[..position].iter().any(|other| other.id == cluster.id) {
            reader.invalid(
                format!("{ID} of cluster {}", cluster.name),
                quoted(&cluster.id),
                "each cluster id once",
            );
        }
    }
    Some(clusters)
}

fn cluster(reader: &mut SettingsReader<'_>, suffix: &str) -> Option<Cluster> {
    let id_name = format!("{ID}{suffix}");
    let token_name = format!("{TOKEN}{suffix}");
    let id = reader.required(&id_name, "a cluster id such as acme_hosted").and_then(|id| {
        let whole = !id.contains(|c: char| c.is_whitespace() || c.is_control());
        if !whole {
            reader.invalid(&id_name, quoted(id), "a cluster id without blanks");
        }
        whole.then_some(id)
    });
    let expected = "the cluster's PoD Logging token";
    let token = reader.secret(&token_name, expected).and_then(|token| {
        let sendable = token.reveal().bytes().all(|byte| byte.is_ascii_graphic());
        if !sendable {
            let found = "a text with blanks, line ends or characters beyond ASCII";
            reader.invalid(&token_name, found, expected);
        }
        sendable.then_some(token)
    });
    let name = suffix.strip_prefix('_').unwrap_or("default").to_owned();
    Some(Cluster { name, id: id?.to_owned(), token: token? })
}
