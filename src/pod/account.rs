//! The sessions that this process has with one cluster.
//!
//! Proofpoint documents one session for each token and event type. Some accounts allow one in all:
//! then a session of another type is refused with 409 while one is open, and the types have to take
//! turns.

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering::SeqCst};

use tokio::sync::{RwLock, RwLockReadGuard, RwLockWriteGuard, watch};
use tokio::time::{Instant, timeout_at};

use crate::error_code;

/// What the sessions with one cluster share.
#[derive(Debug, Default)]
pub struct Account {
    /// Held by each session: shared, or alone if types take turns. Whoever waits gets it in the order
    /// of asking.
    turns: RwLock<()>,
    takes_turns: AtomicBool,
    /// Set once two sessions were open at a time.
    allows_several: AtomicBool,
    open: AtomicUsize,
    waiting: watch::Sender<usize>,
}

/// The right to open one session and to have it open.
#[derive(Debug)]
pub(crate) struct Turn<'a> {
    account: &'a Account,
    right: Right<'a>,
    is_open: bool,
}

#[derive(Debug)]
enum Right<'a> {
    Shared(#[expect(dead_code, reason = "held")] RwLockReadGuard<'a, ()>),
    Alone(#[expect(dead_code, reason = "held")] RwLockWriteGuard<'a, ()>),
}

impl Account {
    /// Waits for a turn; `None` if there was none before `deadline`.
    pub(super) async fn turn(&self, deadline: Instant) -> Option<Turn<'_>> {
        let shared = timeout_at(deadline, self.turns.read()).await.ok()?;
        if !self.takes_turns.load(SeqCst) {
            return Some(Turn { account: self, right: Right::Shared(shared), is_open: false });
        }
        drop(shared);
        let _waiting = Waiting::new(&self.waiting);
        let alone = timeout_at(deadline, self.turns.write()).await.ok()?;
        Some(Turn { account: self, right: Right::Alone(alone), is_open: false })
    }

    /// Waits until another session waits for the end of this one. Cancel-safe.
    pub(crate) async fn is_waited_for(&self) {
        let mut waiting = self.waiting.subscribe();
        // The sender is as old as `self`.
        let _ = waiting.wait_for(|count| *count > 0).await;
    }
}

impl Turn<'_> {
    /// Says that the session was opened.
    pub(super) fn note_open(&mut self) {
        self.is_open = true;
        if self.account.open.fetch_add(1, SeqCst) > 0 {
            self.account.allows_several.store(true, SeqCst);
        }
    }

    /// Whether the token is in use by another of our own sessions, so far as is known. From then on
    /// sessions take turns.
    pub(super) fn is_taken_by_a_sibling(&self) -> bool {
        let Account { takes_turns, allows_several, open, .. } = self.account;
        let is_taken = matches!(self.right, Right::Shared(_))
            && open.load(SeqCst) > 0
            && !allows_several.load(SeqCst);
        if is_taken && !takes_turns.swap(true, SeqCst) {
            tracing::warn!(code = %error_code::ONE_SESSION, "the account allows one session at a time: its event types take turns");
        }
        is_taken
    }
}

impl Drop for Turn<'_> {
    fn drop(&mut self) {
        if self.is_open {
            self.account.open.fetch_sub(1, SeqCst);
        }
    }
}

/// Counts as waiting until it is dropped.
struct Waiting<'a>(&'a watch::Sender<usize>);

impl<'a> Waiting<'a> {
    fn new(waiting: &'a watch::Sender<usize>) -> Waiting<'a> {
        waiting.send_modify(|count| *count += 1);
        Waiting(waiting)
    }
}

impl Drop for Waiting<'_> {
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
        let account = Account::default();
        let mut first = account.turn(soon()).await.unwrap();
        first.note_open();
        let second = account.turn(soon()).await.unwrap();
        assert!(second.is_taken_by_a_sibling());
        drop(second);
        assert!(account.is_waited_for().now_or_never().is_none());

        let mut waiting = Box::pin(account.turn(soon()));
        assert!(waiting.as_mut().now_or_never().is_none(), "the first session is open");
        assert!(account.is_waited_for().now_or_never().is_some());
        drop(first);
        let second = waiting.await.expect("its turn has come");
        assert!(!second.is_taken_by_a_sibling(), "it has its turn alone");
        assert!(account.is_waited_for().now_or_never().is_none());
        assert!(account.turn(soon()).await.is_none(), "not before the second session ends");
        drop(second);
        assert!(account.turn(soon()).await.is_some());
    }

    #[tokio::test(start_paused = true)]
    async fn two_open_sessions_show_that_a_refusal_is_no_siblings() {
        let account = Account::default();
        let mut first = account.turn(soon()).await.unwrap();
        first.note_open();
        let mut second = account.turn(soon()).await.unwrap();
        second.note_open();
        let third = account.turn(soon()).await.unwrap();
        assert!(!third.is_taken_by_a_sibling());
    }

    #[tokio::test(start_paused = true)]
    async fn a_refusal_while_no_session_is_open_is_no_siblings() {
        let account = Account::default();
        let _first = account.turn(soon()).await.unwrap();
        let second = account.turn(soon()).await.unwrap();
        assert!(!second.is_taken_by_a_sibling());
    }
}
