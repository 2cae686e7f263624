//! Stand-ins for everything the connector talks to.

pub mod mail;
