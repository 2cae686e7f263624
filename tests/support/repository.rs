//! The files of this repository.

use std::path::{Path, PathBuf};
use std::process::Command;

/// A file whose content is text.
pub(crate) struct TextFile {
    /// Such as `docs/settings.md`.
    pub path: String,
    pub text: String,
}

pub(crate) fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// All text files that git tracks or that could be added to it.
pub(crate) fn text_files() -> Vec<TextFile> {
    let listed = Command::new("git")
        .current_dir(root())
        .args(["ls-files", "-z", "--cached", "--others", "--exclude-standard"])
        .output()
        .expect("git can be run");
    let reason = String::from_utf8_lossy(&listed.stderr);
    assert!(listed.status.success(), "git can't list the repository's files: {reason}");
    let paths = String::from_utf8(listed.stdout).expect("paths are UTF-8");
    let files = paths.split_terminator('\0').filter_map(|path| {
        // A file that is deleted but not yet from git's list has nothing to check.
        let content = std::fs::read(root().join(path)).ok()?;
        let text = String::from_utf8(content).ok().filter(|text| !text.contains('\0'))?;
        Some(TextFile { path: path.to_owned(), text })
    });
    files.collect()
}

/// The text of a file that must be there.
pub(crate) fn read(path: &str) -> String {
    std::fs::read_to_string(root().join(path))
        .unwrap_or_else(|error| panic!("{path} can't be read: {error}"))
}

/// What a relative link in the file `from` points at; `None` where it leaves the repository.
pub(crate) fn resolve(from: &str, link: &str) -> Option<PathBuf> {
    let mut path = match link.strip_prefix('/') {
        Some(_) => PathBuf::new(),
        None => Path::new(from).parent()?.to_owned(),
    };
    for segment in link.split('/') {
        match segment {
            "" | "." => {}
            ".." => {
                if !path.pop() {
                    return None;
                }
            }
            segment => path.push(segment),
        }
    }
    Some(root().join(path))
}
