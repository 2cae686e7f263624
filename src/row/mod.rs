//! From the bytes of an event to the bytes of a row. Pure: no clock, no network, no storage.

pub mod tables;
