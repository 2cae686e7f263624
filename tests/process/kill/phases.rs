//! Which phase of its run the handler was in when it was killed, as seen from the Log API.

use std::collections::BTreeMap;
use std::fmt;

use proofpoint_sentinel_simulator::pod::FeedCounters;

/// A phase of a handler's run, for one feed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Phase {
    /// It had not answered its host yet.
    Starting,
    /// It had opened no session: it read its settings, took the lease, read the checkpoint.
    BeforeSession,
    /// It was refused a session because the killed handler's session still counted as open.
    SessionRefused,
    /// A live session was open.
    Live,
    /// An archive session was open.
    Archive,
    /// No session was open any more, or none for the moment: posts, ledger, checkpoint, status.
    AfterSession,
    /// The run was over.
    Finished,
}

/// The phases that kills must hit, or the test means little.
const REQUIRED: [Phase; 4] =
    [Phase::BeforeSession, Phase::Live, Phase::Archive, Phase::AfterSession];

impl Phase {
    /// The phase of a run that began when the feed's counters were `before`.
    pub(crate) fn of(before: FeedCounters, now: FeedCounters) -> Phase {
        if now.live_open > 0 {
            Phase::Live
        } else if now.open > 0 {
            Phase::Archive
        } else if now.opened > before.opened {
            Phase::AfterSession
        } else if now.refused > before.refused {
            Phase::SessionRefused
        } else {
            Phase::BeforeSession
        }
    }
}

/// How often kills hit each phase, counted for each feed.
#[derive(Default)]
pub(crate) struct PhaseCounts(BTreeMap<Phase, usize>);

impl PhaseCounts {
    pub(crate) fn count(&mut self, phase: Phase) {
        *self.0.entry(phase).or_default() += 1;
    }

    pub(crate) fn add(&mut self, others: &PhaseCounts) {
        for (phase, count) in &others.0 {
            *self.0.entry(*phase).or_default() += count;
        }
    }

    /// Fails if no kill hit one of the required phases.
    pub(crate) fn assert_covered(&self) {
        let missed: Vec<_> = REQUIRED.iter().filter(|phase| !self.0.contains_key(phase)).collect();
        assert!(missed.is_empty(), "no kill hit {missed:?}");
    }
}

impl fmt::Display for PhaseCounts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("phases hit, counted for each feed:")?;
        for (phase, count) in &self.0 {
            write!(f, " {phase:?} {count}")?;
        }
        Ok(())
    }
}
