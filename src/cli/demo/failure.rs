//! Why the demo failed.

/// Any error, for the terminal. The stand-ins have no codes.
pub(super) type Failure = Box<dyn std::error::Error + Send + Sync>;
