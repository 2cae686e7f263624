//! Objects in a container of Azure Blob storage.

mod append;
mod begun;
mod connection_string;
mod container;
mod error;
mod lease;
mod names;
mod open;
mod read_write;
mod shared_key;

pub use connection_string::ConnectionStringError;
pub(super) use container::BlobObjects;
pub use error::BlobError;
pub(super) use lease::{BlobLease, Renewal};
