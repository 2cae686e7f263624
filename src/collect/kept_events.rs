//! Copies of the events whose rows are not accepted yet.

use bytes::{Bytes, BytesMut};

/// So many bytes of events share one piece of memory.
const CHUNK: usize = 64 << 10;

/// A longer event is not copied.
const LONG: usize = 1 << 20;

/// Keeps events apart from the buffer that they were read into. While an event holds that buffer, the
/// connection has to begin another one for every few events, and reads little at a time.
#[derive(Default)]
pub(super) struct KeptEvents {
    chunk: BytesMut,
}

impl KeptEvents {
    /// The same bytes, in other memory unless they are many.
    pub(super) fn keep(&mut self, event: &Bytes) -> Bytes {
        if event.len() > LONG {
            return event.clone();
        }
        if self.chunk.capacity() < event.len() {
            self.chunk = BytesMut::with_capacity(CHUNK.max(event.len()));
        }
        self.chunk.extend_from_slice(event);
        self.chunk.split().freeze()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn events_of_any_length_are_kept_as_they_are() {
        let mut kept = KeptEvents::default();
        let lengths = [0, 1, 900, CHUNK - 1_000, 500, CHUNK, CHUNK + 1, 7, LONG, LONG + 1, 3];
        let events: Vec<Bytes> =
            (0..).zip(lengths).map(|(byte, length)| vec![byte; length].into()).collect();
        let copies: Vec<Bytes> = events.iter().map(|event| kept.keep(event)).collect();
        assert_eq!(copies, events);
    }

    #[test]
    fn the_buffer_of_a_connection_is_free_again() {
        let buffer = Bytes::from(vec![b'x'; 5_000]);
        let kept = KeptEvents::default().keep(&buffer.slice(10..2_000));
        assert!(buffer.is_unique());
        assert_eq!(kept, buffer[10..2_000]);
    }
}
