//! The events of a frame: one message of the Log API holds one event, and a lenient reader takes
//! what else can be read from it.
//!
//! A frame that is not one JSON object may hold several: one a line, as an array, or one after the
//! other. Each is read by itself, so that a broken one costs no other. An event that is almost JSON
//! is [repaired](super::repair).

use std::borrow::Cow;
use std::ops::Range;

use super::event::members;
use super::repair::{Repairs, has_lone_surrogate, repair};

/// A frame of more pieces than this is kept as a whole: their list would take more memory than the
/// frame.
const MAX_PIECES: usize = 1 << 20;

const BYTE_ORDER_MARK: &[u8] = b"\xef\xbb\xbf";

/// A piece of a frame.
#[derive(Debug, PartialEq, Eq)]
pub struct Piece {
    /// Where it stands in the frame.
    pub range: Range<usize>,
    /// Whether it is an event. If not, nothing of it can be read.
    pub is_event: bool,
}

/// The event as one JSON object, and what was repaired to make it one; `None` if it can't be read.
pub fn read(event: &[u8]) -> Option<(Cow<'_, str>, Repairs)> {
    if let Some(text) = strictly(event) {
        return Some((Cow::Borrowed(text), Repairs::default()));
    }
    let (text, repairs) = repair(event);
    members(&text).is_ok().then_some((Cow::Owned(text), repairs))
}

/// Why `event` can't be read.
pub fn fault(event: &[u8]) -> String {
    match std::str::from_utf8(event) {
        Err(error) => format!("not UTF-8: {error}"),
        Ok(text) => match members(text) {
            Err(error) => error.to_string(),
            Ok(_) => "too many pieces".to_owned(),
        },
    }
}

/// The text of an event that needs no repair.
fn strictly(event: &[u8]) -> Option<&str> {
    let text = std::str::from_utf8(event).ok()?;
    (!has_lone_surrogate(text) && members(text).is_ok()).then_some(text)
}

/// The pieces of a frame, in order. An empty frame, and an empty list of events, have none. A frame
/// of which nothing can be read is one piece, as it came.
pub fn pieces(frame: &[u8]) -> Vec<Piece> {
    let content = trimmed(frame, 0..frame.len());
    let found = best(frame, content).unwrap_or_default();
    if found.iter().any(|piece| piece.is_event) || is_empty(frame) {
        return found;
    }
    vec![Piece { range: 0..frame.len(), is_event: false }]
}

/// Whether a frame has nothing but blanks and empty lists in it.
fn is_empty(frame: &[u8]) -> bool {
    let content = trimmed(frame, 0..frame.len());
    split(frame, content).is_some_and(|pieces| pieces.is_empty())
}

/// Pieces by brackets, or by lines if more events are found so.
fn best(frame: &[u8], content: Range<usize>) -> Option<Vec<Piece>> {
    let whole = found(frame, content.clone())?;
    if whole.iter().all(|piece| piece.is_event) || !frame[content.clone()].contains(&b'\n') {
        return Some(whole);
    }
    let events = |pieces: &[Piece]| pieces.iter().filter(|piece| piece.is_event).count();
    let lines = by_line(frame, content).filter(|lines| events(lines) > events(&whole));
    Some(lines.unwrap_or(whole))
}

/// Pieces by their brackets, each checked.
fn found(frame: &[u8], content: Range<usize>) -> Option<Vec<Piece>> {
    let pieces = split(frame, content)?;
    let check = |piece: Piece| {
        let is_event = piece.is_event && read(&frame[piece.range.clone()]).is_some();
        Piece { is_event, ..piece }
    };
    Some(pieces.into_iter().map(check).collect())
}

/// Pieces by lines: a line that is an event stands for itself, and what lies between such lines is
/// taken apart by its brackets. So a bracket or quote that is missing costs only its own line.
fn by_line(frame: &[u8], content: Range<usize>) -> Option<Vec<Piece>> {
    let mut pieces = Vec::new();
    let mut between = content.start..content.start;
    let mut at = content.start;
    let mut lines = 0;
    while at < content.end {
        lines += 1;
        if lines > MAX_PIECES {
            return None;
        }
        let rest = &frame[at..content.end];
        let length = rest.iter().position(|byte| *byte == b'\n').map_or(rest.len(), |end| end + 1);
        let line = trimmed(frame, at..at + length);
        at += length;
        if frame[line.clone()].first() == Some(&b'{') && read(&frame[line.clone()]).is_some() {
            pieces.extend(found(frame, trimmed(frame, between))?);
            pieces.push(Piece { range: line, is_event: true });
            between = at..at;
        }
        between.end = at;
    }
    pieces.extend(found(frame, trimmed(frame, between))?);
    Some(pieces)
}

/// The part of `range` without what may stand around an event.
fn trimmed(frame: &[u8], mut range: Range<usize>) -> Range<usize> {
    loop {
        let rest = &frame[range.clone()];
        if rest.starts_with(BYTE_ORDER_MARK) {
            range.start += BYTE_ORDER_MARK.len();
        } else if rest.first().is_some_and(is_blank) {
            range.start += 1;
        } else {
            break;
        }
    }
    while frame[range.clone()].last().is_some_and(is_blank) {
        range.end -= 1;
    }
    range
}

/// White space, NUL, and the separator of JSON text sequences.
fn is_blank(byte: &u8) -> bool {
    byte.is_ascii_whitespace() || matches!(byte, 0 | 0x1e)
}

/// Takes `content` apart by its outermost objects, whatever lists they stand in. `None` if there are
/// too many, or nothing but brackets that do not match.
fn split(frame: &[u8], content: Range<usize>) -> Option<Vec<Piece>> {
    let mut pieces: Vec<Piece> = Vec::new();
    let mut lists = 0_usize;
    let mut is_balanced = true;
    let mut at = content.start;
    while at < content.end {
        let byte = frame[at];
        match byte {
            b'{' => {
                let end = object_end(frame, at, content.end);
                pieces.push(Piece { range: at..end, is_event: true });
                at = end;
            }
            b'[' => {
                lists += 1;
                at += 1;
            }
            b']' => {
                is_balanced &= lists > 0;
                lists = lists.saturating_sub(1);
                at += 1;
            }
            b',' => at += 1,
            _ if is_blank(&byte) => at += 1,
            _ if frame[at..content.end].starts_with(BYTE_ORDER_MARK) => at += 3,
            _ => {
                let end = other_end(frame, at, content.end);
                pieces.push(Piece { range: at..end, is_event: false });
                at = end;
            }
        }
        if pieces.len() > MAX_PIECES {
            return None;
        }
    }
    let is_blank = pieces.is_empty() && (lists > 0 || !is_balanced);
    (!is_blank).then_some(pieces)
}

/// Where the object that begins at `start` ends: behind its last bracket, or at the end of the
/// frame.
fn object_end(frame: &[u8], start: usize, end: usize) -> usize {
    let mut depth = 0_usize;
    let mut at = start;
    while at < end {
        match frame[at] {
            b'"' => at = text_end(frame, at, end),
            b'{' | b'[' => {
                depth += 1;
                at += 1;
            }
            b'}' | b']' => {
                depth -= 1;
                at += 1;
                if depth == 0 {
                    return at;
                }
            }
            _ => at += 1,
        }
    }
    end
}

/// Where something else than an object ends: before the next object.
fn other_end(frame: &[u8], start: usize, end: usize) -> usize {
    let mut at = start;
    while at < end && frame[at] != b'{' {
        at = if frame[at] == b'"' { text_end(frame, at, end) } else { at + 1 };
    }
    trimmed(frame, start..at).end.max(start + 1)
}

/// Behind the quote that closes the text which begins at `start`.
fn text_end(frame: &[u8], start: usize, end: usize) -> usize {
    let mut at = start + 1;
    while at < end {
        match frame[at] {
            b'"' => return at + 1,
            b'\\' => at += 2,
            _ => at += 1,
        }
    }
    end
}

#[cfg(test)]
mod tests;
