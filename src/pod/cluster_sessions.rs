//! The sessions that this process has with one cluster.
//!
//! Proofpoint documents one session for each token and event type. Some accounts allow one in all:
//! then a session of another type is refused with 409 while one is open, and the types have to take
//! turns.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering::SeqCst};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::sync::{RwLock, RwLockReadGuard, RwLockWriteGuard, watch};
use tokio::time::{Instant, timeout_at};

use crate::error_code;

/// For how long types take turns before it is tried again whether they have to. The session that was in
/// the way may have been the ghost of a process that was killed.
const TURNS_LAST: Duration = Duration::from_secs(3600);

/// The sessions of this process with all clusters. Clones share them.
#[derive(Clone, Debug, Default)]
pub struct ProcessSessions(Arc<Mutex<BTreeMap<String, Arc<ClusterSessions>>>>);

impl ProcessSessions {
    /// The sessions with the cluster of this id.
    pub fn of_cluster(&self, id: &str) -> Arc<ClusterSessions> {
        let mut clusters = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        clusters.entry(id.to_owned()).or_default().clone()
    }
}

/// What the sessions with one cluster share.
#[derive(Debug, Default)]
pub struct ClusterSessions {
    /// Held by each session: shared, or alone if types take turns. Whoever waits gets it in the order
    /// of asking.
    turns: RwLock<()>,
    /// Since when types take turns, if they do.
    takes_turns: Mutex<Option<Instant>>,
    /// Set once two sessions were open at a time.
    allows_several: AtomicBool,
    open: AtomicUsize,
    waiting: watch::Sender<usize>,
}

/// The right to open one session and to have it open.
#[derive(Debug)]
pub(crate) struct Turn<'a> {
    sessions: &'a ClusterSessions,
    right: Right<'a>,
    is_open: bool,
}

#[derive(Debug)]
enum Right<'a> {
    Shared(#[expect(dead_code, reason = "held")] RwLockReadGuard<'a, ()>),
    Alone(#[expect(dead_code, reason = "held")] RwLockWriteGuard<'a, ()>),
}

impl ClusterSessions {
    /// Waits for a turn; `None` if there was none before `deadline`.
    pub(super) async fn turn(&self, deadline: Instant) -> Option<Turn<'_>> {
        let shared = timeout_at(deadline, self.turns.read()).await.ok()?;
        if !self.takes_turns() {
            return Some(Turn { sessions: self, right: Right::Shared(shared), is_open: false });
        }
        drop(shared);
        let _waiting = WaitingSession::new(&self.waiting);
        let alone = timeout_at(deadline, self.turns.write()).await.ok()?;
        Some(Turn { sessions: self, right: Right::Alone(alone), is_open: false })
    }

    fn takes_turns(&self) -> bool {
        let mut since = self.takes_turns.lock().unwrap_or_else(PoisonError::into_inner);
        *since = since.filter(|since| since.elapsed() < TURNS_LAST);
        since.is_some()
    }

    /// Says that types have to take turns from now on; `false` if they did already.
    fn begin_turns(&self) -> bool {
        let mut since = self.takes_turns.lock().unwrap_or_else(PoisonError::into_inner);
        since.replace(Instant::now()).is_none()
    }

    /// Waits until another session waits for the end of this one. Cancel-safe.
    pub(crate) async fn until_waited_for(&self) {
        let mut waiting = self.waiting.subscribe();
        // The sender is as old as `self`.
        let _ = waiting.wait_for(|count| *count > 0).await;
    }
}

impl Turn<'_> {
    /// Says that the session was opened.
    pub(super) fn note_open(&mut self) {
        self.is_open = true;
        if self.sessions.open.fetch_add(1, SeqCst) > 0 {
            self.sessions.allows_several.store(true, SeqCst);
        }
    }

    /// Whether the token is in use by another of our own sessions, so far as is known. From then on
    /// sessions take turns.
    pub(super) fn yields_to_sibling(&self) -> bool {
        let ClusterSessions { allows_several, open, .. } = self.sessions;
        let is_taken = matches!(self.right, Right::Shared(_))
            && open.load(SeqCst) > 0
            && !allows_several.load(SeqCst);
        if is_taken && self.sessions.begin_turns() {
            tracing::warn!(code = %error_code::ONE_SESSION, "the account allows one session at a time: its event types take turns");
        }
        is_taken
    }
}

impl Drop for Turn<'_> {
    fn drop(&mut self) {
        if self.is_open {
            self.sessions.open.fetch_sub(1, SeqCst);
        }
    }
}

/// Counts as waiting until it is dropped.
struct WaitingSession<'a>(&'a watch::Sender<usize>);

impl<'a> WaitingSession<'a> {
    fn new(waiting: &'a watch::Sender<usize>) -> WaitingSession<'a> {
        waiting.send_modify(|count| *count += 1);
        WaitingSession(waiting)
    }
}

impl Drop for WaitingSession<'_> {
    fn drop(&mut self) {
        self.0.send_modify(|count| *count -= 1);
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use futures_util::FutureExt as _;

    use super::*;

    fn soon() -> Instant {
        Instant::now() + Duration::from_secs(10)
    }

    #[tokio::test(start_paused = true)]
    async fn types_take_turns_once_one_was_refused_for_another() {
        let sessions = ClusterSessions::default();
        let mut first = sessions.turn(soon()).await.unwrap();
        first.note_open();
        let second = sessions.turn(soon()).await.unwrap();
        assert!(second.yields_to_sibling());
        drop(second);
        assert!(sessions.until_waited_for().now_or_never().is_none());

        let mut waiting = Box::pin(sessions.turn(soon()));
        assert!(waiting.as_mut().now_or_never().is_none(), "the first session is open");
        assert!(sessions.until_waited_for().now_or_never().is_some());
        drop(first);
        let second = waiting.await.expect("its turn has come");
        assert!(!second.yields_to_sibling(), "it has its turn alone");
        assert!(sessions.until_waited_for().now_or_never().is_none());
        assert!(sessions.turn(soon()).await.is_none(), "not before the second session ends");
        drop(second);
        assert!(sessions.turn(soon()).await.is_some());
    }

    #[tokio::test(start_paused = true)]
    async fn after_an_hour_it_is_tried_again_whether_turns_are_needed() {
        let process = ProcessSessions::default();
        let sessions = process.of_cluster("acme");
        let mut first = sessions.turn(soon()).await.unwrap();
        first.note_open();
        assert!(sessions.turn(soon()).await.unwrap().yields_to_sibling());
        let same = process.clone().of_cluster("acme");
        assert!(same.turn(soon()).await.is_none(), "a turn is taken");
        assert!(process.of_cluster("other").turn(soon()).await.is_some());
        tokio::time::advance(TURNS_LAST).await;
        assert!(same.turn(soon()).await.is_some());
    }

    #[tokio::test(start_paused = true)]
    async fn two_open_sessions_show_that_a_refusal_is_no_siblings() {
        let sessions = ClusterSessions::default();
        let mut first = sessions.turn(soon()).await.unwrap();
        first.note_open();
        let mut second = sessions.turn(soon()).await.unwrap();
        second.note_open();
        let third = sessions.turn(soon()).await.unwrap();
        assert!(!third.yields_to_sibling());
    }

    #[tokio::test(start_paused = true)]
    async fn a_refusal_while_no_session_is_open_is_no_siblings() {
        let sessions = ClusterSessions::default();
        let _first = sessions.turn(soon()).await.unwrap();
        let second = sessions.turn(soon()).await.unwrap();
        assert!(!second.yields_to_sibling());
    }
}
