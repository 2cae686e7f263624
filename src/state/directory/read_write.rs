//! Files that are read and written as a whole, and locks on them.

use std::fs::{File, TryLockError};
use std::io::{ErrorKind, Read as _};

use bytes::Bytes;

use super::error::DirectoryError;
use super::replace::replace;
use super::root::{DirectoryObjects, open_to_lock};
use crate::state::object::{Condition, LARGEST, ObjectError, Version, sha256_hex};

impl DirectoryObjects {
    pub(in crate::state) async fn get(
        &self,
        name: &str,
    ) -> Result<Option<(Bytes, Version)>, DirectoryError> {
        let name = name.to_owned();
        self.clone().blocking(move |this| this.read(&name)).await
    }

    pub(in crate::state) async fn put(
        &self,
        name: &str,
        bytes: Bytes,
        condition: Condition<'_>,
    ) -> Result<Version, DirectoryError> {
        let name = name.to_owned();
        let expected = match condition {
            Condition::Absent => Expected::Absent,
            Condition::Match(version) => Expected::Match(version.clone()),
            Condition::Any => Expected::Any,
        };
        self.clone().blocking(move |this| this.write(&name, &bytes, &expected)).await
    }

    /// Locks a file until the returned handle is dropped; the system unlocks it where the process
    /// dies. The file itself stays.
    pub(in crate::state) async fn lock(&self, name: &str) -> Result<File, DirectoryError> {
        let name = name.to_owned();
        self.clone()
            .blocking(move |this| {
                let path = this.path(&name);
                let file = open_to_lock(&path)?;
                match file.try_lock() {
                    Ok(()) => Ok(file),
                    Err(TryLockError::WouldBlock) => Err(ObjectError::LeaseHeld { name }.into()),
                    Err(TryLockError::Error(reason)) => {
                        Err(DirectoryError::disk("lock", path, reason))
                    }
                }
            })
            .await
    }

    fn read(&self, name: &str) -> Result<Option<(Bytes, Version)>, DirectoryError> {
        let path = self.path(name);
        let failed = |reason| DirectoryError::disk("read", &path, reason);
        let file = match File::open(&path) {
            Ok(file) => file,
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(failed(error)),
        };
        let mut bytes = Vec::new();
        let length = file.take(LARGEST + 1).read_to_end(&mut bytes).map_err(failed)?;
        if length as u64 > LARGEST {
            return Err(ObjectError::TooLarge { name: name.to_owned() }.into());
        }
        let version = version_of(&bytes);
        Ok(Some((bytes.into(), version)))
    }

    fn write(
        &self,
        name: &str,
        bytes: &[u8],
        expected: &Expected,
    ) -> Result<Version, DirectoryError> {
        let _writer = self.writer()?;
        let stored = match expected {
            Expected::Any => None,
            _ => self.read(name)?.map(|(_, version)| version),
        };
        let written = version_of(bytes);
        let holds = match expected {
            Expected::Any => true,
            Expected::Absent => stored.is_none(),
            Expected::Match(version) => stored.as_ref() == Some(version),
        };
        if holds {
            let path = self.path(name);
            replace(&path, bytes).map_err(|reason| DirectoryError::disk("write", path, reason))?;
        } else if stored.as_ref() != Some(&written) {
            return Err(ObjectError::conflict(name).into());
        }
        Ok(written)
    }
}

/// A [`Condition`] that can go to another thread.
enum Expected {
    Absent,
    Match(Version),
    Any,
}

fn version_of(bytes: &[u8]) -> Version {
    Version(sha256_hex(bytes))
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::path::Path;

    use super::*;

    const NAME: &str = "checkpoints/a%20b-message.json";

    async fn open(root: &Path) -> DirectoryObjects {
        DirectoryObjects::open(root).await.unwrap()
    }

    fn bytes(text: &'static str) -> Bytes {
        Bytes::from_static(text.as_bytes())
    }

    #[tokio::test]
    async fn is_created_on_first_use_and_keeps_what_is_written() {
        let parent = tempfile::tempdir().unwrap();
        let root = parent.path().join("not/yet");
        let objects = open(&root).await;
        assert!(objects.get(NAME).await.unwrap().is_none());

        let version = objects.put(NAME, bytes("one"), Condition::Absent).await.unwrap();
        let again = open(&root).await.get(NAME).await.unwrap();
        assert_eq!(again, Some((bytes("one"), version)));
    }

    #[tokio::test]
    async fn a_write_over_another_version_is_refused() {
        let root = tempfile::tempdir().unwrap();
        let objects = open(root.path()).await;
        let first = objects.put(NAME, bytes("one"), Condition::Absent).await.unwrap();
        let second = objects.put(NAME, bytes("two"), Condition::Match(&first)).await.unwrap();

        for stale in [Condition::Match(&first), Condition::Absent] {
            let error = objects.put(NAME, bytes("three"), stale).await.unwrap_err();
            assert!(
                matches!(error, DirectoryError::Object(ObjectError::Conflict { .. })),
                "{error}"
            );
        }
        assert_eq!(objects.get(NAME).await.unwrap(), Some((bytes("two"), second)));
    }

    #[tokio::test]
    async fn a_write_that_is_already_there_counts_as_done() {
        let root = tempfile::tempdir().unwrap();
        let objects = open(root.path()).await;
        let first = objects.put(NAME, bytes("one"), Condition::Absent).await.unwrap();
        let again = objects.put(NAME, bytes("one"), Condition::Absent).await.unwrap();
        assert_eq!(first, again);
    }

    #[tokio::test]
    async fn what_a_crash_left_behind_is_no_object_and_in_nobodys_way() {
        let root = tempfile::tempdir().unwrap();
        let objects = open(root.path()).await;
        fs::create_dir(root.path().join("checkpoints")).unwrap();
        fs::write(root.path().join(format!("{NAME}.tmp")), "half of it, and lo").unwrap();

        assert!(objects.get(NAME).await.unwrap().is_none());
        objects.put(NAME, bytes("one"), Condition::Absent).await.unwrap();
        assert_eq!(fs::read(root.path().join(NAME)).unwrap(), b"one");
        let left = fs::read_dir(root.path().join("checkpoints")).unwrap().count();
        assert_eq!(left, 1);
    }

    #[tokio::test]
    async fn of_many_writers_over_one_version_exactly_one_wins() {
        let root = tempfile::tempdir().unwrap();
        let objects = open(root.path()).await;
        let first = objects.put(NAME, bytes("0"), Condition::Absent).await.unwrap();
        let writers = (1..=8).map(|writer: u8| {
            let (objects, first) = (objects.clone(), first.clone());
            tokio::spawn(async move {
                let mine = Bytes::from(vec![writer; 1000]);
                objects.put(NAME, mine, Condition::Match(&first)).await
            })
        });
        let results = futures_util::future::join_all(writers).await;
        let won = results.into_iter().filter(|result| result.as_ref().unwrap().is_ok()).count();
        assert_eq!(won, 1);
    }

    #[tokio::test]
    async fn a_lock_has_one_holder_even_within_one_process() {
        let root = tempfile::tempdir().unwrap();
        let objects = open(root.path()).await;
        let held = objects.lock("leases/a-message").await.unwrap();
        let error = objects.lock("leases/a-message").await.unwrap_err();
        assert!(matches!(error, DirectoryError::Object(ObjectError::LeaseHeld { .. })), "{error}");
        objects.lock("leases/a-audit").await.unwrap();

        drop(held);
        objects.lock("leases/a-message").await.unwrap();
    }

    #[tokio::test]
    async fn a_file_in_the_directorys_place_is_told() {
        let root = tempfile::tempdir().unwrap();
        let file = root.path().join("state");
        fs::write(&file, "").unwrap();
        let error = DirectoryObjects::open(&file).await.unwrap_err();
        assert!(error.to_string().contains("must name a directory"), "{error}");
    }
}
