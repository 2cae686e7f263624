//! Texts of peers, as one line for our messages.

/// Longer texts are cut, in characters.
pub(super) const MAX_CHARS: usize = 300;

/// `text` on one line, cut where it is too long.
pub(super) fn shortened(text: &str) -> String {
    let line = text.trim().replace(char::is_control, " ");
    match line.char_indices().nth(MAX_CHARS) {
        Some((end, _)) => format!("{}...", &line[..end]),
        None => line,
    }
}
