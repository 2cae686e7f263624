//! The directory, and who may write to it.

use std::fs::{File, TryLockError};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

use super::error::DirectoryError;
use super::replace::{create_directories, parent};

/// Held while a file is compared and replaced, so that of two processes only one can win.
const WRITE_LOCK: &str = ".lock";

/// How long a write waits for another one. Each takes milliseconds, unless the disk is very busy or hangs.
const LONGEST_WAIT: Duration = Duration::from_secs(30);

/// A directory. Its file system must support advisory locks.
#[derive(Clone, Debug)]
pub(in crate::state) struct DirectoryObjects {
    pub(super) root: Arc<Path>,
}

impl DirectoryObjects {
    /// Creates the directory where it is missing, and makes sure that it can be written to.
    pub(in crate::state) async fn open(root: &Path) -> Result<DirectoryObjects, DirectoryError> {
        let this = DirectoryObjects { root: root.into() };
        this.clone().blocking(|this| this.writer().map(drop)).await?;
        Ok(this)
    }

    pub(super) async fn blocking<T: Send + 'static>(
        self,
        work: impl FnOnce(DirectoryObjects) -> Result<T, DirectoryError> + Send + 'static,
    ) -> Result<T, DirectoryError> {
        let root = Arc::clone(&self.root);
        match tokio::task::spawn_blocking(|| work(self)).await {
            Ok(result) => result,
            Err(gone) => Err(DirectoryError::disk("use", &*root, io::Error::other(gone))),
        }
    }

    pub(super) fn path(&self, name: &str) -> PathBuf {
        self.root.join(name)
    }

    /// Waits for its turn to write.
    pub(super) fn writer(&self) -> Result<File, DirectoryError> {
        let path = self.path(WRITE_LOCK);
        let file = open_to_lock(&path)?;
        let until = Instant::now() + LONGEST_WAIT;
        loop {
            match file.try_lock() {
                Ok(()) => return Ok(file),
                Err(TryLockError::WouldBlock) if Instant::now() < until => {
                    std::thread::sleep(Duration::from_millis(2));
                }
                Err(error) => return Err(DirectoryError::disk("lock", path, error.into())),
            }
        }
    }
}

pub(super) fn open_to_lock(path: &Path) -> Result<File, DirectoryError> {
    let open = || {
        create_directories(parent(path))?;
        File::options().create(true).truncate(false).write(true).open(path)
    };
    open().map_err(|reason| DirectoryError::disk("open", path, reason))
}
