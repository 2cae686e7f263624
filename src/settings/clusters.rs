//! `ProofpointClusterID` and `ProofpointToken`, once or with suffixes.

use std::fmt;

use proofpoint_sentinel_core::secret::Secret;

use super::reader::{BadSetting, SettingsReader, quoted};
use super::suffixed::{name_of, suffixes};
use crate::error_code::ErrorCode;

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

/// A cluster whose own settings can't be used. Its `Display` is one line that names them all.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UnusableCluster {
    /// As of [`Cluster::name`].
    pub name: String,
    /// The cluster id, where it is known and no other cluster has it.
    pub id: Option<String>,
    /// At least one.
    pub faults: Vec<BadSetting>,
}

impl fmt::Display for UnusableCluster {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the settings of the cluster {} can't be used:", self.name)?;
        self.faults.iter().try_for_each(|fault| write!(f, " {fault}"))
    }
}

impl UnusableCluster {
    /// The code of the first fault.
    pub fn code(&self) -> ErrorCode {
        self.faults[0].code
    }
}

/// The clusters that are named in the settings, in the order of their names.
#[derive(Debug)]
pub(super) struct Clusters {
    /// Each id once.
    pub(super) usable: Vec<Cluster>,
    pub(super) unusable: Vec<UnusableCluster>,
}

const ID: &str = "ProofpointClusterID";
const TOKEN: &str = "ProofpointToken";

/// Reads all clusters, of which one at least is needed. What is wrong with one of them concerns it
/// alone, as long as another can be used. If none is named, the error says so, unless the settings
/// name another source, whose faults it has then.
pub(super) fn read(reader: &mut SettingsReader<'_>, has_other_source: bool) -> Option<Clusters> {
    let clusters = read_each(reader);
    if clusters.usable.is_empty() {
        if clusters.unusable.is_empty() && !has_other_source {
            reader.missing(
                format!("{ID} and {TOKEN}"),
                "a cluster id such as acme_hosted and its PoD Logging token, or TapServicePrincipal and TapSecret",
            );
        }
        reader.no_part_is_left();
        return None;
    }
    Some(clusters)
}

/// Reads all clusters, of which there may be none.
pub(super) fn read_each(reader: &mut SettingsReader<'_>) -> Clusters {
    let mut clusters = Clusters { usable: Vec::new(), unusable: Vec::new() };
    for suffix in suffixes(reader, [ID, TOKEN]) {
        let (parts, faults) = reader.part(|reader| cluster(reader, suffix, &clusters.usable));
        let name = name_of(suffix);
        match parts {
            (Some(id), Some(token)) => clusters.usable.push(Cluster { name, id, token }),
            (id, _) => clusters.unusable.push(UnusableCluster { name, id, faults }),
        }
    }
    clusters
}

/// Id and token, each where it can be used.
fn cluster(
    reader: &mut SettingsReader<'_>,
    suffix: &str,
    others: &[Cluster],
) -> (Option<String>, Option<Secret>) {
    let token = token(reader, &format!("{TOKEN}{suffix}"));
    let id_name = format!("{ID}{suffix}");
    let Some(id) = id(reader, &id_name) else {
        return (None, token);
    };
    if let Some(other) = others.iter().find(|other| other.id == id) {
        let found = format!("{}, which the cluster {} has", quoted(id), other.name);
        reader.invalid(id_name, found, "each cluster id once");
        return (None, token);
    }
    (Some(id.to_owned()), token)
}

fn id<'a>(reader: &mut SettingsReader<'a>, name: &str) -> Option<&'a str> {
    let id = reader.required(name, "a cluster id such as acme_hosted")?;
    if id.contains(|c: char| c.is_whitespace() || c.is_control() || matches!(c, '"' | '\'')) {
        reader.invalid(name, quoted(id), "a cluster id without blanks and quotation marks");
        return None;
    }
    Some(id)
}

fn token(reader: &mut SettingsReader<'_>, name: &str) -> Option<Secret> {
    let expected = "the cluster's PoD Logging token alone";
    let token = reader.secret(name, expected)?;
    let found = unsendable(token.reveal());
    if let Some(found) = found {
        reader.invalid(name, found, expected);
        return None;
    }
    Some(token)
}

/// What makes `token` none, in words that do not give it away.
fn unsendable(token: &str) -> Option<&'static str> {
    let scheme = token.split_ascii_whitespace().next().unwrap_or_default();
    if token.starts_with(['"', '\'']) || token.ends_with(['"', '\'']) {
        Some("a token in quotation marks")
    } else if scheme.eq_ignore_ascii_case("bearer") || scheme.eq_ignore_ascii_case("authorization:")
    {
        Some("a token after the word Bearer, which the program adds itself")
    } else if !token.bytes().all(|byte| byte.is_ascii_graphic()) {
        Some("a text with blanks, line ends or characters beyond ASCII")
    } else {
        None
    }
}
