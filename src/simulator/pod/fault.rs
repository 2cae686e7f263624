//! What can be made to go wrong with a session.

use bytes::Bytes;

use super::Refusal;

/// How the next session of a feed misbehaves. Where a fault names a count of events, it is the
/// number sent before.
#[derive(Clone, Debug)]
pub enum Fault {
    /// No session: the upgrade is refused.
    Refuse(Refusal),
    /// The connection is dropped without a close frame and without an end of TLS.
    CutAfter(u64),
    /// A close frame comes early: with this code, or with none.
    CloseAfter(u64, Option<u16>),
    /// Nothing more comes, but pings are answered.
    StallAfter(u64),
    /// An empty text frame comes before each event.
    EmptyFrames,
    /// Events come in binary frames.
    BinaryFrames,
    /// A line feed follows each event.
    TrailingNewline,
    /// A frame with these bytes comes after the given number of events.
    Garbage(u64, Bytes),
    /// A ping comes after every so many events, and the session ends only when all are answered.
    PingEvery(u64),
    /// All events come, then the connection ends in good order but without a close frame.
    EndByEof,
    /// The session ends normally without any of the hour's events.
    FalseEmpty,
}
