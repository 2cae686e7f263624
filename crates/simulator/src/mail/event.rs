//! Events of a simulated cluster.

use jiff::Timestamp;

/// An event as the cluster logs it. Ordered by time, then by number.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct LoggedEvent {
    /// When it happened.
    pub at: Timestamp,
    /// Rises within the hour, with gaps.
    pub number: u64,
    /// All events logged after this one happened at this time or later.
    pub floor: Timestamp,
    /// Its JSON.
    pub bytes: Vec<u8>,
}

/// An event, with the values that have to change when it is renumbered.
pub(super) struct NewEvent {
    pub bytes: Vec<u8>,
    pub id: String,
    pub at: Timestamp,
}

/// The number of the event with the index `line` among the events of a message.
pub(super) fn event_number(message: u64, line: u64) -> u64 {
    /// More lines than any mail has.
    const LINES: u64 = 1 << 8;
    message * LINES + line
}
