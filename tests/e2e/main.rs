//! Collections from end to end: real sessions with the simulated Log API, real posts to the
//! simulated workspace, real state.

#[expect(dead_code, reason = "other tests use more of it")]
#[path = "../support/azurite.rs"]
mod azurite;
#[path = "../support/proxy.rs"]
mod connect_proxy;
#[expect(dead_code, reason = "other tests use more of it")]
#[path = "../support/relay.rs"]
mod relay;

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
