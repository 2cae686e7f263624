//! What the connector and its stand-ins agree on: which feeds there are, the hours in which the
//! archive is read, the kinds of TAP records, the tables that rows go to, the wall clock, and secrets.
#![cfg_attr(test, allow(clippy::disallowed_methods, reason = "tests may"))]

pub mod clock;
pub mod feed;
pub mod hour;
pub mod secret;
pub mod tables;
pub mod tap_kind;
pub mod threat_status;
