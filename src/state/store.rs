//! The state, opened: who owns a feed, and what is said of it.

use bytes::Bytes;
use jiff::{SignedDuration, Timestamp};
use proofpoint_sentinel_core::feed::Feed;

use super::blob::BlobObjects;
use super::directory::DirectoryObjects;
use super::error::StateError;
use super::lease::{Lease, LeaseTimes};
use super::object::Condition;
use super::objects::Objects;
use crate::error_code::ErrorCode;
use crate::net::Net;
use crate::settings::StateSettings;

/// The state of all feeds. Cheap to clone.
#[derive(Clone, Debug)]
pub struct State {
    pub(super) objects: Objects,
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
    /// [`StateError::LeaseHeld`] if it has an owner, even in this process.
    pub async fn lease(&self, feed: &Feed) -> Result<Lease, StateError> {
        self.lease_of(&format!("leases/{feed}")).await
    }

    /// Owns an object.
    pub(super) async fn lease_of(&self, name: &str) -> Result<Lease, StateError> {
        self.objects.lease(name, self.lease_times).await
    }

    /// Replaces what is said of `feed`, whichever run wrote it. Nothing is decided by it.
    pub async fn write_status(&self, feed: &Feed, json: Bytes) -> Result<(), StateError> {
        self.objects.put(&status_name(feed), json, Condition::Any).await.map(drop)
    }

    /// What was said of `feed` last, as it was written; `None` where nothing was.
    pub async fn read_status(&self, feed: &Feed) -> Result<Option<Bytes>, StateError> {
        Ok(self.objects.get(&status_name(feed)).await?.map(|(json, _)| json))
    }

    /// Whether a warning that comes once a day is due at the time `now`. It counts as given then.
    pub async fn take_daily_warning(
        &self,
        code: ErrorCode,
        now: Timestamp,
    ) -> Result<bool, StateError> {
        let name = format!("warnings/{code}");
        let stored = self.objects.get(&name).await?;
        let last = stored.and_then(|(text, _)| {
            std::str::from_utf8(&text).ok()?.trim().parse::<Timestamp>().ok()
        });
        let is_recent = |last: Timestamp| {
            (SignedDuration::ZERO..SignedDuration::from_hours(24))
                .contains(&now.duration_since(last))
        };
        if last.is_some_and(is_recent) {
            return Ok(false);
        }
        self.objects.put(&name, format!("{now}\n").into(), Condition::Any).await?;
        Ok(true)
    }
}

pub(super) fn status_name(feed: &Feed) -> String {
    format!("status/{feed}.json")
}
