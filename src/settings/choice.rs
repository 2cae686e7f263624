//! Settings that take one of a few words.

use std::str::FromStr;

/// `ProofpointMode`: which of the Log API's two services are read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mode {
    /// The live stream, and closed hours from the archive for what it lacks.
    Hybrid,
    /// The live stream alone.
    Live,
    /// Closed hours alone, from the archive.
    Archive,
}

impl Mode {
    /// Whether closed hours are read.
    pub fn reads_archive(self) -> bool {
        self != Mode::Live
    }
}

/// `ProofpointMessageText`: whether text that Proofpoint extracted from mail reaches the workspace.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MessageText {
    /// Dropped only where the row would not fit otherwise.
    Fit,
    /// Always dropped: mail content stays out of the workspace.
    Drop,
}

/// The text is not one of the values that the setting takes.
#[derive(Clone, Copy, Debug, thiserror::Error)]
#[error("not one of the values that this setting takes")]
pub struct NotAChoice;

impl FromStr for Mode {
    type Err = NotAChoice;

    fn from_str(text: &str) -> Result<Mode, NotAChoice> {
        match text.to_ascii_lowercase().as_str() {
            "hybrid" => Ok(Mode::Hybrid),
            "live" => Ok(Mode::Live),
            "archive" => Ok(Mode::Archive),
            _ => Err(NotAChoice),
        }
    }
}

impl FromStr for MessageText {
    type Err = NotAChoice;

    fn from_str(text: &str) -> Result<MessageText, NotAChoice> {
        match text.to_ascii_lowercase().as_str() {
            "fit" => Ok(MessageText::Fit),
            "drop" => Ok(MessageText::Drop),
            _ => Err(NotAChoice),
        }
    }
}
