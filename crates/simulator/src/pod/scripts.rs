//! Which faults are still to come.

use std::collections::{HashMap, VecDeque};
use std::sync::{Mutex, MutexGuard};

use proofpoint_sentinel_core::feed::Feed;

use super::SessionFault;
use super::request::Window;

/// The faults scripted for each feed.
#[derive(Debug, Default)]
pub(super) struct Scripts(Mutex<HashMap<Feed, Script>>);

/// Faults in their order, by the sessions that they are for.
#[derive(Debug, Default)]
struct Script {
    any: VecDeque<SessionFault>,
    live: VecDeque<SessionFault>,
    archive: VecDeque<SessionFault>,
}

/// The sessions that a fault is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Any,
    Live,
    Archive,
}

impl Scripts {
    pub(super) fn extend(
        &self,
        feed: &Feed,
        kind: Kind,
        faults: impl IntoIterator<Item = SessionFault>,
    ) {
        let mut scripts = self.lock();
        let script = scripts.entry(feed.clone()).or_default();
        let queue = match kind {
            Kind::Any => &mut script.any,
            Kind::Live => &mut script.live,
            Kind::Archive => &mut script.archive,
        };
        queue.extend(faults);
    }

    /// Takes the fault of a session for `window`: those for any session come first.
    pub(super) fn take(&self, feed: &Feed, window: Window) -> Option<SessionFault> {
        let mut scripts = self.lock();
        let Script { any, live, archive } = scripts.get_mut(feed)?;
        let own = match window {
            Window::Live => live,
            Window::Archive(..) => archive,
        };
        any.pop_front().or_else(|| own.pop_front())
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<Feed, Script>> {
        self.0.lock().expect("no holder of the scripts panics")
    }
}
