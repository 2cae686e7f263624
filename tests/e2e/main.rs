//! Collections from end to end: real sessions with the simulated Log API, real posts to the
//! simulated workspace, real state.

mod delivery;
mod events;
mod fixture;
mod hours;
mod intact;
mod owners;
mod refusals;
mod samples;
mod sizes;
