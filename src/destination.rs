//! The workspace as a destination: rows are packed into batches, batches are posted to Log
//! Analytics, and each row comes back delivered, refused or held.
//!
//! Two services take rows. The Logs Ingestion API is the one to use; the HTTP Data Collector API
//! is retired but still takes rows from those who have nothing else. They differ in limits
//! ([`Limits`]), in how a post is made (`logs_ingestion`, `data_collector`) and in what their
//! answers mean (`verdict`); the rest is shared.

mod answer;
mod batch;
mod data_collector;
mod deliver;
mod gate;
mod logs_ingestion;
mod post;
mod signature;
mod token;
mod verdict;

#[cfg(test)]
mod fakes;

pub use answer::Answer;
pub use batch::{Batch, Limits, Packer, RowTooLong};
pub use deliver::{Delivery, Destination, DestinationError, Held, Refused};
pub use signature::{KeyError, Signer};
pub use token::TokenError;
pub use verdict::{HeldReason, RowRefusal};
