//! How sure it is, of each hour, that all its events arrived.

use std::collections::BTreeMap;

use jiff::SignedDuration;
use jiff::Timestamp;
use proofpoint_sentinel_core::hour::Hour;
use serde::Serialize;

use crate::state::Checkpoint;
use crate::tap::{SETTLED_AFTER, TapProgress};

/// How sure it is that every event of an hour arrived.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Completeness {
    /// It was read to its end, as Proofpoint said.
    Proved,
    /// It was read twice with the same result, and Proofpoint never said that it was all.
    Believed,
    /// It is due, and is not done: it waits for its first or its next read.
    Unknown,
    /// Proofpoint no longer kept it when it could be read.
    Lost,
    /// It is not due yet.
    Open,
    /// It was before the feed's first hour.
    None,
}

impl Completeness {
    /// All of them.
    pub const ALL: [Completeness; 6] = [
        Completeness::Proved,
        Completeness::Believed,
        Completeness::Unknown,
        Completeness::Lost,
        Completeness::Open,
        Completeness::None,
    ];

    /// The word for it, as in JSON.
    pub fn as_str(self) -> &'static str {
        match self {
            Completeness::Proved => "proved",
            Completeness::Believed => "believed",
            Completeness::Unknown => "unknown",
            Completeness::Lost => "lost",
            Completeness::Open => "open",
            Completeness::None => "none",
        }
    }
}

/// What a checkpoint says of hours.
pub(super) struct Hours {
    listed: BTreeMap<Hour, Completeness>,
    first: Hour,
    /// Every hour before it that is not listed is done.
    next: Hour,
    /// The newest hour that is due.
    newest_due: Hour,
}

impl Hours {
    /// Of a feed of the Log API. `first` is the oldest hour that was ever to be read, if that is known.
    /// An hour is due `delay` after its end.
    pub(super) fn of_log(
        checkpoint: &Checkpoint,
        first: Option<Hour>,
        delay: SignedDuration,
        now: Timestamp,
    ) -> Hours {
        let backlog = checkpoint.backlog.iter().flat_map(|range| range.hours());
        let retry = checkpoint.retry.iter().map(|attempt| attempt.hour);
        let believed = checkpoint.believed.iter().map(|attempt| attempt.hour);
        let mut listed = BTreeMap::new();
        listed.extend(backlog.chain(retry).map(|hour| (hour, Completeness::Unknown)));
        listed.extend(believed.map(|hour| (hour, Completeness::Believed)));
        listed.extend(checkpoint.lost.iter().map(|hour| (*hour, Completeness::Lost)));
        let first = first.into_iter().chain(checkpoint.second.first().copied()).min();
        Hours::new(listed, first, checkpoint.next_hour, Hour::newest_due(now, delay))
    }

    /// Of a TAP account. `first` as for [`of_log`](Self::of_log).
    pub(super) fn of_tap(progress: &TapProgress, first: Option<Hour>, now: Timestamp) -> Hours {
        let mut listed = BTreeMap::new();
        listed.extend(progress.unfinished_hours().map(|hour| (hour, Completeness::Unknown)));
        let lost = progress.lost().iter().flat_map(|span| span.hours());
        listed.extend(lost.map(|hour| (hour, Completeness::Lost)));
        Hours::new(listed, first, progress.next_hour(), Hour::newest_due(now, SETTLED_AFTER))
    }

    fn new(
        listed: BTreeMap<Hour, Completeness>,
        first: Option<Hour>,
        next: Hour,
        newest_due: Hour,
    ) -> Hours {
        let listed_first = listed.keys().next().copied();
        let first = [first, listed_first].into_iter().flatten().fold(next, Hour::min);
        Hours { listed, first, next, newest_due }
    }

    pub(super) fn completeness(&self, hour: Hour) -> Completeness {
        if let Some(listed) = self.listed.get(&hour) {
            *listed
        } else if hour < self.first {
            Completeness::None
        } else if hour < self.next {
            Completeness::Proved
        } else if hour <= self.newest_due {
            Completeness::Unknown
        } else {
            Completeness::Open
        }
    }

    /// The hours that are due and not done, oldest first.
    pub(super) fn waiting(&self) -> Vec<Hour> {
        let is_unknown = |completeness: &Completeness| *completeness == Completeness::Unknown;
        let listed = self.listed.iter().filter(|(_, it)| is_unknown(it)).map(|(hour, _)| *hour);
        let next = self.next;
        // Nothing lies between the two if the next hour is not due.
        let unread = (next <= self.newest_due).then(|| next.through(self.newest_due));
        listed.chain(unread.into_iter().flatten()).collect()
    }
}

#[cfg(test)]
mod tests {
    use proofpoint_sentinel_core::feed::{EventType, Feed};

    use super::*;
    use crate::state::{HourAttempt, HourRange, RecordedEnd};

    fn hour(number: i64) -> Hour {
        Hour::containing("2026-11-20T00:00:00Z".parse().unwrap()).plus(number)
    }

    fn attempt(number: i64) -> HourAttempt {
        HourAttempt {
            hour: hour(number),
            attempts: 1,
            empty_reads: 0,
            not_before: hour(number).end(),
            last_events: 1,
            last_end: RecordedEnd::Cut,
        }
    }

    /// A character for each of the hours 0 to 11, at 11:50.
    fn shown(checkpoint: &Checkpoint, first: Option<i64>) -> String {
        let now = hour(11).start() + SignedDuration::from_mins(50);
        let hours = Hours::of_log(checkpoint, first.map(hour), SignedDuration::from_mins(45), now);
        let letter = |number| match hours.completeness(hour(number)) {
            Completeness::Proved => 'p',
            Completeness::Believed => 'b',
            Completeness::Unknown => '?',
            Completeness::Lost => 'x',
            Completeness::Open => '.',
            Completeness::None => '-',
        };
        let shown: String = (0..12).map(letter).collect();
        let unknown = (0..12).filter(|number| letter(*number) == '?').map(hour);
        assert_eq!(hours.waiting(), unknown.collect::<Vec<_>>());
        shown
    }

    #[test]
    fn each_hour_has_one_completeness() {
        let feed = Feed::log("acme", EventType::Message);
        let mut checkpoint = Checkpoint::starting_at(hour(9), &feed, "run", hour(11).start());
        assert_eq!(shown(&checkpoint, None), "---------??.");
        assert_eq!(shown(&checkpoint, Some(2)), "--ppppppp??.");
        checkpoint.lost = vec![hour(1)];
        checkpoint.backlog = vec![HourRange { first: hour(3), last: hour(4) }];
        checkpoint.retry = vec![attempt(6)];
        checkpoint.believed = vec![attempt(7)];
        checkpoint.second = vec![hour(8)];
        assert_eq!(shown(&checkpoint, Some(1)), "-xp??p?bp??.");
        checkpoint.next_hour = hour(11);
        assert_eq!(shown(&checkpoint, Some(1)), "-xp??p?bppp.");
    }
}
