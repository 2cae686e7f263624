//! What outlives a run: who owns a feed, what of it is done, and what could not be delivered.
//!
//! It lies in a container of Azure Blob storage, or in a directory:
//!
//! | name | what |
//! |---|---|
//! | `leases/<feed>` | empty; its lease (or lock) is the ownership of the feed |
//! | `checkpoints/<feed>.json` | the feed's [`Checkpoint`] |
//! | `ledger/<feed>/<hour>/<written>-<run>.ids` | the [`EventId`]s of delivered events of that hour, as one run wrote them within one hour |
//! | `status/<feed>.json` | what the last run says of the feed, for humans and programs to read |
//! | `dead-letters/<reason>/<feed>/<hash>.json` | a [`DeadLetter`] each |

mod blob;
mod checkpoint;
mod connection_string;
mod dead_letter;
mod dead_letters;
mod directory;
mod error;
mod hour_ids;
mod lease;
mod ledger;
mod objects;
mod shared_key;

use bytes::Bytes;
use proofpoint_sentinel_core::feed::Feed;

use crate::net::Net;
use crate::settings::StateSettings;

pub use checkpoint::{Checkpoint, HourAttempt, LiveMark};
pub use connection_string::ConnectionStringError;
pub use dead_letter::{DeadLetter, DeadLetterReason, NotADeadLetter, NotAReason, StoredDeadLetter};
pub use dead_letters::{DeadLetterName, NotADeadLetterName};
pub use error::StateError;
pub use hour_ids::{EventId, HourIds};
pub use lease::{Lease, LeaseTimes};
#[cfg(any(test, fuzzing))]
pub(crate) use ledger::records as ledger_records;
pub use objects::Version;

use blob::BlobObjects;
use directory::DirectoryObjects;
use objects::{Condition, Objects};

/// The state of all feeds. Cheap to clone.
#[derive(Clone, Debug)]
pub struct State {
    objects: Objects,
    lease_times: LeaseTimes,
}

impl State {
    /// Opens the container or directory, which is created on first use.
    ///
    /// # Errors
    /// Whatever would make later calls fail as well: a connection string that makes no sense, a
    /// storage account that can't be reached or refuses access, a directory that can't be written.
    pub async fn open(settings: &StateSettings, net: &Net) -> Result<State, StateError> {
        let objects = match settings {
            StateSettings::ConnectionString { connection_string, container } => Objects::Blob(
                BlobObjects::with_connection_string(connection_string, container, net).await?,
            ),
            StateSettings::Identity { blob_service_uri, container, identity } => Objects::Blob(
                BlobObjects::with_identity(blob_service_uri, container, identity, net).await?,
            ),
            StateSettings::Directory(path) => {
                Objects::Directory(DirectoryObjects::open(path).await?)
            }
        };
        Ok(State { objects, lease_times: LeaseTimes::default() })
    }

    /// The same state with other times for the leases that are taken from now on.
    pub fn with_lease_times(self, lease_times: LeaseTimes) -> State {
        State { lease_times, ..self }
    }

    /// Owns `feed` until the lease is released, dropped or lost.
    ///
    /// # Errors
    /// [`StateError::LeaseHeld`] where it has an owner, be it in this process.
    pub async fn lease(&self, feed: &Feed) -> Result<Lease, StateError> {
        self.objects.lease(&format!("leases/{feed}"), self.lease_times).await
    }

    /// What is done for `feed`, and what to name in the next write; `None` before the first one.
    ///
    /// # Errors
    /// [`StateError::Checkpoint`] where what is stored can't be trusted. It is never passed over:
    /// starting anew would read hours again without anybody having said so.
    pub async fn read_checkpoint(
        &self,
        feed: &Feed,
    ) -> Result<Option<(Checkpoint, Version)>, StateError> {
        let name = checkpoint_name(feed);
        let Some((bytes, version)) = self.objects.get(&name).await? else { return Ok(None) };
        match Checkpoint::from_json(&bytes, feed) {
            Ok(checkpoint) => Ok(Some((checkpoint, version))),
            Err(reason) => Err(StateError::Checkpoint { name, reason }),
        }
    }

    /// Writes what is done for `feed`, and tells the version for the next write.
    ///
    /// `over` is the version that must still be stored; `None` where none must be.
    ///
    /// # Errors
    /// [`StateError::Conflict`] where somebody else wrote in between. The checkpoint counts as
    /// written where the very same bytes are stored already, which `writer` and `sequence` make
    /// the caller's own.
    pub async fn write_checkpoint(
        &self,
        feed: &Feed,
        checkpoint: &Checkpoint,
        over: Option<&Version>,
    ) -> Result<Version, StateError> {
        let name = checkpoint_name(feed);
        let condition = over.map_or(Condition::Absent, Condition::Match);
        match checkpoint.to_json(feed) {
            Ok(json) => self.objects.put(&name, json.into(), condition).await,
            Err(reason) => Err(StateError::CheckpointNotWritten { name, reason }),
        }
    }

    /// Replaces what is said of `feed`, whoever said it. Nothing is decided by it.
    pub async fn write_status(&self, feed: &Feed, json: Bytes) -> Result<(), StateError> {
        self.objects.put(&status_name(feed), json, Condition::Any).await.map(drop)
    }

    /// What was said of `feed` last, as it was written; `None` where nothing was.
    pub async fn read_status(&self, feed: &Feed) -> Result<Option<Bytes>, StateError> {
        Ok(self.objects.get(&status_name(feed)).await?.map(|(json, _)| json))
    }
}

fn status_name(feed: &Feed) -> String {
    format!("status/{feed}.json")
}

fn checkpoint_name(feed: &Feed) -> String {
    format!("checkpoints/{feed}.json")
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use jiff::Timestamp;
    use proofpoint_sentinel_core::feed::EventType;
    use proofpoint_sentinel_core::hour::Hour;

    use super::*;

    async fn open(directory: &Path) -> State {
        let settings = StateSettings::Directory(directory.to_owned());
        State::open(&settings, &Net::new(None).unwrap()).await.unwrap()
    }

    fn feed() -> Feed {
        Feed { cluster_id: "a/b c%41+ü_hosted".to_owned(), event_type: EventType::Audit }
    }

    fn checkpoint(sequence: u64) -> Checkpoint {
        let now = "2026-11-20T10:46:00Z".parse().unwrap();
        let first = Checkpoint::starting_at(Hour::containing(now), &feed(), "run-1", now);
        Checkpoint { sequence, ..first }
    }

    #[tokio::test]
    async fn a_checkpoint_outlives_the_run_and_has_one_writer() {
        let directory = tempfile::tempdir().unwrap();
        let state = open(directory.path()).await;
        assert!(state.read_checkpoint(&feed()).await.unwrap().is_none());
        let version = state.write_checkpoint(&feed(), &checkpoint(1), None).await.unwrap();

        let next = open(directory.path()).await;
        let read = next.read_checkpoint(&feed()).await.unwrap();
        assert_eq!(read, Some((checkpoint(1), version.clone())));
        next.write_checkpoint(&feed(), &checkpoint(2), Some(&version)).await.unwrap();
        let late = state.write_checkpoint(&feed(), &checkpoint(3), Some(&version)).await;
        assert!(matches!(late, Err(StateError::Conflict { .. })));
    }

    #[tokio::test]
    async fn a_checkpoint_that_could_not_be_read_back_leaves_the_stored_one_alone() {
        let directory = tempfile::tempdir().unwrap();
        let state = open(directory.path()).await;
        let version = state.write_checkpoint(&feed(), &checkpoint(1), None).await.unwrap();
        let bad = Checkpoint { next_hour: checkpoint(2).next_hour.plus(1), ..checkpoint(2) };
        let refused = state.write_checkpoint(&feed(), &bad, Some(&version)).await;
        assert!(matches!(refused, Err(StateError::CheckpointNotWritten { .. })));
        assert!(state.read_checkpoint(&feed()).await.unwrap() == Some((checkpoint(1), version)));
    }

    #[tokio::test]
    async fn an_emptied_checkpoint_is_damaged_and_not_absent() {
        let directory = tempfile::tempdir().unwrap();
        let state = open(directory.path()).await;
        state.write_checkpoint(&feed(), &checkpoint(1), None).await.unwrap();
        std::fs::write(directory.path().join(checkpoint_name(&feed())), "").unwrap();
        let error = state.read_checkpoint(&feed()).await.unwrap_err();
        assert!(matches!(error, StateError::Checkpoint { .. }), "{error}");
    }

    #[tokio::test]
    async fn a_feed_has_one_owner_until_it_is_released() {
        let directory = tempfile::tempdir().unwrap();
        let (one, two) = (open(directory.path()).await, open(directory.path()).await);
        let lease = one.lease(&feed()).await.unwrap();
        let held = two.lease(&feed()).await;
        assert!(matches!(held, Err(StateError::LeaseHeld { .. })));
        lease.release().await.unwrap();
        drop(two.lease(&feed()).await.unwrap());
        one.lease(&feed()).await.unwrap();
    }

    #[tokio::test]
    async fn a_status_is_replaced_by_whoever_comes_last() {
        let directory = tempfile::tempdir().unwrap();
        let (one, two) = (open(directory.path()).await, open(directory.path()).await);
        assert_eq!(one.read_status(&feed()).await.unwrap(), None);
        for (state, json) in [(&one, "{}"), (&two, "{\"hours\": 1}"), (&one, "{}\n")] {
            state.write_status(&feed(), json.into()).await.unwrap();
            assert_eq!(two.read_status(&feed()).await.unwrap().unwrap(), json);
        }
        let stored = std::fs::read(directory.path().join(status_name(&feed()))).unwrap();
        assert_eq!(stored, b"{}\n");
    }

    #[tokio::test]
    async fn a_dead_letter_lies_where_its_name_says() {
        let directory = tempfile::tempdir().unwrap();
        let (feed, event) = (feed(), b"\xff\n");
        let reason = DeadLetterReason::Oversize;
        let letter =
            DeadLetter { reason, feed: &feed, detail: "", event, at: Timestamp::UNIX_EPOCH };
        let name = open(directory.path()).await.put_dead_letter(&letter).await.unwrap();
        let bytes = std::fs::read(directory.path().join(name)).unwrap();
        assert_eq!(DeadLetter::parse(&bytes).unwrap().event, event);
    }
}
