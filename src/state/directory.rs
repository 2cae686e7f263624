//! Objects in a directory: one file each, written whole or not at all, or appended to.
#![expect(clippy::disallowed_methods, reason = "all of it runs in `spawn_blocking`")]

mod append;
mod error;
#[cfg(all(test, target_os = "linux"))]
mod faults;
mod names;
mod read_write;
mod replace;
mod root;

pub use error::DirectoryError;
pub(super) use root::DirectoryObjects;
