//! What outlives a run: who owns a feed, what of it is done, and what could not be delivered.
//!
//! It lies in a container of Azure Blob storage, or in a directory:
//!
//! | name | what |
//! |---|---|
//! | `leases/<feed>` | empty; its lease (or lock) is the ownership of the feed |
//! | `checkpoints/<feed>.json` | the feed's [`Checkpoint`] |
//! | `ledger/<feed>/<hour>/<written>-<run>.<arrival>.ids` | the [`EventId`]s of events of that hour that are accounted for and arrived in one way, as one run wrote them within one hour |
//! | `status/<feed>.json` | what the last run says of the feed, for humans and programs to read |
//! | `dead-letters/<reason>/<feed>/<hash>.json` | a [`DeadLetter`] each |
//! | `warnings/<code>` | when a warning that comes once a day came last |
//! | `checks/<random>`, `checks/<random>.lease` | what the command `check` writes and deletes again |

mod blob;
mod checkpoint;
mod checkpoint_format;
mod checkpoints;
mod dead_letter;
mod dead_letters;
mod directory;
mod error;
mod event_id;
mod hour_counts;
mod hour_ids;
mod hour_row;
mod lease;
mod ledger;
mod object;
mod objects;
mod recorded_end;
mod refusals;
mod store;
mod try_out;

pub use blob::{BlobError, ConnectionStringError};
pub use checkpoint::{Checkpoint, Hold, HourAttempt, HourRange, LiveMark};
pub use checkpoint_format::CheckpointFormat;
pub use dead_letter::{DeadLetter, DeadLetterReason, NotADeadLetter, NotAReason, StoredDeadLetter};
pub use dead_letters::{DeadLetterName, NotADeadLetterName};
pub use directory::DirectoryError;
pub use error::StateError;
pub use event_id::EventId;
pub use hour_counts::{Arrival, HourCounts, LedgerPart};
pub use hour_ids::HourIds;
pub use hour_row::{
    Completeness, HourRow, MAX_WAITING, add_hour_row, check_hour_rows, forget_hour_rows,
};
pub use lease::{Lease, LeaseTimes};
pub use ledger::RecordedHour;
#[cfg(any(test, fuzzing))]
pub(crate) use ledger::records as ledger_records;
pub use object::{ObjectError, Version};
pub use recorded_end::RecordedEnd;
pub use refusals::{Refusals, Suspect};
pub use store::State;

#[cfg(test)]
mod tests;
