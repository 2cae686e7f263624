//! How this program names itself to its peers.

/// The value of `User-Agent`.
pub const PRODUCT: &str = concat!("proofpoint-sentinel/", env!("CARGO_PKG_VERSION"));
