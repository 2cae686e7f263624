//! The TAP account of the demo.

use std::io;

use jiff::Timestamp;
use proofpoint_sentinel_core::feed::Feed;
use proofpoint_sentinel_core::hour::Hour;
use proofpoint_sentinel_simulator::tap::TapRecord;
use proofpoint_sentinel_simulator::{Simulation, TAP_PRINCIPAL};
use serde::Deserialize;

use super::directory::DemoDirectory;
use super::failure::Failure;

/// The longest look-back in hours. A record can belong to mail of days before, so that each hour of
/// records takes the mail of a week to generate.
pub(super) const MAX_LOOKBACK: i64 = 24;

/// The account's feed. Its settings have no suffix.
pub(super) fn feed() -> Feed {
    Feed::tap("default")
}

/// The records that were created from `first` up to the end of `last`.
pub(super) fn records(simulation: &Simulation, first: Hour, last: Hour) -> Vec<TapRecord> {
    let window = first.start()..last.end();
    let tap = simulation.tap.as_ref();
    tap.map_or_else(Vec::new, |tap| tap.records(TAP_PRINCIPAL, &window, Timestamp::now()))
}

/// What is read of the account's checkpoint.
#[derive(Deserialize)]
struct Checkpoint {
    progress: Progress,
}

#[derive(Deserialize)]
struct Progress {
    settled: Hours,
    false_positives: Option<Hours>,
}

#[derive(Deserialize)]
struct Hours {
    next: Hour,
    unfinished: Vec<Unfinished>,
}

#[derive(Deserialize)]
struct Unfinished {
    hour: Hour,
}

impl Hours {
    fn done_before(&self) -> Hour {
        self.unfinished.first().map_or(self.next, |unfinished| unfinished.hour)
    }
}

/// The first hour that is not done, if there is a checkpoint.
pub(super) fn next_hour(directory: &DemoDirectory) -> Result<Option<Hour>, Failure> {
    let path = directory.state().join(format!("checkpoints/{}.json", feed()));
    let json = match std::fs::read(path) {
        Ok(json) => json,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(error.into()),
    };
    let Checkpoint { progress } = serde_json::from_slice(&json)?;
    let settled = progress.settled.done_before();
    Ok(Some(progress.false_positives.map_or(settled, |hours| hours.done_before().min(settled))))
}
