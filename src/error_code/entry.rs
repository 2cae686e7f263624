//! The entries of docs/errors.md, which the program carries with it.

use std::fmt;

use serde::{Serialize, Serializer};

use super::ErrorCode;

const PAGE: &str = include_str!("../../docs/errors.md");

/// What the page says of one code. As JSON it has these names, and no text has line breaks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Entry {
    /// The code as the heading has it, such as `PPS4103`.
    pub code: &'static str,
    /// What happened, in a few words.
    pub title: &'static str,
    /// Why it happens, as Markdown.
    #[serde(serialize_with = "on_one_line")]
    pub cause: &'static str,
    /// What to do, as Markdown.
    #[serde(serialize_with = "on_one_line")]
    pub remedy: &'static str,
    /// Whether it heals by itself, as Markdown.
    #[serde(serialize_with = "on_one_line")]
    pub heals: &'static str,
}

impl fmt::Display for Entry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Entry { code, title, cause, remedy, heals } = self;
        write!(f, "{code}: {title}\n\nCause. {cause}\n\nRemedy. {remedy}\n\n")?;
        write!(f, "Heals by itself. {heals}")
    }
}

/// All entries, in the order of the page.
pub fn entries() -> impl Iterator<Item = Entry> {
    PAGE.split("\n### ").skip(1).filter_map(|section| {
        let (heading, rest) = section.split_once('\n')?;
        let (code, title) = heading.split_once(": ")?;
        let text = rest.split("\n## ").next()?.trim();
        let (cause, rest) = text.strip_prefix("**Cause.** ")?.split_once("\n\n**Remedy.** ")?;
        let (remedy, heals) = rest.split_once("\n\n**Heals by itself.** ")?;
        Some(Entry { code, title, cause, remedy, heals })
    })
}

/// The entry of a code.
pub fn entry(code: ErrorCode) -> Option<Entry> {
    let code = code.to_string();
    entries().find(|entry| entry.code == code)
}

/// Lines of the page end where they are full, which means nothing to who reads JSON.
fn on_one_line<S: Serializer>(text: &str, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(&text.replace('\n', " "))
}
