//! The connector without a Functions host: a process that works on all feeds until it is told to stop.
//!
//! Each feed has rounds of its own, so that one that is far behind keeps no other waiting. Processes
//! that have the same settings share the feeds by their leases: whoever finds a feed free works on it,
//! and the feeds of a process that died are free when their leases have run out.

mod metrics;
mod rounds;
mod web;

pub use rounds::{Options, Rounds};
pub use web::serve;
