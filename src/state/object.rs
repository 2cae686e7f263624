//! What blobs and files have in common as objects of the state.

use std::fmt::Write as _;

use sha2::{Digest as _, Sha256};

use crate::error_code::{self, Coded, ErrorCode};

/// The most that is read of one object. The largest that this program writes is a dead letter: an
/// event of up to 64 MiB and a line about it.
pub(super) const LARGEST: u64 = 80 * 1024 * 1024;

/// What an object held when it was read or written, as far as a later write needs to know.
///
/// A blob's ETag, or the hash of a file's bytes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Version(pub(super) String);

/// What must be so for a write to happen.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Condition<'a> {
    /// There is no object of that name.
    Absent,
    /// The object is still that one.
    Match(&'a Version),
    /// Nothing: what is there is replaced.
    Any,
}

/// What an object that is appended to looks like.
#[derive(Clone, Copy, Debug)]
pub(super) struct Layout {
    /// What it starts with.
    pub head: &'static [u8],
    /// How many bytes each of the records after it has.
    pub record: usize,
}

/// Whether an append was done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Appended {
    Done,
    /// The object takes no more (a blob: 50,000 blocks, and everything: [`LARGEST`] bytes) and is
    /// as it was.
    Full,
}

/// What an object does not allow, whichever back end has it.
#[derive(Debug, thiserror::Error)]
pub enum ObjectError {
    /// Somebody else has the lease.
    #[error("`{name}` has another owner")]
    LeaseHeld {
        /// Name of the lease.
        name: String,
    },
    /// The object was written by someone else since it was read.
    #[error("`{name}` was written by someone else")]
    Conflict {
        /// Name of the object.
        name: String,
    },
    /// The object has more than [`LARGEST`] bytes.
    #[error("`{name}` is too large")]
    TooLarge {
        /// Name of the object.
        name: String,
    },
}

impl Coded for ObjectError {
    fn code(&self) -> ErrorCode {
        match self {
            ObjectError::LeaseHeld { .. } => error_code::LEASE_HELD,
            ObjectError::Conflict { .. } => error_code::STATE_CONFLICT,
            ObjectError::TooLarge { .. } => error_code::OBJECT_TOO_LARGE,
        }
    }
}

impl ObjectError {
    pub(super) fn conflict(name: &str) -> ObjectError {
        ObjectError::Conflict { name: name.to_owned() }
    }
}

/// The SHA-256 of `bytes` in 64 lower-case hexadecimal digits.
pub(super) fn sha256_hex(bytes: &[u8]) -> String {
    Sha256::digest(bytes).iter().fold(String::with_capacity(64), |mut hex, byte| {
        write!(hex, "{byte:02x}").expect("a String takes every write");
        hex
    })
}
