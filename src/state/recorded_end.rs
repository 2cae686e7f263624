//! How a reading ended, as a checkpoint records it.

use std::fmt;

use serde::{Deserialize, Serialize};

/// How a reading of an hour or of the live stream ended, as a checkpoint records it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RecordedEnd {
    /// The server closed the session, with this code if it gave one.
    Closed(Option<u16>),
    /// The connection ended without a close.
    Cut,
    /// Nothing came for too long.
    Stalled,
    /// The data were not valid, for this reason.
    InvalidData(String),
    /// The program was told to stop.
    Stopped,
    /// The time for the reading was up.
    OutOfTime,
    /// The live stream had no more events.
    Quiet,
    /// The live stream had caught up with the time at which its reading began.
    CaughtUp,
    /// It was not read, or not accounted for, by the error with this code.
    Failed(String),
    /// A checkpoint of version 1 says this, which its writer can't have written. It counts as
    /// different from every other end.
    Unknown(String),
}

impl fmt::Display for RecordedEnd {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            RecordedEnd::Closed(Some(code)) => write!(f, "closed with {code}"),
            RecordedEnd::Closed(None) => f.write_str("closed without a code"),
            RecordedEnd::Cut => f.write_str("cut"),
            RecordedEnd::Stalled => f.write_str("stalled"),
            RecordedEnd::InvalidData(reason) => write!(f, "invalid data: {reason}"),
            RecordedEnd::Stopped => f.write_str("stopped"),
            RecordedEnd::OutOfTime => f.write_str("out of time"),
            RecordedEnd::Quiet => f.write_str("quiet"),
            RecordedEnd::CaughtUp => f.write_str("caught up"),
            RecordedEnd::Failed(code) => write!(f, "failed with {code}"),
            RecordedEnd::Unknown(text) => f.write_str(text),
        }
    }
}
