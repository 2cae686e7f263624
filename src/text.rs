//! Texts of peers, for our messages.

/// `text` in one line of printable characters, cut after `max_chars` of them.
pub(crate) fn one_line(text: &str, max_chars: usize) -> String {
    let words = text.split(|c: char| c.is_whitespace() || c.is_control());
    let words: Vec<&str> = words.filter(|word| !word.is_empty()).collect();
    let line = words.join(" ");
    match line.char_indices().nth(max_chars) {
        Some((end, _)) => format!("{}...", &line[..end]),
        None => line,
    }
}

/// The same of bytes that should be a text. It does not look at all of them if there are many.
pub(crate) fn one_line_of_bytes(bytes: &[u8], max_chars: usize) -> String {
    // No character has more bytes; the last one may be cut, and goes with what is too long.
    let most = max_chars.saturating_add(1).saturating_mul(4);
    one_line(&String::from_utf8_lossy(&bytes[..bytes.len().min(most)]), max_chars)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_becomes_one_line_of_limited_length() {
        assert_eq!(one_line(" a\u{1b}[2J\r\n\tb ", 10), "a [2J b");
        assert_eq!(one_line("äöü", 3), "äöü");
        assert_eq!(one_line("äöü", 2), "äö...");
        assert_eq!(one_line("\n\n", 0), "");
    }

    #[test]
    fn bytes_of_any_length_become_a_line() {
        assert_eq!(one_line_of_bytes(b"a\n\xffb", 10), "a \u{fffd}b");
        let long = "\u{1f4e7}".repeat(100);
        assert_eq!(one_line_of_bytes(long.as_bytes(), 2), "\u{1f4e7}\u{1f4e7}...");
        assert_eq!(one_line_of_bytes("äöü".as_bytes(), 3), "äöü");
    }
}
