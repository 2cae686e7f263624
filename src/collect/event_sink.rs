//! What takes the events of a session.

use std::future::Future;

use bytes::Bytes;

/// Takes events, at its own pace.
pub trait EventSink {
    /// Why it can't take more.
    type Error;

    /// Whether the next event can be taken without waiting for
    /// [`make_progress`](Self::make_progress).
    fn has_capacity(&self) -> bool;

    /// Waits until a piece of work in flight is finished, and accounts for it, or until another is
    /// to be begun though no event came. Pending where there is neither. Cancel-safe.
    fn make_progress(&mut self) -> impl Future<Output = Result<(), Self::Error>> + Send;

    /// Whether a live stream that is read into this sink need not be read any further for now.
    fn has_caught_up(&self) -> bool {
        false
    }

    /// Whether nothing more can be taken before the work has to end.
    fn is_out_of_time(&self) -> bool {
        false
    }

    /// Takes an event.
    fn push(&mut self, event: Bytes) -> impl Future<Output = Result<(), Self::Error>> + Send;

    /// Finishes all work, so that every event taken is accounted for.
    fn flush(&mut self) -> impl Future<Output = Result<(), Self::Error>> + Send;

    /// After a failure: begins nothing more, but waits for what is in flight and accounts for it.
    fn drain_in_flight(&mut self) -> impl Future<Output = ()> + Send;
}
