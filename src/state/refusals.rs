//! Rows that the workspace refused and that are not given up, as a checkpoint records them.

use serde::{Deserialize, Serialize};

use super::event_id::EventId;

/// Rows that were refused, in an order that needs no clock: each acceptance and each refusal of rows
/// is one step.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Refusals {
    /// How many steps there were.
    pub clock: u64,
    /// The last step in which the table took rows; 0 if it never did.
    pub accepted: u64,
    /// The rows, each once.
    pub suspects: Vec<Suspect>,
}

/// A row that was refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Suspect {
    /// Its event.
    pub id: EventId,
    /// The step of its first refusal.
    pub refused: u64,
}
