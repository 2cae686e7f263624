//! The Logs Ingestion API: rows go to a stream of a data collection rule, compressed, with a token.

pub(super) mod classify;
pub(super) mod config;
pub(super) mod request;
pub(super) mod token;

#[cfg(test)]
mod tests;
