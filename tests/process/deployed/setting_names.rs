//! The names of all settings of all deployments: somebody reads each of them.

use std::collections::BTreeSet;

use proofpoint_sentinel::settings::{Settings, Vars};

use crate::deployed::template::{all, vars};

/// What the Functions host and the platform read, and the program does not, by their documentation.
const PLATFORM: [&str; 9] = [
    "APPLICATIONINSIGHTS_AUTHENTICATION_STRING",
    "APPLICATIONINSIGHTS_CONNECTION_STRING",
    "AzureWebJobsStorage__credential",
    "AzureWebJobsStorage__queueServiceUri",
    "AzureWebJobsStorage__tableServiceUri",
    "FUNCTIONS_EXTENSION_VERSION",
    "FUNCTIONS_WORKER_RUNTIME",
    "WEBSITE_RUN_FROM_PACKAGE",
    // By function.json.
    "ProofpointSchedule",
];

/// Nothing that takes a choice, an address, an id, a number or a secret takes this.
const NONSENSE: &str = "no \u{7f} value";

/// What the program makes of its settings, with what it complains about.
fn read(vars: &Vars) -> String {
    match Settings::read(vars) {
        Ok(settings) => format!("{settings:?}"),
        Err(error) => format!("{error}"),
    }
}

#[test]
fn every_setting_is_read_by_the_program_or_else_by_the_platform() {
    let mut unread = BTreeSet::new();
    for environment in all().iter().map(|deployment| vars(&deployment["environment"])) {
        let settled = read(&environment);
        for name in environment.keys() {
            let mut other = environment.clone();
            other.insert(name.clone(), NONSENSE.to_owned());
            if read(&other) == settled {
                unread.insert(name.clone());
            }
        }
    }
    assert_eq!(unread, PLATFORM.map(str::to_owned).into());
}
