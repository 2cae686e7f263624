use std::borrow::Cow;

use proofpoint_sentinel_core::tables::{MESSAGE_PARTS, table};

use super::{Seen, values};
use crate::row::RowShape;
use crate::row::event::{Member, elements, members};

/// The keys of a message part that hold mail content.
const CONTENT: [&str; 2] = ["textExtracted", "dataBase64"];

/// The elements of an array, or the value itself where it is none.
pub(super) fn list(value: &str) -> Vec<&str> {
    elements(value).unwrap_or_else(|| vec![value])
}

/// A message part: its members, or what stands in its place.
#[derive(Debug, PartialEq)]
enum Part<'a> {
    Object(Vec<(Cow<'a, str>, &'a str)>),
    Other(&'a str),
}

impl<'a> Part<'a> {
    fn all(value: &'a str) -> Vec<Part<'a>> {
        let pair = |member: Member<'a>| (member.key, member.value);
        let part = |part| match members(part) {
            Ok(object) => Part::Object(object.into_iter().map(pair).collect()),
            Err(_) => Part::Other(part),
        };
        list(value).into_iter().map(part).collect()
    }

    fn has_content(&self) -> bool {
        match self {
            Part::Object(object) => object.iter().any(|(key, _)| CONTENT.contains(&&**key)),
            Part::Other(_) => false,
        }
    }

    fn without_content(self) -> Part<'a> {
        match self {
            Part::Object(object) => Part::Object(
                object.into_iter().filter(|(key, _)| !CONTENT.contains(&&**key)).collect(),
            ),
            other => other,
        }
    }
}

impl Seen<'_> {
    /// The parts in the row are the event's, in their order, all of them without content where the
    /// row says so.
    pub(super) fn parts_hold(&self, dropped: bool) {
        let Some(value) = self.event.values.get(MESSAGE_PARTS[0]) else { return };
        if !self.has_column_for_parts() {
            return;
        }
        let expected = Part::all(value).into_iter();
        let expected: Vec<Part<'_>> = match dropped {
            true => expected.map(Part::without_content).collect(),
            false => expected.collect(),
        };
        let found = self.columns_for_parts();
        let found: Vec<Part<'_>> = found.iter().flat_map(|parts| Part::all(parts)).collect();
        assert_eq!(found, expected);
    }

    /// The JSON in the row's columns for parts.
    fn columns_for_parts(&self) -> Vec<Cow<'_, str>> {
        match self.shape {
            RowShape::Legacy => self.joined().map(Cow::Owned).into_iter().collect(),
            RowShape::Columns => {
                let columns = MESSAGE_PARTS.iter().filter_map(|column| self.row.get(*column));
                columns.map(|parts| Cow::Borrowed(*parts)).collect()
            }
        }
    }

    /// Legacy rows of every type have one; of the tables only one has.
    pub(super) fn has_column_for_parts(&self) -> bool {
        self.shape == RowShape::Legacy
            || table(self.event_type).event_column(MESSAGE_PARTS[0]).is_some()
    }

    /// No message part in the row has mail content.
    pub(super) fn no_text_is_left(&self, repeated: Option<&str>) {
        let earlier = repeated.map(list).unwrap_or_default().into_iter().map(values);
        let earlier = earlier.filter(|noted| noted["key"] == format!("\"{}\"", MESSAGE_PARTS[0]));
        let earlier = earlier.map(|noted| Cow::Borrowed(noted["value"]));
        for parts in earlier.chain(self.columns_for_parts()) {
            assert!(!Part::all(&parts).iter().any(Part::has_content), "{parts}");
        }
    }
}
