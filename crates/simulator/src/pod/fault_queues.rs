//! Injected faults of the next sessions.

use std::collections::{HashMap, VecDeque};
use std::sync::{Mutex, MutexGuard};

use proofpoint_sentinel_core::feed::Feed;
use proofpoint_sentinel_core::hour::Hour;

use super::request::SessionWindow;
use super::session_fault::SessionFault;

/// The injected faults of each feed.
#[derive(Debug, Default)]
pub(super) struct FaultQueues(Mutex<HashMap<Feed, FeedFaults>>);

/// The faults of a feed in their order, by kind of session.
#[derive(Debug, Default)]
struct FeedFaults {
    any: VecDeque<SessionFault>,
    live: VecDeque<SessionFault>,
    archive: VecDeque<SessionFault>,
    /// Faults of every archive session that begins with the hour.
    hours: HashMap<Hour, SessionFault>,
}

/// The sessions that a fault can affect.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum SessionKind {
    Any,
    Live,
    Archive,
}

impl FaultQueues {
    pub(super) fn extend(
        &self,
        feed: &Feed,
        kind: SessionKind,
        faults: impl IntoIterator<Item = SessionFault>,
    ) {
        let mut queues = self.lock();
        let feed_faults = queues.entry(feed.clone()).or_default();
        let queue = match kind {
            SessionKind::Any => &mut feed_faults.any,
            SessionKind::Live => &mut feed_faults.live,
            SessionKind::Archive => &mut feed_faults.archive,
        };
        queue.extend(faults);
    }

    /// Takes the next fault for a session with this `window`. Faults for any session come first.
    pub(super) fn take(&self, feed: &Feed, window: SessionWindow) -> Option<SessionFault> {
        let mut queues = self.lock();
        let FeedFaults { any, live, archive, hours } = queues.get_mut(feed)?;
        let (own, of_hour) = match window {
            SessionWindow::Live => (live, None),
            SessionWindow::Archive(first, _) => (archive, hours.get(&first).cloned()),
        };
        any.pop_front().or_else(|| own.pop_front()).or(of_hour)
    }

    /// Gives every archive session that begins with `hour` this fault, or none any more.
    pub(super) fn set_hour(&self, feed: &Feed, hour: Hour, fault: Option<SessionFault>) {
        let mut queues = self.lock();
        let hours = &mut queues.entry(feed.clone()).or_default().hours;
        match fault {
            Some(fault) => hours.insert(hour, fault),
            None => hours.remove(&hour),
        };
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<Feed, FeedFaults>> {
        self.0.lock().expect("no holder of the queues panics")
    }
}
