//! The column `AdditionalFields`: keys of the event that have no column of their own, and
//! `connectorNotes`, which says where the row differs from the event.

use std::borrow::Cow;

use proofpoint_sentinel_core::tables::MESSAGE_PARTS;

use super::event::Member;
use super::losses::Losses;
use super::message_parts::without_content;
use super::reduction::reduce;
use super::repair::Repairs;
use crate::settings::MessageText;

/// The key of `AdditionalFields` that holds the connector's own notes. An event's own key of this
/// name gets an underscore, and one that already ends in underscores gets one more, so that no two
/// keys become one.
pub const NOTES: &str = "connectorNotes";

/// Bytes of the column that are reserved for the notes.
const NOTES_BYTES: usize = 6_000;

/// How many values that were left out are listed by name. The rest are only counted.
const MAX_NAMES: usize = 20;

/// How many bytes of JSON such a name may take.
const MAX_NAME_BYTES: usize = 100;

/// Collects the column's content while a row is built.
#[derive(Debug)]
pub struct AdditionalFields<'a> {
    limit: usize,
    length: usize,
    fields: Vec<(&'a str, Cow<'a, str>)>,
    repeated: Vec<(&'a str, Cow<'a, str>)>,
    /// Names of the first values that were left out.
    names: Vec<String>,
    left_out: usize,
    /// Lists of which the row has only the first elements: path, how many it has, and of how many.
    cut: Vec<(String, usize, usize)>,
    text_dropped: bool,
    timestamp_unreadable: bool,
    repairs: Repairs,
}

impl<'a> AdditionalFields<'a> {
    /// Collects at most `limit` bytes of JSON.
    pub fn new(limit: usize) -> AdditionalFields<'a> {
        AdditionalFields {
            limit: limit - NOTES_BYTES,
            length: 0,
            fields: Vec::new(),
            repeated: Vec::new(),
            names: Vec::new(),
            left_out: 0,
            cut: Vec::new(),
            text_dropped: false,
            timestamp_unreadable: false,
            repairs: Repairs::default(),
        }
    }

    /// Keeps a member of the event that has no column. [`settle`](Self::settle) makes it fit.
    pub fn keep(&mut self, member: &'a Member<'_>) {
        self.fields.push((&member.key, Cow::Borrowed(member.value)));
    }

    /// Shortens what was kept until it fits, and notes what is left out. Small values come first.
    pub fn settle(&mut self) {
        if self.fields.is_empty() {
            return;
        }
        let mut fields: Vec<_> = std::mem::take(&mut self.fields).into_iter().enumerate().collect();
        fields.sort_by_key(|(_, (_, value))| value.len());
        let mut kept = Vec::with_capacity(fields.len());
        for (position, (key, value)) in fields {
            let room = self.limit.saturating_sub(self.length + overhead(key));
            let value = match value {
                Cow::Borrowed(long) if long.len() > room => reduce(key, long, room, self),
                short => Some(short),
            };
            if let Some(value) = value {
                self.length += overhead(key) + value.len();
                kept.push((position, (key, value)));
            }
        }
        kept.sort_unstable_by_key(|(position, _)| *position);
        self.fields = kept.into_iter().map(|(_, field)| field).collect();
    }

    /// Keeps a member whose key comes again later in the event; the last one gets the key. Mail
    /// content that a setting always drops does not stay here either.
    pub fn keep_repeated(&mut self, member: &'a Member<'_>, message_text: MessageText) {
        let shorter = match message_text {
            MessageText::Drop if member.key == MESSAGE_PARTS[0] => without_content(member.value),
            _ => None,
        };
        if shorter.is_some() {
            self.text_dropped();
        }
        let value = shorter.map_or(Cow::Borrowed(member.value), Cow::Owned);
        if self.reserve(&member.key, &value) {
            self.repeated.push((&member.key, value));
        }
    }

    /// Makes room for a value, or notes that it was left out.
    fn reserve(&mut self, key: &str, value: &str) -> bool {
        let length = overhead(key) + value.len();
        let fits = self.length + length <= self.limit;
        if fits {
            self.length += length;
        } else {
            self.left_out(key);
        }
        fits
    }

    /// Notes that the row lacks a value of the event, named by its path.
    pub fn left_out(&mut self, path: &str) {
        self.left_out += 1;
        if self.names.len() < MAX_NAMES {
            let name = shortened(path);
            if !self.names.contains(&name) {
                self.names.push(name);
            }
        }
    }

    /// Notes that the row lacks the text that Proofpoint extracted from the mail.
    pub fn text_dropped(&mut self) {
        self.text_dropped = true;
    }

    /// Notes that the row has the time of receipt instead of the event's own time.
    pub fn timestamp_unreadable(&mut self) {
        self.timestamp_unreadable = true;
    }

    /// Notes what was repaired in the event.
    pub fn repaired(&mut self, repairs: Repairs) {
        self.repairs = repairs;
    }

    /// Whether the row lacks something that no setting asked to leave out, so that the whole event
    /// must be kept elsewhere.
    pub fn is_oversize(&self) -> bool {
        self.left_out > 0 || !self.cut.is_empty()
    }

    /// The JSON object, or `None` where it would be empty.
    pub fn into_json(self) -> Option<String> {
        let notes = self.notes();
        if self.fields.is_empty() && notes.is_empty() {
            return None;
        }
        let mut out = String::from("{");
        for (key, value) in &self.fields {
            if key.trim_end_matches('_') == NOTES {
                push_key(&mut out, &format!("{key}_"));
            } else {
                push_key(&mut out, key);
            }
            out.push_str(value);
        }
        if !notes.is_empty() {
            push_key(&mut out, NOTES);
            out.push_str(&notes);
        }
        out.push('}');
        Some(out)
    }

    fn notes(&self) -> String {
        let mut out = String::new();
        if self.timestamp_unreadable {
            push_note(
                &mut out,
                "timestamp",
                r#""unreadable: the time of receipt stands in its place""#,
            );
        }
        let repaired: Vec<_> = self.repairs.names().collect();
        if !repaired.is_empty() {
            push_note(&mut out, "repaired", &serde_json::Value::from(repaired).to_string());
        }
        if self.text_dropped {
            push_note(&mut out, "messageText", r#""dropped""#);
        }
        if self.is_oversize() {
            let names = serde_json::Value::from(self.names.as_slice());
            push_note(&mut out, "leftOut", &names.to_string());
            push_note(&mut out, "leftOutCount", &self.left_out.to_string());
            if !self.cut.is_empty() {
                push_note(&mut out, "shortened", &self.lists());
            }
            push_note(&mut out, "wholeEvent", r#""dead letter, oversize""#);
        }
        if !self.repeated.is_empty() {
            let list: Vec<String> = self
                .repeated
                .iter()
                .map(|(key, value)| {
                    let key = serde_json::Value::from(*key);
                    format!(r#"{{"key":{key},"value":{value}}}"#)
                })
                .collect();
            let list = format!("[{}]", list.join(","));
            push_note(&mut out, "repeatedKeys", &list);
        }
        if !out.is_empty() {
            out.push('}');
        }
        out
    }
}

impl AdditionalFields<'_> {
    /// `{"path":{"kept":1,"of":2}}` for each list that was cut.
    fn lists(&self) -> String {
        let mut out = String::from("{");
        for (path, kept, of) in &self.cut {
            push_key(&mut out, path);
            out.push_str(&format!(r#"{{"kept":{kept},"of":{of}}}"#));
        }
        out.push('}');
        out
    }
}

impl Losses for AdditionalFields<'_> {
    fn left_out(&mut self, path: &str) {
        AdditionalFields::left_out(self, path);
    }

    fn cut(&mut self, path: &str, kept: usize, of: usize) {
        let path = shortened(path);
        if let Some((_, had, total)) = self.cut.iter_mut().find(|(known, ..)| *known == path) {
            (*had, *total) = (*had + kept, *total + of);
        } else if self.cut.len() < MAX_NAMES {
            self.cut.push((path, kept, of));
        }
    }
}

/// How many bytes a value takes beside its own.
fn overhead(key: &str) -> usize {
    // The longest escape takes six bytes for one byte of the key.
    6 * key.len() + r#"{"key":"","value":},"#.len()
}

fn push_note(out: &mut String, key: &str, value: &str) {
    if out.is_empty() {
        out.push('{');
    }
    push_key(out, key);
    out.push_str(value);
}

/// Appends `"key":`, with a comma before it unless it is the first in the object.
fn push_key(out: &mut String, key: &str) {
    if !out.ends_with('{') {
        out.push(',');
    }
    out.push_str(&serde_json::Value::from(key).to_string());
    out.push(':');
}

fn shortened(path: &str) -> String {
    let mut length = 0;
    let fits = |character: &char| {
        let escaped = character.is_ascii_control() || matches!(character, '"' | '\\');
        length += if escaped { r"\u0000".len() } else { character.len_utf8() };
        length <= MAX_NAME_BYTES
    };
    path.chars().take_while(fits).collect()
}
