//! The entries of docs/errors.md, which the program carries with it.

use std::fmt;

use super::ErrorCode;

const PAGE: &str = include_str!("../../docs/errors.md");

/// What the page says of one code.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Entry {
    /// The code as the heading has it, such as `PPS4103`.
    pub code: &'static str,
    /// What happened, in a few words.
    pub title: &'static str,
    /// Cause, remedy and whether it heals by itself, as Markdown.
    pub text: &'static str,
}

impl fmt::Display for Entry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Entry { code, title, text } = self;
        write!(f, "{code}: {title}\n\n{}", text.replace("**", ""))
    }
}

/// All entries, in the order of the page.
pub fn entries() -> impl Iterator<Item = Entry> {
    PAGE.split("\n### ").skip(1).filter_map(|section| {
        let (heading, rest) = section.split_once('\n')?;
        let (code, title) = heading.split_once(": ")?;
        let text = rest.split("\n## ").next()?.trim();
        Some(Entry { code, title, text })
    })
}

/// The entry of a code.
pub fn entry(code: ErrorCode) -> Option<Entry> {
    let code = code.to_string();
    entries().find(|entry| entry.code == code)
}
