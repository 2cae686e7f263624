//! Counters that a test can wait for.

use std::fmt;

use tokio::sync::watch;

/// A value that many change and anybody may wait for.
pub(super) struct Watched<T>(watch::Sender<T>);

impl<T: Clone> Watched<T> {
    pub(super) fn new(value: T) -> Watched<T> {
        Watched(watch::Sender::new(value))
    }

    pub(super) fn update(&self, change: impl FnOnce(&mut T)) {
        self.0.send_modify(change);
    }

    pub(super) fn get(&self) -> T {
        self.0.borrow().clone()
    }

    /// Waits until the value is as `wanted`, which it may be already.
    pub(super) async fn wait_for(&self, wanted: impl FnMut(&T) -> bool) -> T {
        let mut receiver = self.0.subscribe();
        let found = receiver.wait_for(wanted).await.map(|value| value.clone());
        found.expect("the sender is borrowed and so outlives the wait")
    }
}

impl<T: fmt::Debug> fmt::Debug for Watched<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.borrow().fmt(f)
    }
}
