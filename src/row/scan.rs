//! Finds the members of a JSON object in one pass, and checks on the way that all of it is JSON.
//!
//! Every event goes through here, so it goes from quote to quote and copies nothing. It knows only what
//! events look like: for an object with line breaks or with escapes in its keys, one that is nested
//! very deeply, and one that is not JSON, it gives up, and the caller asks a complete parser.

mod quotes;

use std::borrow::Cow;
use std::ops::Range;

use quotes::Quotes;

use super::member::Member;

/// How deeply values are nested at most.
const MAX_DEPTH: u32 = 63;

/// A member within a member of the object, by the keys of both.
#[derive(Clone, Copy)]
pub(super) struct Path<'k>(pub &'k str, pub &'k str);

/// What was found.
pub(super) struct Scan<'a> {
    /// The members in order, repeated keys included.
    pub members: Vec<Member<'a>>,
    /// The value at the path that was asked for. If a key is repeated, its last value counts.
    pub at_path: Option<&'a str>,
    /// Whether there are escapes for halves of characters. They may stand alone.
    pub has_surrogates: bool,
}

/// Scans `object`; `None` if it is not an object of the kind that this knows.
pub(super) fn scan<'a>(object: &'a str, path: Option<Path<'_>>) -> Option<Scan<'a>> {
    let bytes = object.as_bytes();
    let mut scanner = Scanner { text: object, bytes, at: 0, quotes: Quotes::of(bytes) };
    scanner.skip_blanks();
    let mut members = Vec::with_capacity(12);
    let mut at_path = None;
    scanner.members(|scanner, key, start| {
        scanner.skip_colon()?;
        let value = match path {
            Some(Path(outer, inner)) if outer == key => {
                at_path = None;
                let start = scanner.at;
                match scanner.peek()? {
                    b'{' => at_path = scanner.last_member(inner)?,
                    _ => scanner.skip_value()?,
                }
                scanner.since(start)?
            }
            _ => scanner.value()?,
        };
        let is_compact = start + key.len() + r#""":"#.len() + value.len() == scanner.at;
        let span = is_compact.then_some(start..scanner.at);
        members.push(Member { key: Cow::Borrowed(key), value, span });
        Some(())
    })?;
    scanner.skip_blanks();
    (scanner.at == object.len()).then_some(())?;
    Some(Scan { members, at_path, has_surrogates: scanner.quotes.has_surrogates })
}

struct Scanner<'a> {
    text: &'a str,
    bytes: &'a [u8],
    at: usize,
    quotes: Quotes<'a>,
}

impl<'a> Scanner<'a> {
    fn peek(&self) -> Option<u8> {
        self.bytes.get(self.at).copied()
    }

    fn take(&mut self, byte: u8) -> Option<()> {
        (self.peek()? == byte).then(|| self.at += 1)
    }

    fn since(&self, start: usize) -> Option<&'a str> {
        self.text.get(start..self.at)
    }

    fn skip_blanks(&mut self) {
        while let Some(b' ' | b'\n' | b'\t' | b'\r') = self.peek() {
            self.at += 1;
        }
    }

    fn skip_colon(&mut self) -> Option<()> {
        self.skip_blanks();
        self.take(b':')?;
        self.skip_blanks();
        Some(())
    }

    /// The members of the object that begins here. `member` gets each key and where its quote stands,
    /// and goes on behind the member's value.
    fn members(
        &mut self,
        mut member: impl FnMut(&mut Self, &'a str, usize) -> Option<()>,
    ) -> Option<()> {
        self.take(b'{')?;
        self.skip_blanks();
        if self.take(b'}').is_some() {
            return Some(());
        }
        loop {
            let Range { start, end } = self.text_range()?;
            let key = self.text.get(start + 1..end - 1)?;
            if key.contains('\\') {
                return None;
            }
            member(self, key, start)?;
            self.skip_blanks();
            if self.take(b'}').is_some() {
                return Some(());
            }
            self.take(b',')?;
            self.skip_blanks();
        }
    }

    /// The last member of this key of the object that begins here.
    fn last_member(&mut self, wanted: &str) -> Option<Option<&'a str>> {
        let mut found = None;
        self.members(|scanner, key, _| {
            scanner.skip_colon()?;
            let value = scanner.value()?;
            if key == wanted {
                found = Some(value);
            }
            Some(())
        })?;
        Some(found)
    }

    fn value(&mut self) -> Option<&'a str> {
        let start = self.at;
        self.skip_value()?;
        self.since(start)
    }

    /// Goes behind the value that begins here.
    fn skip_value(&mut self) -> Option<()> {
        let mut open = Open(1);
        loop {
            match self.peek()? {
                b'"' => {
                    self.text_range()?;
                }
                b'{' => {
                    self.at += 1;
                    self.skip_blanks();
                    if self.take(b'}').is_none() {
                        open.push(true)?;
                        self.skip_key()?;
                        continue;
                    }
                }
                b'[' => {
                    self.at += 1;
                    self.skip_blanks();
                    if self.take(b']').is_none() {
                        open.push(false)?;
                        continue;
                    }
                }
                b'-' | b'0'..=b'9' => self.skip_number()?,
                b't' => self.skip_word(b"true")?,
                b'f' => self.skip_word(b"false")?,
                b'n' => self.skip_word(b"null")?,
                _ => return None,
            }
            if self.close(&mut open)? {
                return Some(());
            }
        }
    }

    /// Behind a value: closes what ends here. Says whether nothing is open any more; if something is,
    /// the next value begins here.
    fn close(&mut self, open: &mut Open) -> Option<bool> {
        loop {
            if open.is_empty() {
                return Some(true);
            }
            self.skip_blanks();
            let byte = self.peek()?;
            self.at += 1;
            match (byte, open.is_object()) {
                (b',', is_object) => {
                    self.skip_blanks();
                    if is_object {
                        self.skip_key()?;
                    }
                    return Some(false);
                }
                (b'}', true) | (b']', false) => open.pop(),
                _ => return None,
            }
        }
    }

    fn skip_key(&mut self) -> Option<()> {
        self.text_range()?;
        self.skip_colon()
    }

    fn skip_word(&mut self, word: &[u8]) -> Option<()> {
        self.bytes.get(self.at..)?.starts_with(word).then(|| self.at += word.len())
    }

    fn skip_number(&mut self) -> Option<()> {
        let _ = self.take(b'-');
        if self.take(b'0').is_none() {
            self.skip_digits()?;
        }
        if self.take(b'.').is_some() {
            self.skip_digits()?;
        }
        if let Some(b'e' | b'E') = self.peek() {
            self.at += 1;
            if let Some(b'+' | b'-') = self.peek() {
                self.at += 1;
            }
            self.skip_digits()?;
        }
        Some(())
    }

    /// One digit at least.
    fn skip_digits(&mut self) -> Option<()> {
        let start = self.at;
        while let Some(b'0'..=b'9') = self.peek() {
            self.at += 1;
        }
        (self.at > start).then_some(())
    }

    /// Where the text that begins here stands, quotes included.
    #[inline]
    fn text_range(&mut self) -> Option<Range<usize>> {
        let start = self.quotes.next()?;
        if start != self.at {
            return None;
        }
        let end = self.quotes.next()? + 1;
        self.at = end;
        Some(start..end)
    }
}

/// Which brackets are open: a bit for each, 1 for an object, the innermost last, below a leading 1.
struct Open(u64);

impl Open {
    fn push(&mut self, is_object: bool) -> Option<()> {
        (self.0.leading_zeros() > u64::BITS - 1 - MAX_DEPTH)
            .then(|| self.0 = self.0 << 1 | u64::from(is_object))
    }

    fn pop(&mut self) {
        self.0 >>= 1;
    }

    fn is_object(&self) -> bool {
        self.0 & 1 == 1
    }

    fn is_empty(&self) -> bool {
        self.0 == 1
    }
}

#[cfg(test)]
mod tests;
