//! The commands.

pub mod collect;
pub mod demo;
pub mod serve;
pub mod simulate;

mod logging;
mod signals;
