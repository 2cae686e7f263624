//! The directory that the demo works in: the app as it would be deployed, its rows and its state.

use std::collections::VecDeque;
use std::fs::File;
use std::io;
use std::path::{Path, PathBuf};

use proofpoint_sentinel::net::Net;
use proofpoint_sentinel::settings::StateSettings;
use proofpoint_sentinel::state::State;
use proofpoint_sentinel_core::feed::Feed;
use proofpoint_sentinel_core::hour::Hour;
use proofpoint_sentinel_simulator::host::OutputLine;
use url::Url;

use super::failure::Failure;

const HOST_JSON: &str = include_str!("../../../host.json");
const FUNCTION_JSON: &str = include_str!("../../../ProofpointPOD/function.json");

/// The lock file in the directory. The demo that holds it works there. The system releases it where
/// the process dies.
const LOCK: &str = ".lock";

/// The directory that has everything of the demo.
pub(super) struct DemoDirectory {
    /// Absolute.
    pub root: PathBuf,
    /// Keeps other demos out.
    _lock: File,
}

impl DemoDirectory {
    /// Goes on in `kept`, or starts afresh in a directory of its own under the system's directory for
    /// temporary files.
    pub(super) fn create(kept: Option<&Path>) -> Result<DemoDirectory, Failure> {
        let root = match kept {
            Some(kept) => std::path::absolute(kept)?,
            None => std::env::temp_dir().join("proofpoint-sentinel-demo"),
        };
        let fault = |error: io::Error| match error.kind() {
            io::ErrorKind::WouldBlock => format!(
                "another demo is at work in {}: wait for its end, or give this one a directory of its own with --keep",
                root.display()
            ),
            _ => format!("{}: {error}", root.display()),
        };
        let lock = lock(&root).map_err(fault)?;
        let directory = DemoDirectory { root: root.clone(), _lock: lock };
        directory.prepare(kept.is_none()).map_err(fault)?;
        Ok(directory)
    }

    fn prepare(&self, afresh: bool) -> io::Result<()> {
        if afresh {
            self.clear()?;
        }
        std::fs::create_dir_all(self.workspace())?;
        self.install()
    }

    fn clear(&self) -> io::Result<()> {
        for entry in std::fs::read_dir(&self.root)? {
            let entry = entry?;
            if entry.file_name() == LOCK {
                continue;
            }
            match entry.file_type()?.is_dir() {
                true => std::fs::remove_dir_all(entry.path())?,
                false => std::fs::remove_file(entry.path())?,
            }
        }
        Ok(())
    }

    /// Installs what a deployment has: host.json, the function's folder and the program.
    fn install(&self) -> io::Result<()> {
        let app = self.app();
        std::fs::create_dir_all(app.join("ProofpointPOD"))?;
        std::fs::write(app.join("host.json"), HOST_JSON)?;
        std::fs::write(app.join("ProofpointPOD").join("function.json"), FUNCTION_JSON)?;
        let program = app.join("proofpoint-sentinel");
        match std::fs::remove_file(&program) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
            _ => {}
        }
        let own = std::env::current_exe()?;
        std::fs::hard_link(&own, &program).or_else(|_| std::fs::copy(&own, &program).map(drop))
    }

    pub(super) fn app(&self) -> PathBuf {
        self.root.join("app")
    }

    pub(super) fn workspace(&self) -> PathBuf {
        self.root.join("workspace")
    }

    /// The rows of these tables, those of earlier demos included.
    pub(super) fn rows(&self, tables: &[String]) -> io::Result<Vec<String>> {
        let mut rows = Vec::new();
        for table in tables {
            match std::fs::read_to_string(self.workspace().join(format!("{table}.ndjson"))) {
                Ok(text) => rows.extend(text.lines().map(str::to_owned)),
                Err(error) if error.kind() == io::ErrorKind::NotFound => {}
                Err(error) => return Err(error),
            }
        }
        Ok(rows)
    }

    pub(super) fn state(&self) -> PathBuf {
        self.root.join("state")
    }

    pub(super) fn log(&self) -> PathBuf {
        self.root.join("handler.log")
    }

    /// Keeps what the handler wrote.
    pub(super) fn write_log(&self, lines: &VecDeque<OutputLine>) -> io::Result<()> {
        let text: String = lines.iter().map(|line| format!("{}\n", line.text)).collect();
        std::fs::write(self.log(), text)
    }

    /// The state's directory as the setting `StateStorage` names it.
    pub(super) fn state_url(&self) -> String {
        Url::from_directory_path(self.state()).expect("the path is absolute").into()
    }

    /// The hour from which the feed's checkpoint goes on, if there is one.
    pub(super) async fn next_hour(&self, feed: &Feed) -> Result<Option<Hour>, Failure> {
        let state = State::open(&StateSettings::Directory(self.state()), &Net::new(None)?).await?;
        let checkpoint = state.read_checkpoint(feed).await?;
        Ok(checkpoint.map(|(checkpoint, _)| checkpoint.next_hour))
    }
}

fn lock(root: &Path) -> io::Result<File> {
    std::fs::create_dir_all(root)?;
    let file = File::options().create(true).truncate(false).write(true).open(root.join(LOCK))?;
    file.try_lock()?;
    Ok(file)
}
