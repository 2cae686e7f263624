//! The settings of the simulated workspace.

use std::path::PathBuf;

use proofpoint_sentinel_core::clock::Clock;
use proofpoint_sentinel_core::secret::Secret;

use crate::identity::IssuedTokens;

/// Where accepted rows are stored.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RowStorage {
    /// In memory, for [`Workspace::rows`](super::Workspace::rows).
    Memory,
    /// In `<directory>/<table>.ndjson`. The directory must exist.
    Directory(PathBuf),
    /// Nowhere. Rows are counted but not checked, which is much faster.
    CountOnly,
}

/// The settings of the simulated workspace.
#[derive(Clone, Debug)]
pub struct WorkspaceSettings {
    /// Determines the age of a signature and the time of receipt.
    pub clock: Clock,
    /// Where accepted rows are stored.
    pub row_storage: RowStorage,
    /// The tokens that the Logs Ingestion API accepts.
    pub tokens: IssuedTokens,
    /// The required audience of these tokens.
    pub audience: String,
    /// The immutable id of the one data collection rule.
    pub dcr_immutable_id: String,
    /// The workspace id, for the Data Collector API.
    pub workspace_id: String,
    /// The workspace key in base64, for the Data Collector API.
    pub workspace_key: Secret,
}

impl WorkspaceSettings {
    /// A workspace of the public cloud with invented ids.
    pub fn new(clock: Clock, tokens: IssuedTokens) -> WorkspaceSettings {
        WorkspaceSettings {
            clock,
            row_storage: RowStorage::Memory,
            tokens,
            audience: "https://monitor.azure.com".to_owned(),
            dcr_immutable_id: "dcr-0123456789abcdef0123456789abcdef".to_owned(),
            workspace_id: "55555555-0000-4000-8000-000000000005".to_owned(),
            workspace_key: Secret::new("c2ltdWxhdGVkIHdvcmtzcGFjZSBrZXkgb2YgMzIgYg=="),
        }
    }
}
