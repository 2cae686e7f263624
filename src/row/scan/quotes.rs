//! The quotes of a JSON text that begin and end its texts, 64 bytes at a time.

use wide::u8x16;

const BLOCK: usize = 64;

/// Yields where quotes stand that no backslash escapes. It ends early at an escape that JSON does not
/// have and near a control character, which may not stand in a text; whoever wants a quote then has
/// none.
pub(super) struct Quotes<'a> {
    bytes: &'a [u8],
    /// Where the block begins that was looked at last.
    block: usize,
    /// The quotes of this block that are still to come, a bit for each.
    mask: u64,
    /// Where the next block begins.
    next: usize,
    /// Whether its first byte is escaped.
    is_escaped: bool,
    /// Whether an escape for half of a character was met.
    pub has_surrogates: bool,
}

impl<'a> Quotes<'a> {
    pub(super) fn of(bytes: &'a [u8]) -> Quotes<'a> {
        Quotes { bytes, block: 0, mask: 0, next: 0, is_escaped: false, has_surrogates: false }
    }

    fn load(&mut self) -> Option<()> {
        let rest = &self.bytes[self.next..];
        let found = match rest.first_chunk::<BLOCK>() {
            Some(block) => special_bytes(block),
            None if rest.is_empty() => return None,
            None => {
                let mut block = [b' '; BLOCK];
                block[..rest.len()].copy_from_slice(rest);
                special_bytes(&block)
            }
        };
        (self.block, self.next) = (self.next, self.bytes.len().min(self.next + BLOCK));
        if found.controls != 0 {
            return None;
        }
        self.mask = found.quotes;
        if found.backslashes != 0 || self.is_escaped {
            self.take_escapes(found.backslashes)?;
        }
        Some(())
    }

    /// Takes escaped quotes off the mask.
    fn take_escapes(&mut self, mut backslashes: u64) -> Option<()> {
        if std::mem::take(&mut self.is_escaped) {
            self.mask &= !1;
            backslashes &= !1;
        }
        while backslashes != 0 {
            let backslash = backslashes.trailing_zeros();
            self.check_escape(self.block + backslash as usize)?;
            // The byte behind it, which may be the first of the next block.
            let escaped = 2_u64 << backslash;
            self.is_escaped = escaped == 0;
            self.mask &= !escaped;
            backslashes &= !escaped & (backslashes - 1);
        }
        Some(())
    }

    fn check_escape(&mut self, at: usize) -> Option<()> {
        match self.bytes.get(at + 1)? {
            b'"' | b'\\' | b'/' | b'b' | b'f' | b'n' | b'r' | b't' => Some(()),
            b'u' => {
                let digits = self.bytes.get(at + 2..at + 6)?;
                self.has_surrogates |= digits[0].eq_ignore_ascii_case(&b'd') && digits[1] >= b'8';
                digits.iter().all(u8::is_ascii_hexdigit).then_some(())
            }
            _ => None,
        }
    }
}

impl Iterator for Quotes<'_> {
    type Item = usize;

    #[inline]
    fn next(&mut self) -> Option<usize> {
        while self.mask == 0 {
            self.load()?;
        }
        let at = self.block + self.mask.trailing_zeros() as usize;
        self.mask &= self.mask - 1;
        Some(at)
    }
}

/// A bit for each byte of a block.
struct SpecialBytes {
    quotes: u64,
    backslashes: u64,
    controls: u64,
}

fn special_bytes(block: &[u8; BLOCK]) -> SpecialBytes {
    let (parts, _) = block.as_chunks::<16>();
    let mut found = SpecialBytes { quotes: 0, backslashes: 0, controls: 0 };
    for (part, shift) in parts.iter().zip([0, 16, 32, 48]) {
        let part = u8x16::new(*part);
        let bits = |equal: u8x16| u64::from(equal.to_bitmask()) << shift;
        found.quotes |= bits(part.simd_eq(u8x16::splat(b'"')));
        found.backslashes |= bits(part.simd_eq(u8x16::splat(b'\\')));
        found.controls |= bits(part.min(u8x16::splat(0x1f)).simd_eq(part));
    }
    found
}
