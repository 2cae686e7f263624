//! Memory for the work on feeds: one pool for the process, shared out to the feeds at work.
//!
//! A feed has a [`Place`] in the pool. It works only while it is let in, and draws what it holds in
//! memory: events, rows, posts and the ids of the ledger. While more is drawn than the pool has, no
//! feed is let in, and only the one that was let in first may draw more, so that it comes to an end
//! and gives back what it has. The pool can so be exceeded by what one feed needs at most.

use std::sync::atomic::{AtomicU32, AtomicU64, AtomicUsize, Ordering::SeqCst};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use jiff::Timestamp;
use tokio::sync::{Notify, oneshot, watch};
use tokio::time::{Instant, sleep_until};
use tokio_util::sync::CancellationToken;

/// What a feed at work counts for besides what it draws, as measured: the buffers of its session, of
/// its posts and of the allocator.
const SHARE: usize = 12 << 20;

/// So much may be drawn by each feed at work, however much others have drawn.
const MIN_DRAW: usize = 4 << 20;

/// More feeds at work make nothing faster.
const MAX_AT_WORK: usize = 64;

/// The pool. Cheap to clone; the runs of a process share one.
#[derive(Clone, Debug)]
pub struct MemoryPool(Arc<Shared>);

#[derive(Debug)]
struct Shared {
    limit: usize,
    used: AtomicUsize,
    /// The ticket of the feed that was let in first of those at work; 0 if there is none.
    first: AtomicU64,
    queue: Mutex<Queue>,
    waiting: watch::Sender<usize>,
    /// Told when there is room again, or another feed has become the first.
    room: Notify,
}

#[derive(Debug, Default)]
struct Queue {
    last_ticket: u64,
    /// Tickets of the feeds at work, in the order in which they were let in.
    at_work: Vec<u64>,
    waiting: Vec<WaitingFeed>,
}

#[derive(Debug)]
struct WaitingFeed {
    order: TurnOrder,
    let_in: oneshot::Sender<u64>,
}

/// Who goes first: the feed with the fewest turns in this run, and of several the one whose last
/// turn in any run was longest ago.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct TurnOrder {
    turns: u32,
    last_worked: Option<Timestamp>,
}

impl MemoryPool {
    /// A pool of `limit` bytes.
    pub fn new(limit: usize) -> MemoryPool {
        MemoryPool(Arc::new(Shared {
            limit,
            used: AtomicUsize::new(0),
            first: AtomicU64::new(0),
            queue: Mutex::default(),
            waiting: watch::Sender::new(0),
            room: Notify::new(),
        }))
    }

    /// A place for a feed, which is not let in yet.
    pub(super) fn place(&self) -> Arc<Place> {
        let (ticket, drawn, turns) = (AtomicU64::new(0), AtomicUsize::new(0), AtomicU32::new(0));
        Arc::new(Place { pool: self.clone(), ticket, drawn, turns })
    }

    fn lock(&self) -> MutexGuard<'_, Queue> {
        self.0.queue.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn has_room(&self) -> bool {
        self.0.used.load(SeqCst) < self.0.limit
    }

    /// Lets in whoever is next, as long as there is room.
    fn let_in(&self) {
        let mut queue = self.lock();
        while let Some(next) = self.next_in(&queue) {
            let waiting = queue.waiting.swap_remove(next);
            queue.last_ticket += 1;
            let ticket = queue.last_ticket;
            // One that no longer waits has no use for it.
            if waiting.let_in.send(ticket).is_ok() {
                queue.at_work.push(ticket);
                self.0.used.fetch_add(SHARE, SeqCst);
            }
        }
        let waiting = queue.waiting.len();
        self.0.first.store(queue.at_work.first().copied().unwrap_or(0), SeqCst);
        drop(queue);
        self.0.waiting.send_if_modified(|count| std::mem::replace(count, waiting) != waiting);
    }

    /// The position of the next one to be let in, if it can be.
    fn next_in(&self, queue: &Queue) -> Option<usize> {
        let has_room =
            queue.at_work.len() < MAX_AT_WORK && self.0.used.load(SeqCst) + SHARE <= self.0.limit;
        if !has_room && !queue.at_work.is_empty() {
            return None;
        }
        let ranks = queue.waiting.iter().enumerate();
        ranks.min_by_key(|(_, waiting)| waiting.order).map(|(position, _)| position)
    }

    fn leave(&self, ticket: u64) {
        self.lock().at_work.retain(|other| *other != ticket);
        self.0.used.fetch_sub(SHARE, SeqCst);
        self.let_in();
        self.0.room.notify_waiters();
    }
}

/// A feed's place in the pool.
#[derive(Debug)]
pub struct Place {
    pool: MemoryPool,
    /// 0 while the feed is not at work.
    ticket: AtomicU64,
    /// Bytes drawn.
    drawn: AtomicUsize,
    /// How often it was let in.
    turns: AtomicU32,
}

impl Place {
    /// Waits until the feed is let in. `last_worked` is when it was at work last, in any run.
    /// Cancel-safe.
    pub(super) async fn enter(&self, last_worked: Option<Timestamp>) {
        let (let_in, entered) = oneshot::channel();
        let order = TurnOrder { turns: self.turns.load(SeqCst), last_worked };
        self.pool.lock().waiting.push(WaitingFeed { order, let_in });
        self.pool.let_in();
        let ticket = Entering { pool: &self.pool, entered: Some(entered) }.wait().await;
        self.turns.fetch_add(1, SeqCst);
        self.ticket.store(ticket, SeqCst);
    }

    /// As [`enter`](Self::enter), but gives up at `ends` or when `halt` is cancelled; false then.
    pub(super) async fn enter_before(
        &self,
        last_worked: Option<Timestamp>,
        ends: Instant,
        halt: &CancellationToken,
    ) -> bool {
        tokio::select! {
            biased;
            () = self.enter(last_worked) => true,
            () = sleep_until(ends) => false,
            () = halt.cancelled() => false,
        }
    }

    /// Ends the feed's work for now. Nothing should be drawn any more.
    pub(super) fn leave(&self) {
        let ticket = self.ticket.swap(0, SeqCst);
        if ticket != 0 {
            self.pool.leave(ticket);
        }
    }

    /// Whether another feed waits to be let in.
    pub(super) fn is_waited_for(&self) -> bool {
        *self.pool.0.waiting.borrow() > 0
    }

    /// Waits until another feed waits to be let in. Cancel-safe.
    pub(super) async fn until_waited_for(&self) {
        let mut waiting = self.pool.0.waiting.subscribe();
        // The sender is as old as `self`.
        let _ = waiting.wait_for(|count| *count > 0).await;
    }

    /// Whether more may be drawn.
    pub(super) fn may_draw(&self) -> bool {
        self.pool.has_room()
            || self.drawn.load(SeqCst) < MIN_DRAW
            || self.pool.0.first.load(SeqCst) == self.ticket.load(SeqCst)
    }

    /// Waits until more may be drawn. Cancel-safe.
    pub(super) async fn room(&self) {
        loop {
            let told = self.pool.0.room.notified();
            tokio::pin!(told);
            told.as_mut().enable();
            if self.may_draw() {
                return;
            }
            told.await;
        }
    }

    fn draw(&self, bytes: usize) {
        self.drawn.fetch_add(bytes, SeqCst);
        self.pool.0.used.fetch_add(bytes, SeqCst);
    }

    fn give_back(&self, bytes: usize) {
        self.drawn.fetch_sub(bytes, SeqCst);
        let was = self.pool.0.used.fetch_sub(bytes, SeqCst);
        let limit = self.pool.0.limit;
        if was >= limit && was - bytes < limit {
            self.pool.0.room.notify_waiters();
        }
        if self.is_waited_for() {
            self.pool.let_in();
        }
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        self.leave();
    }
}

/// Passes on the ticket of one that was let in when it no longer waited.
struct Entering<'a> {
    pool: &'a MemoryPool,
    /// `None` once the ticket has an owner.
    entered: Option<oneshot::Receiver<u64>>,
}

impl Entering<'_> {
    async fn wait(mut self) -> u64 {
        let Some(entered) = &mut self.entered else { return 0 };
        let ticket = entered.await.unwrap_or(0);
        self.entered = None;
        ticket
    }
}

impl Drop for Entering<'_> {
    fn drop(&mut self) {
        let Some(entered) = &mut self.entered else { return };
        entered.close();
        match entered.try_recv() {
            Ok(ticket) => self.pool.leave(ticket),
            Err(_) => {
                self.pool.lock().waiting.retain(|waiting| !waiting.let_in.is_closed());
                self.pool.let_in();
            }
        }
    }
}

/// Bytes drawn from a pool, and given back when it is dropped.
#[derive(Debug)]
pub(super) struct Draw {
    place: Arc<Place>,
    bytes: usize,
}

impl Draw {
    /// Nothing yet.
    pub(super) fn nothing(place: &Arc<Place>) -> Draw {
        Draw { place: place.clone(), bytes: 0 }
    }

    /// Draws `bytes` more.
    pub(super) fn add(&mut self, bytes: usize) {
        self.bytes += bytes;
        self.place.draw(bytes);
    }

    /// Makes it `bytes` in all.
    pub(super) fn set(&mut self, bytes: usize) {
        match bytes.checked_sub(self.bytes) {
            Some(more) => self.place.draw(more),
            None => self.place.give_back(self.bytes - bytes),
        }
        self.bytes = bytes;
    }

    /// Takes all of it, so that nothing is left here.
    pub(super) fn take(&mut self) -> Draw {
        let nothing = Draw::nothing(&self.place);
        std::mem::replace(self, nothing)
    }
}

impl Drop for Draw {
    fn drop(&mut self) {
        self.place.give_back(self.bytes);
    }
}

#[cfg(test)]
mod tests;
