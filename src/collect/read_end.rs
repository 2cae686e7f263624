//! How a reading ended.

use std::fmt;

use crate::pod::SessionEnd;
use crate::state::RecordedEnd;

/// How a reading ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ReadEnd {
    /// The session ended by itself.
    Session(SessionEnd),
    /// There was no session before the program was told to stop, or before the time was up.
    NotOpened,
    /// The program was told to stop.
    Stopped,
    /// The time for this reading was up.
    OutOfTime,
    /// No event has come for as long as a live session waits for one.
    Quiet,
    /// The live stream has caught up with the time at which its reading began.
    CaughtUp,
}

impl fmt::Display for ReadEnd {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        RecordedEnd::from(self).fmt(f)
    }
}

impl From<&ReadEnd> for RecordedEnd {
    fn from(end: &ReadEnd) -> RecordedEnd {
        match end {
            ReadEnd::Session(SessionEnd::Closed(code)) => RecordedEnd::Closed(*code),
            ReadEnd::Session(SessionEnd::Cut) => RecordedEnd::Cut,
            ReadEnd::Session(SessionEnd::Stalled) => RecordedEnd::Stalled,
            ReadEnd::Session(SessionEnd::Invalid(reason)) => {
                RecordedEnd::InvalidData(reason.clone())
            }
            ReadEnd::NotOpened | ReadEnd::Stopped => RecordedEnd::Stopped,
            ReadEnd::OutOfTime => RecordedEnd::OutOfTime,
            ReadEnd::Quiet => RecordedEnd::Quiet,
            ReadEnd::CaughtUp => RecordedEnd::CaughtUp,
        }
    }
}
