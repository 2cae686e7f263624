//! Listing and deleting files.

use std::fs;
use std::io::{self, ErrorKind};
use std::path::Path;

use super::error::DirectoryError;
use super::replace::TEMPORARY;
use super::root::DirectoryObjects;

impl DirectoryObjects {
    /// See [`Objects::list`](crate::state::objects::Objects::list).
    pub(in crate::state) async fn list(&self, folder: &str) -> Result<Vec<String>, DirectoryError> {
        let folder = folder.trim_end_matches('/').to_owned();
        self.clone().blocking(move |this| this.names_in(folder)).await
    }

    fn names_in(&self, folder: String) -> Result<Vec<String>, DirectoryError> {
        let (mut folders, mut names) = (vec![folder], Vec::new());
        while let Some(folder) = folders.pop() {
            let path = self.path(&folder);
            for (name, is_folder) in
                entries(&path).map_err(|reason| DirectoryError::disk("list", path, reason))?
            {
                let into = if is_folder { &mut folders } else { &mut names };
                into.push(format!("{folder}/{name}"));
            }
        }
        names.sort_unstable();
        Ok(names)
    }

    /// See [`Objects::delete`](crate::state::objects::Objects::delete). Directories that this
    /// leaves empty go as well.
    pub(in crate::state) async fn delete(&self, name: &str) -> Result<(), DirectoryError> {
        let name = name.to_owned();
        self.clone()
            .blocking(move |this| {
                let _writer = this.writer()?;
                let path = this.path(&name);
                match fs::remove_file(&path) {
                    Err(error) if error.kind() != ErrorKind::NotFound => {
                        return Err(DirectoryError::disk("delete", path, error));
                    }
                    _ => {}
                }
                let folders = path.ancestors().skip(1).take_while(|folder| **folder != *this.root);
                // The first one that is not empty stays, and with it those above it.
                folders.map(fs::remove_dir).take_while(Result::is_ok).for_each(drop);
                Ok(())
            })
            .await
    }
}

/// The names in a directory, and whether they are directories; none where there is no such
/// directory. Names that are no text are not ours.
fn entries(path: &Path) -> io::Result<Vec<(String, bool)>> {
    let listed = match fs::read_dir(path) {
        Ok(listed) => listed,
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(Vec::new()),
        Err(error) => return Err(error),
    };
    let mut entries = Vec::new();
    for entry in listed {
        let entry = entry?;
        match entry.file_name().into_string() {
            Ok(name) if !name.ends_with(TEMPORARY) => {
                entries.push((name, entry.file_type()?.is_dir()));
            }
            _ => {}
        }
    }
    Ok(entries)
}

#[cfg(test)]
mod tests {
    use super::*;

    async fn filled(root: &Path, names: &[&str]) -> DirectoryObjects {
        for name in names {
            let path = root.join(name);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, "").unwrap();
        }
        DirectoryObjects::open(root).await.unwrap()
    }

    #[tokio::test]
    async fn lists_what_lies_in_the_folder_at_any_depth_and_nothing_else() {
        let root = tempfile::tempdir().unwrap();
        let objects =
            filled(root.path(), &["a/c/2", "a/b", "a/c/1", "a/c/3.tmp", "ab/x", "b"]).await;
        assert_eq!(objects.list("a/").await.unwrap(), ["a/b", "a/c/1", "a/c/2"]);
        assert_eq!(objects.list("a/c/").await.unwrap(), ["a/c/1", "a/c/2"]);
        assert!(objects.list("no/such/").await.unwrap().is_empty());
    }

    #[tokio::test]
    async fn a_deleted_file_takes_along_what_it_leaves_empty() {
        let root = tempfile::tempdir().unwrap();
        let objects = filled(root.path(), &["a/b/c/1", "a/d"]).await;
        for _ in 0..2 {
            objects.delete("a/b/c/1").await.unwrap();
            assert!(root.path().join("a/d").is_file());
            assert!(!root.path().join("a/b").exists());
        }
        objects.delete("a/d").await.unwrap();
        assert!(root.path().is_dir() && !root.path().join("a").exists());
    }
}
