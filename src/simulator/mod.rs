//! Stand-ins for everything the connector talks to.

pub mod certificates;
pub mod identity;
pub mod mail;
pub mod pod;
mod serve;
mod watched;
pub mod workspace;
