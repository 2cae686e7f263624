//! Collections from end to end: real sessions with the simulated Log API, real posts to the
//! simulated workspace, real state.

mod check;
mod clock;
mod connector;
mod days;
mod delivery;
mod faults;
mod fixture;
mod hours;
mod lease_and_checkpoint;
mod live;
mod lost_lease;
mod many;
mod planned;
mod proxy;
mod refusals;
mod row_assertions;
mod samples;
mod sizes;
mod storage;
mod storage_operations;
mod tap;
mod test_events;
mod week;
mod workspace;
