//! Settings that take one of a few words.

use std::str::FromStr;

/// `ProofpointMode`: which of the Log API's two services are read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mode {
    /// The live stream, and closed hours from the archive for what it lacks.
    Hybrid,
    /// Closed hours alone, from the archive.
    Archive,
}

/// `ProofpointLive`: for how long the live stream is read in a run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LiveReading {
    /// Until it has caught up with the start of the reading.
    CatchUp,
    /// For as long as the run may read.
    Continuous,
}

/// `ProofpointMessageText`: whether text that Proofpoint extracted from mail reaches the workspace.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MessageText {
    /// Dropped only where the row would not fit otherwise.
    Fit,
    /// Always dropped: mail content stays out of the workspace.
    Drop,
}

/// `ProofpointConnectorTable`: whether the connector says in a table of its own what it did.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ConnectorTable {
    /// It does.
    On,
    /// It does not.
    Off,
}

/// The text is not one of the values that the setting takes.
#[derive(Clone, Copy, Debug, thiserror::Error)]
#[error("not one of the values that this setting takes")]
pub struct NotAChoice;

/// The value that goes with `text`, in any case.
fn chosen<T: Copy>(text: &str, choices: &[(&str, T)]) -> Result<T, NotAChoice> {
    let choice = choices.iter().find(|(name, _)| text.eq_ignore_ascii_case(name));
    choice.map(|(_, value)| *value).ok_or(NotAChoice)
}

impl FromStr for Mode {
    type Err = NotAChoice;

    fn from_str(text: &str) -> Result<Mode, NotAChoice> {
        // What release 0.1.0 called `live` left out the archive, and with it events.
        let choices =
            [("hybrid", Mode::Hybrid), ("live", Mode::Hybrid), ("archive", Mode::Archive)];
        chosen(text, &choices)
    }
}

impl FromStr for LiveReading {
    type Err = NotAChoice;

    fn from_str(text: &str) -> Result<LiveReading, NotAChoice> {
        let choices = [("catch-up", LiveReading::CatchUp), ("continuous", LiveReading::Continuous)];
        chosen(text, &choices)
    }
}

impl FromStr for ConnectorTable {
    type Err = NotAChoice;

    fn from_str(text: &str) -> Result<ConnectorTable, NotAChoice> {
        chosen(text, &[("on", ConnectorTable::On), ("off", ConnectorTable::Off)])
    }
}

impl FromStr for MessageText {
    type Err = NotAChoice;

    fn from_str(text: &str) -> Result<MessageText, NotAChoice> {
        chosen(text, &[("fit", MessageText::Fit), ("drop", MessageText::Drop)])
    }
}
