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
}
