//! Faults of a call.

use bytes::Bytes;

use super::response::TapResponse;

/// A fault of one valid call. A count of records is the number sent before the fault; if the answer
/// has fewer, the fault comes before its last brace.
#[derive(Clone, Debug)]
pub enum CallFault {
    /// This answer, such as a 500, a 429 or a page in HTML.
    Reply(TapResponse),
    /// The connection is reset instead of an answer.
    Reset,
    /// There is no answer.
    Hang,

    /// The connection is dropped after half of the next record.
    CutWithinRecord(u64),
    /// The answer ends after half of the next record. For HTTP it is complete.
    EndWithinRecord(u64),
    /// The server sends nothing more after half of the next record.
    StallWithinRecord(u64),
    /// The server sends this many bytes per second, in small pieces.
    Trickle(u32),

    /// So many more records of the call's first kind, generated while they are sent. They have
    /// ids of their own, and are created within the window.
    Huge(u64),

    /// The arrays without records are left out.
    MissingArrays,
    /// The answer has no `queryEndTime`.
    NoQueryEndTime,
    /// The answer has another array, with this name and these members.
    UnknownArray(String, Vec<Bytes>),
    /// Each array begins with this member, which need not be an object.
    Member(Bytes),
}
