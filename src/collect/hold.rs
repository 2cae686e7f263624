//! Whether the destination takes the rows of a feed, over runs.

use std::time::Duration;

use jiff::Timestamp;

use super::timing::{later, signed};
use crate::state::Hold;

/// What is known of whether the destination takes a feed's rows. While it takes none, the feed is on
/// hold, and no live session is opened: its server forgets what it has sent.
pub(super) struct DestinationHold {
    hold: Option<Hold>,
    /// Whether the destination took a post without rows in this run, and no rows since.
    was_probed: bool,
}

impl DestinationHold {
    /// Goes on from what is on record.
    pub(super) fn new(hold: Option<Hold>) -> DestinationHold {
        DestinationHold { hold, was_probed: false }
    }

    /// The hold, while there is one. This is what is to be on record.
    pub(super) fn get(&self) -> Option<Hold> {
        self.hold
    }

    /// The destination took a post without rows.
    pub(super) fn note_probe(&mut self) {
        self.was_probed = true;
    }

    /// The destination took rows.
    pub(super) fn release(&mut self) {
        (self.hold, self.was_probed) = (None, false);
    }

    /// The destination took no rows, and wants no posts for `pause`.
    pub(super) fn begin(&mut self, now: Timestamp, pause: Duration) {
        let new = Hold { since: now, probe_misled: false, not_before: None };
        let hold = self.hold.get_or_insert(new);
        hold.probe_misled |= self.was_probed;
        hold.not_before = (!pause.is_zero()).then(|| later(now, Some(signed(pause))));
    }

    /// Before when the destination wants no posts, if it said so and it is not yet `now`.
    pub(super) fn paused_until(&self, now: Timestamp) -> Option<Timestamp> {
        self.hold.and_then(|hold| hold.not_before).filter(|time| *time > now)
    }

    /// Whether the archive is to be read before a live session is opened: its rows can be read again.
    /// A post without rows can lift the hold after that, unless one misled before.
    pub(super) fn lets_open_live(&self, archive_was_read: bool) -> bool {
        self.hold.is_none_or(|hold| archive_was_read && !hold.probe_misled)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::collect::timing::examples::at;

    fn held() -> DestinationHold {
        let mut hold = DestinationHold::new(None);
        hold.begin(at("2026-11-20T08:00:00Z"), Duration::ZERO);
        hold
    }

    #[test]
    fn a_hold_ends_when_rows_are_taken() {
        let mut hold = held();
        assert!(!hold.lets_open_live(false) && hold.lets_open_live(true));
        hold.release();
        assert!(hold.get().is_none() && hold.lets_open_live(false));
    }

    #[test]
    fn a_probe_that_misled_is_not_believed_again() {
        let mut hold = DestinationHold::new(held().get());
        hold.note_probe();
        hold.begin(at("2026-11-20T09:00:00Z"), Duration::ZERO);
        assert!(!hold.lets_open_live(true));
        let since = at("2026-11-20T08:00:00Z");
        assert_eq!(hold.get(), Some(Hold { since, probe_misled: true, not_before: None }));
        hold.release();
        hold.begin(at("2026-11-20T10:00:00Z"), Duration::ZERO);
        assert!(hold.lets_open_live(true), "rows were taken after that probe");
    }

    #[test]
    fn a_pause_counts_until_it_is_over() {
        let mut hold = DestinationHold::new(None);
        hold.begin(at("2026-11-20T08:00:00Z"), Duration::from_secs(60));
        let until = at("2026-11-20T08:01:00Z");
        assert_eq!(hold.paused_until(at("2026-11-20T08:00:59Z")), Some(until));
        assert_eq!(hold.paused_until(until), None);
    }
}
