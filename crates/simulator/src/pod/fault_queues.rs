//! Injected faults of the next sessions.

use std::collections::{HashMap, VecDeque};
use std::sync::{Mutex, MutexGuard};

use proofpoint_sentinel_core::feed::Feed;

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
        let FeedFaults { any, live, archive } = queues.get_mut(feed)?;
        let own = match window {
            SessionWindow::Live => live,
            SessionWindow::Archive(..) => archive,
        };
        any.pop_front().or_else(|| own.pop_front())
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<Feed, FeedFaults>> {
        self.0.lock().expect("no holder of the queues panics")
    }
}
