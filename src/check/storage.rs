//! The state: reached, and all that a run does with it done once.

use super::finding::{Finding, Mark};
use super::limit::in_time;
use crate::error_code;
use crate::net::Net;
use crate::settings::StateSettings;
use crate::state::State;

const CHECK: &str = "storage";

pub(super) async fn open(settings: &StateSettings, net: &Net) -> Result<State, Finding> {
    match in_time(State::open(settings, net)).await {
        Ok(Ok(state)) => Ok(state),
        Ok(Err(error)) => Err(Finding::failed(CHECK, "open", &error)),
        Err(late) => Err(too_late(late)),
    }
}

pub(super) async fn check(state: &State) -> Finding {
    match in_time(state.try_out()).await {
        Ok(Ok(())) => Finding::passed(CHECK, "lease, write, read, delete", "each works"),
        Ok(Err((step, error))) => Finding::failed(CHECK, step, &error),
        Err(late) => too_late(late),
    }
}

fn too_late(late: String) -> Finding {
    let finding = Finding::new(CHECK, "open", Mark::Failed, late);
    finding.with_code(error_code::STORAGE_OUT_OF_TIME)
}
