//! Texts of the services, for our messages.

use crate::text::one_line;

/// Longer texts are cut, in characters.
pub(super) const MAX_CHARS: usize = 300;

/// `text` on one line, cut if it is too long.
pub(super) fn shortened(text: &str) -> String {
    one_line(text, MAX_CHARS)
}
