//! The commands.

pub mod collect;
pub mod deadletter;
pub mod demo;
pub mod serve;
pub mod simulate;

mod logging;
mod signals;

/// Any error, for the terminal.
type Failure = Box<dyn std::error::Error + Send + Sync>;
