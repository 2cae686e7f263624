//! Brings Proofpoint on Demand logs into Microsoft Sentinel. See `ARCHITECTURE.md` for the way of
//! an event through these modules; [`collect`] is where to start reading.

pub mod clock;
pub mod collect;
pub mod feed;
#[cfg(any(test, fuzzing))]
pub mod fuzz;
pub mod host;
pub mod hour;
pub mod identity;
pub mod net;
pub mod pod;
pub mod proxy;
pub mod report;
pub mod retry;
pub mod row;
pub mod secret;
pub mod settings;
pub mod simulator;
pub mod state;
pub mod workspace;
