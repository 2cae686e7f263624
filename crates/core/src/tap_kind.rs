//! The kinds of record that Targeted Attack Protection (TAP) has.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// A kind of record of the SIEM API, named as the array in which the API sends it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum TapKind {
    /// A message with a threat that was delivered to one recipient.
    MessagesDelivered,
    /// A message with a threat that was kept from one recipient.
    MessagesBlocked,
    /// A click on a threat that led there.
    ClicksPermitted,
    /// A click on a threat that was stopped.
    ClicksBlocked,
}

impl TapKind {
    /// All of them, in the order in which the API's documentation has them.
    pub const ALL: [TapKind; 4] = [
        TapKind::MessagesDelivered,
        TapKind::MessagesBlocked,
        TapKind::ClicksPermitted,
        TapKind::ClicksBlocked,
    ];

    /// The name of the array.
    pub fn as_str(self) -> &'static str {
        match self {
            TapKind::MessagesDelivered => "messagesDelivered",
            TapKind::MessagesBlocked => "messagesBlocked",
            TapKind::ClicksPermitted => "clicksPermitted",
            TapKind::ClicksBlocked => "clicksBlocked",
        }
    }

    /// Whether its records are about messages, and not about clicks.
    pub fn is_message(self) -> bool {
        matches!(self, TapKind::MessagesDelivered | TapKind::MessagesBlocked)
    }
}

impl fmt::Display for TapKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// The text names no kind of record.
#[derive(Debug, thiserror::Error)]
#[error("`{0}` is not a kind of TAP record; one is written messagesDelivered")]
pub struct NotATapKind(String);

impl FromStr for TapKind {
    type Err = NotATapKind;

    fn from_str(text: &str) -> Result<TapKind, NotATapKind> {
        TapKind::ALL
            .into_iter()
            .find(|kind| kind.as_str() == text)
            .ok_or_else(|| NotATapKind(text.to_owned()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_kind_has_one_text() {
        for kind in TapKind::ALL {
            assert_eq!(kind.to_string().parse::<TapKind>().unwrap(), kind);
        }
        for text in ["", "messages", "MessagesDelivered", "clicksBlocked "] {
            assert!(text.parse::<TapKind>().is_err(), "{text}");
        }
    }
}
