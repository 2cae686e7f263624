//! Objects in a directory: one file each, written whole or not at all, or appended to.

mod append;
#[cfg(all(test, target_os = "linux"))]
mod faults;
mod names;

use std::fs::{self, File, TryLockError};
use std::io::{self, ErrorKind, Read as _, Write as _};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

use bytes::Bytes;

use super::error::StateError;
use super::objects::{Condition, LARGEST, Version, sha256_hex};

/// Held while a file is compared and replaced, so that of two processes only one can win.
const WRITE_LOCK: &str = ".lock";

/// What a file's name ends in while it is being written.
const TEMPORARY: &str = ".tmp";

/// How long a write waits for another one. Either takes milliseconds, unless the disk hangs.
const LONGEST_WAIT: Duration = Duration::from_secs(10);

/// A directory. Its file system must support advisory locks.
#[derive(Clone, Debug)]
pub(super) struct DirectoryObjects {
    root: Arc<Path>,
}

impl DirectoryObjects {
    /// Creates the directory where it is missing, and makes sure that it can be written to.
    pub(super) async fn open(root: &Path) -> Result<DirectoryObjects, StateError> {
        let this = DirectoryObjects { root: root.into() };
        this.clone().blocking(|this| this.writer().map(drop)).await?;
        Ok(this)
    }

    pub(super) async fn get(&self, name: &str) -> Result<Option<(Bytes, Version)>, StateError> {
        let name = name.to_owned();
        self.clone().blocking(move |this| this.read(&name)).await
    }

    pub(super) async fn put(
        &self,
        name: &str,
        bytes: Bytes,
        condition: Condition<'_>,
    ) -> Result<Version, StateError> {
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
    pub(super) async fn lock(&self, name: &str) -> Result<File, StateError> {
        let name = name.to_owned();
        self.clone()
            .blocking(move |this| {
                let path = this.path(&name);
                let file = open_to_lock(&path)?;
                match file.try_lock() {
                    Ok(()) => Ok(file),
                    Err(TryLockError::WouldBlock) => Err(StateError::LeaseHeld { name }),
                    Err(TryLockError::Error(reason)) => Err(StateError::disk("lock", path, reason)),
                }
            })
            .await
    }

    async fn blocking<T: Send + 'static>(
        self,
        work: impl FnOnce(DirectoryObjects) -> Result<T, StateError> + Send + 'static,
    ) -> Result<T, StateError> {
        let root = Arc::clone(&self.root);
        match tokio::task::spawn_blocking(|| work(self)).await {
            Ok(result) => result,
            Err(gone) => Err(StateError::disk("use", &*root, io::Error::other(gone))),
        }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.root.join(name)
    }

    fn read(&self, name: &str) -> Result<Option<(Bytes, Version)>, StateError> {
        let path = self.path(name);
        let failed = |reason| StateError::disk("read", &path, reason);
        let file = match File::open(&path) {
            Ok(file) => file,
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(failed(error)),
        };
        let mut bytes = Vec::new();
        let length = file.take(LARGEST + 1).read_to_end(&mut bytes).map_err(failed)?;
        if length as u64 > LARGEST {
            return Err(StateError::TooLarge { name: name.to_owned(), limit: LARGEST });
        }
        let version = version_of(&bytes);
        Ok(Some((bytes.into(), version)))
    }

    fn write(&self, name: &str, bytes: &[u8], expected: &Expected) -> Result<Version, StateError> {
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
            replace(&path, bytes).map_err(|reason| StateError::disk("write", path, reason))?;
        } else if stored.as_ref() != Some(&written) {
            return Err(StateError::Conflict { name: name.to_owned() });
        }
        Ok(written)
    }

    /// Waits for its turn to write.
    fn writer(&self) -> Result<File, StateError> {
        let path = self.path(WRITE_LOCK);
        let file = open_to_lock(&path)?;
        let until = Instant::now() + LONGEST_WAIT;
        loop {
            match file.try_lock() {
                Ok(()) => return Ok(file),
                Err(TryLockError::WouldBlock) if Instant::now() < until => {
                    std::thread::sleep(Duration::from_millis(2));
                }
                Err(error) => return Err(StateError::disk("lock", path, error.into())),
            }
        }
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

fn open_to_lock(path: &Path) -> Result<File, StateError> {
    let open = || {
        create_directories(parent(path))?;
        File::options().create(true).truncate(false).write(true).open(path)
    };
    open().map_err(|reason| StateError::disk("open", path, reason))
}

/// Replaces the file so that after a crash or a power cut it holds either the old bytes or the
/// new ones. Whoever calls this is the only writer, so what a crash left of the temporary file is
/// simply overwritten.
fn replace(path: &Path, bytes: &[u8]) -> io::Result<()> {
    create_directories(parent(path))?;
    let mut temporary = path.as_os_str().to_owned();
    temporary.push(TEMPORARY);
    let mut file = File::create(&temporary)?;
    file.write_all(bytes)?;
    file.sync_all()?;
    fs::rename(&temporary, path)?;
    sync_directory(parent(path))
}

/// As `create_dir_all`, and the new directories are still there after a power cut.
fn create_directories(path: &Path) -> io::Result<()> {
    if path.is_dir() {
        return Ok(());
    }
    create_directories(parent(path))?;
    match fs::create_dir(path) {
        Err(error) if error.kind() == ErrorKind::AlreadyExists && path.is_dir() => Ok(()),
        created => created.and_then(|()| sync_directory(parent(path))),
    }
}

fn parent(path: &Path) -> &Path {
    match path.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent,
        Some(_) => Path::new("."),
        None => path,
    }
}

/// A rename is durable once its directory is.
#[cfg(unix)]
fn sync_directory(path: &Path) -> io::Result<()> {
    File::open(path)?.sync_all()
}

/// Other systems don't let a directory be opened, and journal renames themselves.
#[cfg(not(unix))]
fn sync_directory(_: &Path) -> io::Result<()> {
    Ok(())
}

#[cfg(test)]
mod tests {
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
            assert!(matches!(error, StateError::Conflict { .. }), "{error}");
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
        assert!(matches!(error, StateError::LeaseHeld { .. }), "{error}");
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
