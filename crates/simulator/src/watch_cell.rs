//! A value that can be waited for.

use std::fmt;

use tokio::sync::watch;

/// A shared value. Readers can wait until it meets a condition.
pub(super) struct WatchCell<T>(watch::Sender<T>);

impl<T: Clone> WatchCell<T> {
    pub(super) fn new(value: T) -> WatchCell<T> {
        WatchCell(watch::Sender::new(value))
    }

    pub(super) fn update(&self, change: impl FnOnce(&mut T)) {
        self.0.send_modify(change);
    }

    pub(super) fn get(&self) -> T {
        self.0.borrow().clone()
    }

    /// Waits until `condition` is true for the value. Returns at once if it already is.
    pub(super) async fn wait_for(&self, condition: impl FnMut(&T) -> bool) -> T {
        let mut receiver = self.0.subscribe();
        let found = receiver.wait_for(condition).await.map(|value| value.clone());
        found.expect("the sender is borrowed and so outlives the wait")
    }
}

impl<T: fmt::Debug> fmt::Debug for WatchCell<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.borrow().fmt(f)
    }
}
