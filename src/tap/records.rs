//! The records in the body of an answer, one by one, as its bytes come.
//!
//! A body has all records of a window: tens of megabytes, and no limit is documented. So it is never
//! held as a whole: a record is handed out as soon as its last byte is there. What is within a record
//! is not looked at.

use bytes::{Bytes, BytesMut};
use jiff::Timestamp;
use proofpoint_sentinel_core::tap_kind::TapKind;

use super::body_error::BodyError;
use super::unknown_arrays::UnknownArrays;
use super::value_end::ValueEnd;
use crate::text::one_line_of_bytes;

/// A longer record is not held. Proofpoint documents no limit; a message of the Log API may be as
/// long.
pub const MAX_RECORD_BYTES: usize = 64 << 20;

/// How much of a record that is too long is kept.
const KEPT_OF_TOO_LONG: usize = 1 << 20;

/// How much of a key or of `queryEndTime` is kept.
const MAX_TEXT_BYTES: usize = 256;

/// How much is shown of what should not be there.
const MAX_FOUND_CHARS: usize = 300;

/// The server's end of the window.
const QUERY_END: &str = "queryEndTime";

/// A member of one of the four arrays.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TapRecord {
    /// The array in which it came.
    pub kind: TapKind,
    /// Whether it is what a record should be.
    pub form: RecordForm,
    /// Its bytes as they came.
    pub bytes: Bytes,
}

/// What a member of an array is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RecordForm {
    /// An object, as it begins.
    Object,
    /// Something else, in the array or in place of it: for a dead letter.
    NotAnObject,
    /// Longer than [`MAX_RECORD_BYTES`]. Only the first megabyte of it is there: for a dead letter.
    TooLong,
}

/// What a body said beside its records.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct BodySummary {
    /// The server's end of the window, where it could be read.
    pub query_end: Option<Timestamp>,
    /// How many members arrays had that this program does not know.
    pub unknown_arrays: UnknownArrays,
}

/// Takes a body in pieces and gives its records.
#[derive(Debug)]
pub struct RecordReader {
    chunk: Bytes,
    /// How far `chunk` was read.
    at: usize,
    /// How many bytes came before `chunk`.
    before: u64,
    state: State,
    /// The beginning of what is being read, from earlier chunks.
    begun: BytesMut,
    max_record: usize,
    summary: BodySummary,
}

/// What comes next in the body.
#[derive(Clone, Debug, PartialEq, Eq)]
enum State {
    /// The bracket of the whole.
    Open,
    /// A key, or the last bracket if there was none yet.
    Key {
        may_close: bool,
    },
    /// The rest of a key.
    InKey(ValueEnd),
    Colon(String),
    /// The value of a key.
    Value(String),
    /// The rest of a value that is kept for what `Role` says.
    InValue(ValueEnd, Role),
    /// A member of an array, or its last bracket if there was none yet.
    Member {
        array: Array,
        may_close: bool,
    },
    /// Behind a member of an array.
    AfterMember(Array),
    /// Behind a value of the whole.
    AfterValue,
    /// Behind the whole.
    Closed,
}

/// An array of the whole.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Array {
    Known(TapKind),
    Unknown(String),
}

/// What a value is.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Role {
    Member(Array),
    /// It stands where an array of this kind is expected.
    InPlaceOf(TapKind),
    QueryEnd,
    Other,
}

impl Default for RecordReader {
    fn default() -> RecordReader {
        RecordReader::new(MAX_RECORD_BYTES)
    }
}

impl RecordReader {
    /// A reader of records up to `max_record` bytes.
    pub fn new(max_record: usize) -> RecordReader {
        RecordReader {
            chunk: Bytes::new(),
            at: 0,
            before: 0,
            state: State::Open,
            begun: BytesMut::new(),
            max_record,
            summary: BodySummary::default(),
        }
    }

    /// Takes the next piece of the body. Call [`next_record`](Self::next_record) until it gives
    /// nothing before the one that follows.
    pub fn push(&mut self, chunk: Bytes) {
        let rest = self.chunk.split_off(self.at);
        self.before += self.at as u64;
        self.at = 0;
        self.chunk = if rest.is_empty() { chunk } else { [rest, chunk].concat().into() };
    }

    /// The next record; `None` if the pieces that came hold no other whole one.
    ///
    /// # Errors
    /// If the body is not what the API sends. It is the same error at each further call.
    pub fn next_record(&mut self) -> Result<Option<TapRecord>, BodyError> {
        while self.at < self.chunk.len() {
            if let Some(record) = self.step()? {
                return Ok(Some(record));
            }
        }
        Ok(None)
    }

    /// How many bytes of the body were read.
    pub fn bytes(&self) -> u64 {
        self.before + self.at as u64
    }

    /// What the body said beside its records, once all of it was pushed and its records were taken.
    ///
    /// # Errors
    /// If the body ended too early, or is not what the API sends.
    pub fn finish(mut self) -> Result<BodySummary, BodyError> {
        while self.next_record()?.is_some() {}
        match self.state {
            State::Closed => Ok(self.summary),
            _ => Err(BodyError::Cut { bytes: self.bytes() }),
        }
    }

    /// Goes on by at least a byte. There is one.
    fn step(&mut self) -> Result<Option<TapRecord>, BodyError> {
        if let State::InKey(_) | State::InValue(..) = self.state {
            return Ok(self.step_in_value());
        }
        let byte = self.chunk[self.at];
        // A byte order mark is no part of JSON, and some servers send one.
        let is_mark = self.state == State::Open && matches!(byte, 0xef | 0xbb | 0xbf);
        if is_mark || matches!(byte, b' ' | b'\n' | b'\r' | b'\t') {
            self.at += 1;
            return Ok(None);
        }
        let (state, is_taken) = self.after(byte).ok_or_else(|| self.not_expected())?;
        self.state = state;
        self.at += usize::from(is_taken);
        Ok(None)
    }

    /// What comes behind this byte, and whether the byte itself is behind. `None` if the byte may not
    /// stand here.
    fn after(&self, byte: u8) -> Option<(State, bool)> {
        let value = |role| (State::InValue(ValueEnd::new(), role), false);
        Some(match (&self.state, byte) {
            (State::Open, b'{') => (State::Key { may_close: true }, true),
            (State::Key { .. }, b'"') => (State::InKey(ValueEnd::new()), false),
            (State::Key { may_close: true }, b'}') => (State::Closed, true),
            (State::Colon(key), b':') => (State::Value(key.clone()), true),
            (State::Value(_), b',' | b':' | b'}' | b']') => return None,
            (State::Value(key), b'[') => {
                let kind = key.parse::<TapKind>();
                let array = kind.map_or_else(|_| Array::Unknown(key.clone()), Array::Known);
                (State::Member { array, may_close: true }, true)
            }
            (State::Value(key), _) => value(match key.parse::<TapKind>() {
                Ok(kind) => Role::InPlaceOf(kind),
                Err(_) if key == QUERY_END => Role::QueryEnd,
                Err(_) => Role::Other,
            }),
            (State::Member { may_close: true, .. }, b']') => (State::AfterValue, true),
            (State::Member { .. }, b',' | b':' | b'}' | b']') => return None,
            (State::Member { array, .. }, _) => value(Role::Member(array.clone())),
            (State::AfterMember(array), b',') => {
                (State::Member { array: array.clone(), may_close: false }, true)
            }
            (State::AfterMember(_), b']') => (State::AfterValue, true),
            (State::AfterValue, b',') => (State::Key { may_close: false }, true),
            (State::AfterValue, b'}') => (State::Closed, true),
            _ => return None,
        })
    }

    /// Goes over the key or value that was begun, as far as the chunk goes.
    fn step_in_value(&mut self) -> Option<TapRecord> {
        let rest = self.chunk.slice(self.at..);
        let (State::InKey(end) | State::InValue(end, _)) = &mut self.state else { return None };
        let length = end.advance(&rest);
        let piece = rest.slice(..length.unwrap_or(rest.len()));
        self.at += piece.len();
        let most = self.kept_bytes().saturating_add(1);
        if length.is_none() {
            let room = most.saturating_sub(self.begun.len());
            self.begun.extend_from_slice(&piece[..piece.len().min(room)]);
            return None;
        }
        let text = if self.begun.is_empty() {
            piece
        } else {
            let room = most.saturating_sub(self.begun.len());
            self.begun.extend_from_slice(&piece[..piece.len().min(room)]);
            self.begun.split().freeze()
        };
        self.end_value(text)
    }

    /// How much of what is being read is of use. One byte more shows that it is too long.
    fn kept_bytes(&self) -> usize {
        match &self.state {
            State::InValue(_, Role::Member(Array::Known(_)) | Role::InPlaceOf(_)) => {
                self.max_record
            }
            State::InValue(_, Role::QueryEnd) | State::InKey(_) => MAX_TEXT_BYTES,
            _ => 0,
        }
    }

    /// Goes behind the key or value, of which `text` is what was kept.
    fn end_value(&mut self, text: Bytes) -> Option<TapRecord> {
        match std::mem::replace(&mut self.state, State::AfterValue) {
            State::InKey(_) => {
                self.state = State::Colon(key(&text));
                None
            }
            State::InValue(_, Role::Member(array)) => {
                self.state = State::AfterMember(array.clone());
                match array {
                    Array::Known(kind) => Some(self.record(kind, text)),
                    Array::Unknown(name) => {
                        self.summary.unknown_arrays.count(&name);
                        None
                    }
                }
            }
            // A record that stands alone is one too.
            State::InValue(_, Role::InPlaceOf(kind)) if text != "null" => {
                Some(self.record(kind, text))
            }
            State::InValue(_, Role::QueryEnd) => {
                let text = serde_json::from_slice::<String>(&text).ok();
                self.summary.query_end = text.and_then(|text| text.parse().ok());
                None
            }
            _ => None,
        }
    }

    fn record(&self, kind: TapKind, bytes: Bytes) -> TapRecord {
        let (form, bytes) = match bytes.first() {
            _ if bytes.len() > self.max_record => {
                let kept = KEPT_OF_TOO_LONG.min(self.max_record);
                (RecordForm::TooLong, Bytes::copy_from_slice(&bytes[..kept]))
            }
            Some(b'{') => (RecordForm::Object, bytes),
            _ => (RecordForm::NotAnObject, bytes),
        };
        TapRecord { kind, form, bytes }
    }

    fn not_expected(&self) -> BodyError {
        // What stands where a page begins says whose it is. Further on stand records, which are no
        // matter for a log.
        let most = if self.state == State::Open { MAX_FOUND_CHARS } else { 10 };
        let found = one_line_of_bytes(&self.chunk[self.at..], most);
        BodyError::NotExpected { at: self.bytes(), found }
    }
}

/// The text of a key, without its escapes if it can be read. Of a long one the beginning.
fn key(json: &[u8]) -> String {
    let json = &json[..json.len().min(MAX_TEXT_BYTES)];
    serde_json::from_slice(json).unwrap_or_else(|_| String::from_utf8_lossy(json).into_owned())
}

#[cfg(test)]
mod tests;
