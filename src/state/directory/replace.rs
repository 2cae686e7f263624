//! Files that are replaced as a whole, and what a power cut leaves of them.

use std::fs::{self, File};
use std::io::{self, ErrorKind, Write as _};
use std::path::Path;

/// What a file's name ends in while it is being written.
pub(super) const TEMPORARY: &str = ".tmp";

/// Replaces the file so that after a crash or a power cut it holds either the old bytes or the
/// new ones. The caller is the only writer, so what a crash left of the temporary file is
/// simply overwritten.
pub(super) fn replace(path: &Path, bytes: &[u8]) -> io::Result<()> {
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
pub(super) fn create_directories(path: &Path) -> io::Result<()> {
    if path.is_dir() {
        return Ok(());
    }
    create_directories(parent(path))?;
    match fs::create_dir(path) {
        Err(error) if error.kind() == ErrorKind::AlreadyExists && path.is_dir() => Ok(()),
        created => created.and_then(|()| sync_directory(parent(path))),
    }
}

pub(super) fn parent(path: &Path) -> &Path {
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
