//! Brings Proofpoint on Demand logs into Microsoft Sentinel. See `ARCHITECTURE.md` for the way of
//! an event through these modules; [`collect`] is where to start reading.
#![cfg_attr(test, allow(clippy::disallowed_methods, reason = "tests may"))]

pub mod always_on;
pub mod check;
pub mod collect;
pub mod destination;
pub mod error_code;
pub mod feed_message;
#[cfg(any(test, fuzzing))]
pub mod fuzz;
pub mod host;
pub mod identity;
pub mod lease_scope;
pub mod net;
pub mod pod;
pub mod report;
pub mod retry;
pub mod row;
pub mod settings;
pub mod state;
pub mod status;
pub mod support;
pub mod tap;
mod tap_checkpoint;
pub mod telemetry;
mod text;
