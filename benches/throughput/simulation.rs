//! The process that is Proofpoint and the workspace.

use std::collections::HashMap;
use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};

use super::Failure;

/// A running simulation. Dropping it ends it.
pub(crate) struct Simulation {
    process: Child,
    /// The app settings that lead to it.
    pub settings: HashMap<String, String>,
}

impl Simulation {
    /// The hours of each cluster have `messages` messages, and the log lines that belong to them.
    pub(crate) fn start(
        clusters: u16,
        messages: u64,
        directory: &Path,
    ) -> Result<Simulation, Failure> {
        let mut process = Command::new(env!("CARGO_BIN_EXE_proofpoint-sentinel"))
            .args(["simulate", "--bulk", "--count-only", "--rate", &messages.to_string()])
            .args(["--clusters", &clusters.to_string()])
            .arg("--directory")
            .arg(directory)
            .stdout(Stdio::piped())
            .spawn()?;
        let stdout = process.stdout.take().ok_or("the simulation has no output")?;
        let mut settings = HashMap::new();
        for line in BufReader::new(stdout).lines() {
            let line = line?;
            let Some((name, value)) = line.split_once('=') else { break };
            settings.insert(name.to_owned(), value.to_owned());
        }
        Ok(Simulation { process, settings })
    }
}

impl Drop for Simulation {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}
