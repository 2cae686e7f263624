//! The settings of all deployments: the program or the platform reads each of them.

use std::collections::BTreeSet;

use proofpoint_sentinel::settings::{Settings, Vars};

use crate::deployed::template::{all, vars};

/// Settings that the Functions host or the platform reads, according to their documentation.
const PLATFORM: [&str; 9] = [
    "APPLICATIONINSIGHTS_AUTHENTICATION_STRING",
    "APPLICATIONINSIGHTS_CONNECTION_STRING",
    "AzureWebJobsStorage__credential",
    "AzureWebJobsStorage__queueServiceUri",
    "AzureWebJobsStorage__tableServiceUri",
    "FUNCTIONS_EXTENSION_VERSION",
    "FUNCTIONS_WORKER_RUNTIME",
    "WEBSITE_RUN_FROM_PACKAGE",
    // Read through function.json.
    "ProofpointSchedule",
];

/// A value that is invalid for every setting.
const NONSENSE: &str = "no \u{7f} value";

/// A cluster and a TAP account.
const SOURCES: [(&str, &str); 4] = [
    ("ProofpointClusterID", "acme_hosted"),
    ("ProofpointToken", "token"),
    ("TapServicePrincipal", "principal"),
    ("TapSecret", "secret"),
];

/// The parsed settings, or the errors, as text.
fn read(vars: &Vars) -> String {
    match Settings::read(vars) {
        Ok(settings) => format!("{settings:?}"),
        Err(error) => format!("{error}"),
    }
}

#[test]
fn every_setting_is_read_by_the_program_or_else_by_the_platform() {
    let mut unread = BTreeSet::new();
    for deployed in all().iter().map(|deployment| vars(&deployment["environment"])) {
        // Settings of a source count only if there is one.
        let sources = SOURCES.map(|(name, value)| (name.to_owned(), value.to_owned()));
        let environment: Vars = sources.into_iter().chain(deployed.clone()).collect();
        let settled = read(&environment);
        for name in deployed.keys() {
            let mut other = environment.clone();
            other.insert(name.clone(), NONSENSE.to_owned());
            if read(&other) == settled {
                unread.insert(name.clone());
            }
        }
    }
    assert_eq!(unread, PLATFORM.map(str::to_owned).into());
}
