//! From the bytes of a message of the Log API to rows of each kind.

mod columns;
mod legacy;
mod parts;

use std::borrow::Cow;
use std::collections::btree_map::Entry;
use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use proofpoint_sentinel_core::feed::EventType;
use proofpoint_sentinel_core::tables::{ADDITIONAL_FIELDS, MESSAGE_PARTS, table};
use serde_json::value::RawValue;

use crate::row::additional::NOTES;
use crate::row::event::{Member, members};
use crate::row::frame::{pieces, read};
use crate::row::repair::has_lone_surrogate;
use crate::row::{CollectedBy, RowBuilder, RowMetadata, RowShape};
use crate::settings::MessageText;

/// Stands for an event's time where that can't be read.
const RECEIVED: Timestamp = Timestamp::constant(1_795_161_600, 0);

/// What a tilde in the input stands for, and how many of them.
const STRETCH: usize = 20_000;
const MOST_STRETCHED: usize = 16;

/// A row is made of every JSON object and of nothing else, in each shape, and the same each time.
///
/// It is a JSON object that has no key twice, no column that the table lacks and none that is
/// longer than Azure takes. Unless it says that something was left out, the event is in it whole.
///
/// A `~` in the input stands for 20,000 bytes of the character before it, so that small inputs can
/// hold long values.
pub fn frame(bytes: &[u8]) {
    taken_apart(bytes);
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    let event = &stretched(text);
    let is_object = serde_json::from_str::<BTreeMap<String, &RawValue>>(event).is_ok();
    let sent = if is_object { Event::new(event) } else { Event::default() };
    for event_type in EventType::ALL {
        let mut ids = BTreeSet::new();
        for shape in [RowShape::Columns, RowShape::Legacy] {
            for text in [MessageText::Fit, MessageText::Drop] {
                let builder = RowBuilder::new(event_type, shape, text, CollectedBy::Live);
                let mut row = Vec::new();
                let built = builder.build(event, RECEIVED, &mut row);
                assert_eq!(built.is_ok(), is_object);
                let Ok(built) = built else { continue };
                let mut again = b"what stood here before".to_vec();
                assert_eq!(builder.build(event, RECEIVED, &mut again).as_ref().ok(), Some(&built));
                assert!(row == again, "the second row differs from the first");
                let row = std::str::from_utf8(&row).expect("a row is text");
                Seen::new(&sent, row, event_type, shape, text, &built).holds();
                ids.insert(built.id);
            }
        }
        assert!(ids.len() <= 1, "an event is known by {ids:?}");
    }
}

/// Pieces of a frame are in order, and a row is made of each that is an event.
fn taken_apart(bytes: &[u8]) {
    let mut end = 0;
    for piece in pieces(bytes) {
        assert!(end <= piece.range.start && piece.range.start < piece.range.end);
        end = piece.range.end;
        let event = read(&bytes[piece.range]);
        assert_eq!(event.is_some(), piece.is_event);
        let Some((event, repairs)) = event else { continue };
        assert!(!has_lone_surrogate(&event));
        for shape in [RowShape::Columns, RowShape::Legacy] {
            let (text, by) = (MessageText::Fit, CollectedBy::Live);
            let builder = RowBuilder::new(EventType::Message, shape, text, by);
            let mut row = Vec::new();
            let built = builder.append(&event, repairs, RECEIVED, &mut row);
            assert!(built.is_ok() && members(std::str::from_utf8(&row).expect("text")).is_ok());
        }
    }
}

fn stretched(text: &str) -> String {
    let mut long = String::with_capacity(text.len());
    let mut left = MOST_STRETCHED;
    for character in text.chars() {
        match long.chars().next_back() {
            Some(before) if character == '~' && left > 0 => {
                left -= 1;
                long.extend(std::iter::repeat_n(before, STRETCH / before.len_utf8()));
            }
            _ => long.push(character),
        }
    }
    long
}

/// Values of a JSON object by their keys; of a key that is there twice, the last one.
type Values<'a> = BTreeMap<String, &'a str>;

/// An event, taken apart.
#[derive(Default)]
struct Event<'a> {
    values: Values<'a>,
    /// Members whose keys come again later.
    repeated: Vec<(String, &'a str)>,
}

impl<'a> Event<'a> {
    fn new(event: &'a str) -> Event<'a> {
        let mut seen = Event::default();
        // From the end, so that the last one of a key is seen first.
        for Member { key, value, .. } in members(event).expect("it is an object").into_iter().rev()
        {
            match seen.values.entry(key.into_owned()) {
                Entry::Vacant(free) => drop(free.insert(value)),
                Entry::Occupied(taken) => seen.repeated.push((taken.key().clone(), value)),
            }
        }
        seen.repeated.reverse();
        seen
    }
}

/// An event and its row, taken apart.
struct Seen<'a> {
    event: &'a Event<'a>,
    event_type: EventType,
    shape: RowShape,
    text: MessageText,
    built: &'a RowMetadata<'a>,
    row: Values<'a>,
    /// The row's `AdditionalFields`, as JSON.
    additional: Option<Cow<'a, str>>,
}

impl<'a> Seen<'a> {
    fn new(
        event: &'a Event<'a>,
        row: &'a str,
        event_type: EventType,
        shape: RowShape,
        text: MessageText,
        built: &'a RowMetadata<'a>,
    ) -> Seen<'a> {
        let row = values(row);
        let additional = row.get(ADDITIONAL_FIELDS).map(|fields| match shape {
            RowShape::Columns => Cow::Borrowed(*fields),
            RowShape::Legacy => Cow::Owned(text_of(fields).expect("AdditionalFields is a text")),
        });
        Seen { event, event_type, shape, text, built, row, additional }
    }

    fn holds(&self) {
        let additional = self.additional.as_deref().map(values).unwrap_or_default();
        let notes = additional.get(NOTES).map(|notes| values(notes)).unwrap_or_default();
        let noted = |note: &str| notes.contains_key(note);
        self.time_holds(noted("timestamp"));
        self.id_holds();
        match self.shape {
            RowShape::Columns => self.columns_hold(),
            RowShape::Legacy => self.legacy_holds(),
        }
        assert_eq!(self.built.oversize, noted("leftOut"));
        assert_eq!(self.built.oversize, noted("wholeEvent"));
        if self.text == MessageText::Drop {
            self.no_text_is_left(notes.get("repeatedKeys").copied());
        }
        if !self.built.oversize {
            self.nothing_is_lost(&additional);
            self.parts_hold(noted("messageText"));
            self.repeated_are_kept(notes.get("repeatedKeys").copied());
        }
    }

    fn time_holds(&self, unreadable: bool) {
        let at = self.built.event_time.unwrap_or(RECEIVED).to_string();
        assert_eq!(text_of(self.row["eventTime"]), Some(at));
        assert_eq!(self.built.event_time.is_none(), unreadable);
    }

    fn id_holds(&self) {
        let id = self.event.values.get(table(self.event_type).id).and_then(|id| text_of(id));
        match id.filter(|id| !id.is_empty()) {
            Some(id) => assert_eq!(self.built.id, id),
            None => assert!(!self.built.id.is_empty()),
        }
    }

    /// Every value of the event is in the row under its key or in `AdditionalFields`, as it came.
    fn nothing_is_lost(&self, additional: &Values<'_>) {
        for (key, value) in &self.event.values {
            let own = match self.shape {
                _ if key == MESSAGE_PARTS[0] && self.has_column_for_parts() => continue,
                RowShape::Columns if key == "ts" && self.built.event_time.is_some() => continue,
                RowShape::Columns => columns::is_own(key),
                RowShape::Legacy => legacy::is_own(key),
            };
            let reserved = key.trim_end_matches('_') == NOTES;
            let renamed = if reserved { format!("{key}_") } else { key.clone() };
            let found = match self.row.get(key) {
                Some(found) if !own => Some(found),
                _ => additional.get(&renamed),
            };
            let found = found.unwrap_or_else(|| panic!("{key} is lost"));
            assert!(found == value || self.is_as_text(key, found, value), "{key}: {found}");
        }
    }

    fn repeated_are_kept(&self, noted: Option<&str>) {
        let noted: Vec<_> = noted.map(parts::list).unwrap_or_default();
        assert_eq!(noted.len(), self.event.repeated.len());
        for (noted, (key, value)) in noted.into_iter().zip(&self.event.repeated) {
            let noted = values(noted);
            assert_eq!(text_of(noted["key"]).as_ref(), Some(key));
            let shortened = self.text == MessageText::Drop && key == MESSAGE_PARTS[0];
            assert!(shortened || noted["value"] == *value, "{key} is not as it came");
        }
    }
}

/// The members of a JSON object that has no key twice.
fn values(object: &str) -> Values<'_> {
    let mut values = Values::new();
    for Member { key, value, .. } in members(object).unwrap_or_else(|error| panic!("{error}")) {
        let twice = values.insert(key.to_string(), value);
        assert_eq!(twice, None, "{key} is there twice");
    }
    values
}

/// What a JSON text says.
fn text_of(value: &str) -> Option<String> {
    serde_json::from_str(value).ok()
}
