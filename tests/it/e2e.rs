//! Collections from end to end: real sessions with the simulated Log API, real posts to the
//! simulated workspace, real state.

mod clock;
mod delivery;
mod events;
mod faults;
mod fixture;
mod hours;
mod intact;
mod live;
mod owners;
mod proxy;
mod refusals;
mod samples;
mod sizes;
mod stolen;
mod storage;
mod week;
mod workspace;
