//! Where rows go: which of the two APIs, and what it needs.

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use proofpoint_sentinel_core::secret::Secret;
use url::Url;

use super::identity::{AzureIdentity, Cloud};
use super::reader::{SettingsReader, quoted};

/// Where rows go.
#[derive(Clone, Debug)]
pub enum DestinationSettings {
    /// The Logs Ingestion API.
    LogsIngestion {
        /// Logs ingestion endpoint of the data collection rule, or a data collection endpoint.
        endpoint: Url,
        /// Immutable id of the rule, `dcr-` and 32 hexadecimal digits.
        dcr_immutable_id: String,
        /// Who posts.
        identity: AzureIdentity,
    },
    /// The HTTP Data Collector API.
    DataCollector {
        /// Workspace id, a GUID.
        workspace_id: String,
        /// Primary or secondary key of the workspace, base64.
        workspace_key: Secret,
        /// Such as `https://<workspace id>.ods.opinsights.azure.com`, without a path.
        uri: Url,
    },
}

pub(super) fn read(
    reader: &mut SettingsReader<'_>,
    identity: Option<AzureIdentity>,
    cloud: Cloud,
) -> Option<DestinationSettings> {
    let mut any = |names: [&str; 2]| names.iter().any(|name| reader.text(name).is_some());
    let ingestion = any(["LogsIngestionEndpoint", "DcrImmutableId"]);
    let collector = any(["WorkspaceID", "WorkspaceKey"]);
    match (reader.text("Destination"), ingestion, collector) {
        (Some("logs-ingestion"), _, _) | (None, true, false) => logs_ingestion(reader, identity),
        (Some("data-collector"), _, _) | (None, false, true) => data_collector(reader, cloud),
        (Some(other), _, _) => {
            reader.invalid("Destination", quoted(other), "logs-ingestion or data-collector");
            None
        }
        (None, true, true) => {
            reader.invalid(
                "Destination",
                "nothing, while both destinations have settings",
                "logs-ingestion or data-collector",
            );
            None
        }
        (None, false, false) => {
            reader.missing(
                "LogsIngestionEndpoint and DcrImmutableId, or WorkspaceID and WorkspaceKey",
                "the settings of one destination",
            );
            None
        }
    }
}

fn logs_ingestion(
    reader: &mut SettingsReader<'_>,
    identity: Option<AzureIdentity>,
) -> Option<DestinationSettings> {
    let endpoint = "LogsIngestionEndpoint";
    let expected = "the logs ingestion endpoint of the data collection rule, https://...";
    let endpoint = reader
        .required(endpoint, expected)
        .and_then(|text| reader.base_url(endpoint, text, "https"));
    let id = "DcrImmutableId";
    let expected = "the rule's immutable id: dcr- and 32 hexadecimal digits";
    let id = reader.required(id, expected).and_then(|text| {
        let valid = text.strip_prefix("dcr-").is_some_and(|digits| {
            digits.len() == 32 && digits.bytes().all(|byte| byte.is_ascii_hexdigit())
        });
        if !valid {
            reader.invalid(id, quoted(text), expected);
        }
        valid.then_some(text)
    });
    Some(DestinationSettings::LogsIngestion {
        endpoint: endpoint?,
        dcr_immutable_id: id?.to_owned(),
        identity: identity?,
    })
}

fn data_collector(reader: &mut SettingsReader<'_>, cloud: Cloud) -> Option<DestinationSettings> {
    let id = "WorkspaceID";
    let expected = "the workspace id, a GUID";
    let id = reader.required(id, expected).and_then(|text| {
        let valid = is_guid(text);
        if !valid {
            reader.invalid(id, quoted(text), expected);
        }
        valid.then_some(text)
    });
    let key = "WorkspaceKey";
    let expected = "the workspace's primary or secondary key, base64";
    let key = reader.secret(key, expected).and_then(|secret| {
        let valid = BASE64_STANDARD.decode(secret.reveal()).is_ok_and(|bytes| !bytes.is_empty());
        if !valid {
            reader.invalid(key, "a text that is not base64", expected);
        }
        valid.then_some(secret)
    });
    let uri = "logAnalyticsUri";
    let uri = match (reader.text(uri), id) {
        (Some(text), _) => reader.base_url(uri, text, "https"),
        (None, Some(id)) => {
            let domain = match cloud {
                Cloud::Public => "ods.opinsights.azure.com",
                Cloud::UsGovernment => "ods.opinsights.azure.us",
                Cloud::China => "ods.opinsights.azure.cn",
            };
            reader.base_url(uri, &format!("https://{id}.{domain}"), "https")
        }
        (None, None) => None,
    };
    Some(DestinationSettings::DataCollector {
        workspace_id: id?.to_owned(),
        workspace_key: key?,
        uri: uri?,
    })
}

fn is_guid(text: &str) -> bool {
    let groups: Vec<&str> = text.split('-').collect();
    let lengths: Vec<usize> = groups.iter().map(|group| group.len()).collect();
    lengths == [8, 4, 4, 4, 12]
        && groups.iter().all(|group| group.bytes().all(|byte| byte.is_ascii_hexdigit()))
}
