//! What can be made to go wrong with a session.

use bytes::Bytes;

use super::RefusedHandshake;

/// How one session of a feed misbehaves, live or with the archive. Where a fault names a count of
/// events, it is the number sent before.
#[derive(Clone, Debug)]
pub enum SessionFault {
    /// No session: the upgrade is refused.
    Refuse(RefusedHandshake),

    /// The connection is dropped without a close frame and without an end of TLS.
    CutAfter(u64),
    /// Half of the next event's frame comes, and then the connection is dropped. For a live feed
    /// that event counts as sent.
    CutWithinEvent(u64),
    /// The connection is reset; what is under way may be lost.
    ResetAfter(u64),
    /// A close frame comes early: with this code, or with none.
    CloseAfter(u64, Option<u16>),
    /// Nothing more comes, but pings are answered.
    StallAfter(u64),
    /// Nothing more comes, not even answers to pings or to a close frame, though the connection
    /// stays open until the client ends it. Until then the session keeps its place.
    HalfOpenAfter(u64),
    /// All events come, then the connection ends in good order but without a close frame.
    EndByEof,
    /// The session ends normally without any event.
    FalseEmpty,

    /// An empty text frame comes before each event.
    EmptyFrames,
    /// Events come in binary frames.
    BinaryFrames,
    /// A line feed follows each event.
    TrailingNewline,
    /// A frame with these bytes comes after the given number of events: a text frame if they are
    /// UTF-8, a binary one otherwise.
    Garbage(u64, Bytes),
    /// A text frame comes whose bytes are not UTF-8.
    NotUtf8After(u64),
    /// A frame begins that is to have 65 MiB, and does not go on.
    OversizedAfter(u64),
    /// A ping comes after every so many events, and the session ends only when all are answered.
    PingEvery(u64),

    /// Every so-many-th event comes twice.
    DuplicateEvery(u64),
    /// Every so-many-th event is left out. A live feed moves past it.
    SkipEvery(u64),
    /// Of every so many events that are there at once the last comes first.
    ReverseEvery(usize),

    /// So many bytes come in a second, in small pieces.
    Trickle(u32),
}
