//! The HTTP Data Collector API: rows go to a log type of a workspace, signed with the workspace's
//! key. The API is retired, and here for those who have nothing else.

pub(super) mod classify;
pub(super) mod config;
pub(super) mod request;
pub(super) mod signature;

#[cfg(test)]
mod tests;
