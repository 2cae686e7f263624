//! What becomes of posts and their rows.

use super::verdict::{HeldReason, RowRefusal};

/// What became of a batch: every row is in exactly one of `delivered`, `refused`, `unconfirmed` and
/// `held`.
#[derive(Debug)]
pub struct BatchOutcome<T> {
    /// Rows that the workspace accepted.
    pub delivered: Vec<T>,
    /// Rows that it will never accept, each with the reason.
    pub refused: Vec<RefusedRow<T>>,
    /// Rows that it refused, after which it accepted none: they or the table may be at fault. They
    /// are to be kept and sent again.
    pub unconfirmed: Vec<RefusedRow<T>>,
    /// Rows that it neither accepted nor refused, in no particular order. They are to be kept and sent
    /// again.
    pub held: Vec<T>,
    /// Why it takes no rows, if that is not for the `unconfirmed` ones.
    pub hold: Option<HeldReason>,
    /// The posts that this took.
    pub counts: PostCounts,
}

/// A row that the workspace refuses.
#[derive(Debug)]
pub struct RefusedRow<T> {
    /// Its tag.
    pub tag: T,
    /// Why.
    pub reason: RowRefusal,
}

/// Posts, counted.
#[derive(Clone, Copy, Debug, Default)]
pub struct PostCounts {
    /// Requests sent, retries included.
    pub posts: u64,
    /// How many of these repeated an earlier one.
    pub retries: u64,
    /// Bytes in the bodies of all posts, as sent.
    pub sent_bytes: u64,
    /// The same before compression.
    pub body_bytes: u64,
}

/// How the post of one batch ended.
pub(super) enum PostOutcome {
    /// The workspace has the rows.
    Delivered,
    /// Post each half; a single row is refused.
    Split(RowRefusal),
    /// Keep the rows.
    Held(HeldReason),
}
