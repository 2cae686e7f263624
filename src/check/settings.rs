//! Settings: each that can't be used, with where to set it.

use super::finding::{Finding, Mark};
use crate::error_code;
use crate::settings::{BadSetting, Settings, Vars};

const CHECK: &str = "settings";

pub(super) fn check(vars: &Vars) -> Vec<Finding> {
    let settings = match Settings::read(vars) {
        Ok(settings) => settings,
        Err(error) => return error.faults.iter().map(fault).collect(),
    };
    let source = &settings.source;
    let clusters: Vec<&str> = source.clusters.iter().map(|it| it.name.as_str()).collect();
    let types: Vec<&str> = source.event_types.iter().map(|it| it.as_str()).collect();
    let mut parts = Vec::new();
    if !clusters.is_empty() {
        parts.push(format!("clusters {}", clusters.join(", ")));
        parts.push(format!("event types {}", types.join(", ")));
    }
    let accounts = settings.tap.iter().flat_map(|tap| &tap.accounts);
    let accounts: Vec<&str> = accounts.map(|account| account.name.as_str()).collect();
    if !accounts.is_empty() {
        parts.push(format!("TAP accounts {}", accounts.join(", ")));
    }
    let text = parts.join("; ");
    let mut findings = vec![Finding::passed(CHECK, "all that are required", text)];
    let unusable = source.unusable_clusters.iter().flat_map(|cluster| &cluster.faults);
    findings.extend(unusable.map(fault));
    let unusable = settings.tap.iter().flat_map(|tap| &tap.unusable_accounts);
    findings.extend(unusable.flat_map(|account| &account.faults).map(fault));
    for name in &settings.unknown {
        let text = "the program knows no such setting, and it has no effect";
        let finding = Finding::new(CHECK, name, Mark::Attention, text);
        findings.push(finding.with_code(error_code::SETTING_UNKNOWN));
    }
    for notice in &settings.replaced {
        let finding = Finding::new(CHECK, "ProofpointMode", Mark::Attention, *notice);
        findings.push(finding.with_code(error_code::SETTING_REPLACED));
    }
    findings
}

fn fault(bad: &BadSetting) -> Finding {
    let is_reference = bad.code == error_code::SECRET_UNRESOLVED;
    let check = if is_reference { "key vault" } else { CHECK };
    let text = format!("found {}, expected {}", bad.found, bad.expected);
    Finding::new(check, &bad.setting, Mark::Failed, text).with_code(bad.code)
}
