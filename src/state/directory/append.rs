//! Appending to a file.

use std::fs::{self, File};
use std::io::{self, ErrorKind, Seek as _, SeekFrom, Write as _};
use std::path::Path;

use bytes::Bytes;

use super::error::DirectoryError;
use super::replace::replace;
use super::root::DirectoryObjects;
use crate::state::object::{Appended, LARGEST, Layout};

impl DirectoryObjects {
    /// See [`Objects::append`](crate::state::objects::Objects::append).
    pub(in crate::state) async fn append(
        &self,
        name: &str,
        layout: Layout,
        records: &Bytes,
    ) -> Result<Appended, DirectoryError> {
        let (name, records) = (name.to_owned(), records.clone());
        self.clone()
            .blocking(move |this| {
                let _writer = this.writer()?;
                let path = this.path(&name);
                append(&path, layout, &records)
                    .map_err(|reason| DirectoryError::disk("append to", path, reason))
            })
            .await
    }
}

/// The caller is the only writer.
fn append(path: &Path, layout: Layout, records: &[u8]) -> io::Result<Appended> {
    let length = match fs::metadata(path) {
        Ok(file) => file.len(),
        Err(error) if error.kind() == ErrorKind::NotFound => 0,
        Err(error) => return Err(error),
    };
    if length + records.len() as u64 > LARGEST {
        return Ok(Appended::Full);
    }
    let head = layout.head.len() as u64;
    let Some(stored) = length.checked_sub(head) else {
        replace(path, &[layout.head, records].concat())?;
        return Ok(Appended::Done);
    };
    // What a killed writer left of a record is shorter than the one that is written over it.
    let whole = stored - stored % layout.record as u64;
    let mut file = File::options().write(true).open(path)?;
    file.seek(SeekFrom::Start(head + whole))?;
    file.write_all(records)?;
    file.sync_data()?;
    Ok(Appended::Done)
}

#[cfg(test)]
mod tests {
    use super::*;

    const LAYOUT: Layout = Layout { head: b"HEAD", record: 3 };
    const NAME: &str = "ledger/a/b.ids";

    async fn append(root: &Path, records: &'static str) -> Appended {
        let objects = DirectoryObjects::open(root).await.unwrap();
        objects.append(NAME, LAYOUT, &Bytes::from_static(records.as_bytes())).await.unwrap()
    }

    #[tokio::test]
    async fn the_head_comes_first_and_once() {
        let root = tempfile::tempdir().unwrap();
        for records in ["one", "twosix"] {
            assert!(matches!(append(root.path(), records).await, Appended::Done));
        }
        assert_eq!(fs::read(root.path().join(NAME)).unwrap(), b"HEADonetwosix");
    }

    #[tokio::test]
    async fn what_a_killed_writer_left_of_a_record_is_written_over() {
        for (left, expected) in [
            ("", "HEADtwo"),
            ("HEA", "HEADtwo"),
            ("HEAD", "HEADtwo"),
            ("HEADon", "HEADtwo"),
            ("HEADoneon", "HEADonetwo"),
        ] {
            let root = tempfile::tempdir().unwrap();
            fs::create_dir_all(root.path().join("ledger/a")).unwrap();
            fs::write(root.path().join(NAME), left).unwrap();
            append(root.path(), "two").await;
            assert_eq!(fs::read_to_string(root.path().join(NAME)).unwrap(), expected, "{left}");
        }
    }

    #[tokio::test]
    async fn a_file_takes_no_more_than_can_be_read() {
        let root = tempfile::tempdir().unwrap();
        append(root.path(), "one").await;
        let file = File::options().write(true).open(root.path().join(NAME)).unwrap();
        file.set_len(LARGEST - 2).unwrap();
        assert!(matches!(append(root.path(), "two").await, Appended::Full));
        assert_eq!(file.metadata().unwrap().len(), LARGEST - 2);
    }
}
