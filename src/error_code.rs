//! The codes of operators' messages, such as `PPS4103`, and their entries in docs/errors.md.
//!
//! A code never changes its meaning and is never given to another message. Its first digit names the
//! part that the message is about.

mod catalog;
mod entry;

use std::fmt;

pub use catalog::*;
pub use entry::{Entry, entries, entry};

/// The stable code of a message: `PPS` and four digits.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ErrorCode(u16);

impl ErrorCode {
    /// The code that `text` names, such as `PPS4103`, `pps4103` or `4103`; `None` if no message has
    /// such a code.
    pub fn parse(text: &str) -> Option<ErrorCode> {
        let text = text.trim();
        let has_prefix = text.get(..3).is_some_and(|start| start.eq_ignore_ascii_case("PPS"));
        let digits = if has_prefix { &text[3..] } else { text };
        let number = (digits.len() == 4).then(|| digits.parse::<u16>().ok()).flatten()?;
        ALL.iter().copied().find(|code| code.0 == number)
    }
}

impl fmt::Display for ErrorCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "PPS{:04}", self.0)
    }
}

/// An error whose message an operator may read.
pub trait Coded: std::error::Error {
    /// The code of the message.
    fn code(&self) -> ErrorCode;
}

#[cfg(test)]
mod tests;
