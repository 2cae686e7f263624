//! What the handler was at when it was killed, as far as the Log API can tell.

use std::collections::BTreeMap;
use std::fmt;

use proofpoint_sentinel_simulator::pod::FeedCounters;

/// A part of a handler's life, for one feed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Moment {
    /// It had not answered its host yet.
    Starting,
    /// It had opened no session: settings, lease, checkpoint.
    Beginning,
    /// It was refused a session, since the one of the handler before it counted as alive.
    Haunted,
    /// A live session was open.
    Live,
    /// A session with the archive was open.
    Archive,
    /// No session was open any more, or none for the moment: posts, ledger, checkpoint, status.
    Afterwards,
    /// The run was over.
    Idle,
}

/// Where a kill must hit for the test to mean much.
const NEEDED: [Moment; 4] = [Moment::Beginning, Moment::Live, Moment::Archive, Moment::Afterwards];

impl Moment {
    /// The moment of a run that began when the feed's counts were as `before`.
    pub(crate) fn of(before: FeedCounters, now: FeedCounters) -> Moment {
        // A run reads the archive after the live stream.
        if now.open > 0 && now.archive_opened > before.archive_opened {
            Moment::Archive
        } else if now.open > 0 {
            Moment::Live
        } else if now.opened > before.opened {
            Moment::Afterwards
        } else if now.refused > before.refused {
            Moment::Haunted
        } else {
            Moment::Beginning
        }
    }
}

/// How often each moment was hit, counted for each feed.
#[derive(Default)]
pub(crate) struct Moments(BTreeMap<Moment, usize>);

impl Moments {
    pub(crate) fn hit(&mut self, moment: Moment) {
        *self.0.entry(moment).or_default() += 1;
    }

    pub(crate) fn add(&mut self, others: &Moments) {
        for (moment, count) in &others.0 {
            *self.0.entry(*moment).or_default() += count;
        }
    }

    /// Fails where kills missed a part of a handler's life.
    pub(crate) fn assert_covered(&self) {
        let missed: Vec<_> = NEEDED.iter().filter(|moment| !self.0.contains_key(moment)).collect();
        assert!(missed.is_empty(), "no kill hit {missed:?}");
    }
}

impl fmt::Display for Moments {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("hit, counted for each feed:")?;
        for (moment, count) in &self.0 {
            write!(f, " {moment:?} {count}")?;
        }
        Ok(())
    }
}
