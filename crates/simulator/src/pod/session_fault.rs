//! Faults of a session.

use bytes::Bytes;

use super::refused_handshake::RefusedHandshake;

/// A fault of one live or archive session. A count of events is the number sent before the fault.
#[derive(Clone, Debug)]
pub enum SessionFault {
    /// The handshake is refused.
    Refuse(RefusedHandshake),

    /// The connection is dropped without a close frame and without a TLS close.
    CutAfter(u64),
    /// The connection is dropped after half of the next event's frame. In a live session, that event
    /// counts as sent.
    CutWithinEvent(u64),
    /// The connection is reset. Data in flight may be lost.
    ResetAfter(u64),
    /// The server sends a close frame early, with this code or without one.
    CloseAfter(u64, Option<u16>),
    /// The server sends nothing more, but answers pings.
    StallAfter(u64),
    /// The server sends nothing more, not even answers to pings or to a close frame. The connection
    /// and the session's slot stay until the client ends the connection.
    HalfOpenAfter(u64),
    /// After all events, the connection ends cleanly but without a close frame.
    EndByEof,
    /// The session ends normally without sending any event.
    FalseEmpty,

    /// An empty text frame precedes each event.
    EmptyFrames,
    /// Events are sent in binary frames.
    BinaryFrames,
    /// A line feed follows each event.
    TrailingNewline,
    /// The server sends a frame with these bytes: a text frame if they are UTF-8, otherwise a binary
    /// one.
    Garbage(u64, Bytes),
    /// The server sends a text frame that is not UTF-8.
    NotUtf8After(u64),
    /// The server begins a frame of 65 MiB and does not continue it.
    OversizedAfter(u64),
    /// The server sends a ping after every n-th event, and ends the session when all are answered.
    PingEvery(u64),

    /// Every n-th event is sent twice.
    DuplicateEvery(u64),
    /// Every n-th event is skipped. A live session moves past it.
    SkipEvery(u64),
    /// Every n available events are sent in reverse order.
    ReverseEvery(usize),

    /// The server sends this many bytes per second, in small pieces.
    Trickle(u32),
}
