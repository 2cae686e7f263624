//! Texts of peers, as one line for our messages.

use std::error::Error;

use crate::net::with_proxy_advice;

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

/// An error and its causes on one line, with advice where the proxy is to blame.
pub(super) fn error_chain(error: &(dyn Error + 'static)) -> String {
    let causes = std::iter::successors(Some(error), |&error| error.source());
    let mut texts: Vec<String> = causes.map(ToString::to_string).collect();
    texts.dedup();
    with_proxy_advice(texts.join(": "))
}
