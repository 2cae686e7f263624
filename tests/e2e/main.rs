//! Collections from end to end: real sessions with the simulated Log API, real posts to the
//! simulated workspace, real state.

#[expect(dead_code, reason = "other tests use more of it")]
#[path = "../support/azurite.rs"]
mod azurite;

mod delivery;
mod events;
mod fixture;
mod hours;
mod intact;
mod owners;
mod refusals;
mod samples;
mod sizes;
