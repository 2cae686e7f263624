//! host.json, against the plan on which the app runs.

use std::path::Path;
use std::time::Duration;

use super::finding::{Finding, Mark};
use crate::host::RunBudget;
use crate::settings::{Vars, plan};

const CHECK: &str = "host.json";

/// The longest `functionTimeout` of the Consumption plan. The host does not start with a longer one.
const LONGEST_ON_CONSUMPTION: Duration = Duration::from_secs(600);

pub(super) fn check(app_root: Option<&Path>, vars: &Vars) -> Finding {
    let Some(root) = app_root else {
        let text = "there is no host.json here, so this is not the folder of the app";
        return Finding::skipped(CHECK, "functionTimeout", text);
    };
    let limit = match RunBudget::from_host_json(root) {
        Ok(budget) => budget.limit,
        Err(error) => return Finding::failed(CHECK, "functionTimeout", &error),
    };
    let minutes = limit.as_secs().div_ceil(60);
    let plan = plan(vars);
    let text = match plan {
        Some(plan) => format!("{minutes} min on the plan {plan}"),
        None => format!("{minutes} min"),
    };
    if plan == Some("Dynamic") && limit > LONGEST_ON_CONSUMPTION {
        let text = format!("{text}, which allows 10 min: the Functions host does not start");
        let remedy = "Set functionTimeout in host.json to 00:10:00, or change the plan.";
        return Finding::new(CHECK, "functionTimeout", Mark::Failed, text).with_remedy(remedy);
    }
    Finding::passed(CHECK, "functionTimeout", text)
}
