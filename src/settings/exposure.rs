//! Which settings are the app's, and whose values may be shown to people outside of the company.

use std::path::PathBuf;

use super::reader::Vars;

/// Choices and numbers. All other values may be secrets, or lead to someone's services.
const SHOWN: [&str; 28] = [
    "ProofpointSchedule",
    "ProofpointEventTypes",
    "ProofpointMode",
    "ProofpointLive",
    "ProofpointLiveQuietSeconds",
    "ProofpointInitialLookbackHours",
    "ProofpointArchiveDelayMinutes",
    "ProofpointEmptyHourRetryMinutes",
    "ProofpointSecondReadHours",
    "ProofpointConnectorTable",
    "ProofpointMessageText",
    "ProofpointScale",
    "ProofpointMemoryMB",
    "TapIntervalSeconds",
    "TapInitialLookbackHours",
    "TapThreatStatus",
    "Destination",
    "AZURE_CLOUD",
    "RUST_LOG",
    "NO_COLOR",
    "WEBSITE_SKU",
    "WEBSITE_RUN_FROM_PACKAGE",
    "FUNCTIONS_EXTENSION_VERSION",
    "FUNCTIONS_WORKER_RUNTIME",
    "FUNCTIONS_CUSTOMHANDLER_PORT",
    "AzureWebJobs.ProofpointPOD.Disabled",
    "AzureWebJobs.ProofpointFeed.Disabled",
    "AzureWebJobs.ProofpointStatus.Disabled",
];

/// How the names of settings begin that concern the app.
const OF_THE_APP: [&str; 21] = [
    "Proofpoint",
    "Tap",
    "LogsIngestion",
    "Dcr",
    "Destination",
    "Workspace",
    "logAnalytics",
    "State",
    "AzureWebJobs",
    "AZURE_",
    "IDENTITY_",
    "MSI_",
    "APPLICATIONINSIGHTS_",
    "OTEL_",
    "FUNCTIONS_",
    "WEBSITE_",
    "SSL_CERT_FILE",
    "HTTPS_PROXY",
    "NO_PROXY",
    "RUST_LOG",
    "WEBSITES_",
];

/// Whether a setting concerns the app, and not only the machine.
pub fn is_of_the_app(name: &str) -> bool {
    let begins = |prefix: &str| {
        name.get(..prefix.len()).is_some_and(|start| start.eq_ignore_ascii_case(prefix))
    };
    OF_THE_APP.iter().any(|prefix| begins(prefix))
}

/// Whether the value of a setting may be shown to people outside of the company.
pub fn may_be_shown(name: &str) -> bool {
    !is_of_the_app(name) || SHOWN.iter().any(|shown| shown.eq_ignore_ascii_case(name))
}

/// Where the Functions host writes its log on the machine of a Function App.
pub fn log_folder(vars: &Vars) -> Option<PathBuf> {
    let home = vars.get("HOME").filter(|home| !home.is_empty())?;
    Some(PathBuf::from(home).join("LogFiles/Application/Functions/Host"))
}
