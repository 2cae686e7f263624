//! The top-level members of an event, as slices of the bytes that came.

use std::borrow::Cow;
use std::collections::HashSet;
use std::fmt;

use serde::de::{Deserialize, Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde_json::value::RawValue;

pub use super::member::Member;
use super::scan::{Path, Scan, scan};

/// Where a message says what was decided about it.
const DISPOSITION: Path<'static> = Path("filter", "disposition");

/// The members of an event, and what else was found on the way.
pub(super) struct EventMembers<'a> {
    /// All of them in order, repeated keys included.
    pub members: Vec<Member<'a>>,
    /// The value of the last `disposition` of the last `filter`.
    pub disposition: Option<&'a str>,
    /// Whether there may be escapes for halves of characters.
    pub may_have_surrogates: bool,
}

/// Up to so many keys, comparing each with each is faster than hashing them.
const FEW_KEYS: usize = 32;

/// The text is not one JSON object.
#[derive(Debug, thiserror::Error)]
#[error("not a JSON object: {0}")]
pub struct MalformedEvent(#[from] serde_json::Error);

/// Finds the members of a JSON object in order, repeated keys included. Values are checked to be
/// JSON, and otherwise not looked at.
pub fn members(object: &str) -> Result<Vec<Member<'_>>, MalformedEvent> {
    match scan(object, None) {
        Some(scan) => Ok(scan.members),
        None => parsed_members(object),
    }
}

/// As [`members`], of an event.
pub(super) fn event_members(event: &str) -> Result<EventMembers<'_>, MalformedEvent> {
    if let Some(Scan { members, at_path, has_surrogates }) = scan(event, Some(DISPOSITION)) {
        let (disposition, may_have_surrogates) = (at_path, has_surrogates);
        return Ok(EventMembers { members, disposition, may_have_surrogates });
    }
    let members = parsed_members(event)?;
    let Path(outer, inner) = DISPOSITION;
    let filter = members.iter().rev().find(|it| it.key == outer);
    let disposition = filter.and_then(|filter| member(filter.value, inner));
    Ok(EventMembers { members, disposition, may_have_surrogates: true })
}

/// As [`members`], by a parser that knows all of JSON and says what is wrong.
pub(super) fn parsed_members(object: &str) -> Result<Vec<Member<'_>>, MalformedEvent> {
    let Members(members) = serde_json::from_str(object)?;
    Ok(members)
}

/// The value of the last member of this key; `None` if there is none, and for any text that is not
/// a JSON object.
pub(super) fn member<'a>(object: &'a str, key: &str) -> Option<&'a str> {
    let mut reader = serde_json::Deserializer::from_str(object);
    reader.deserialize_map(LastMember(key)).ok()?
}

struct LastMember<'k>(&'k str);

impl<'de> Visitor<'de> for LastMember<'_> {
    type Value = Option<&'de str>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        let mut found = None;
        while let Some(Key(key)) = map.next_key()? {
            if key == self.0 {
                found = Some(map.next_value::<&RawValue>()?.get());
            } else {
                map.next_value::<IgnoredAny>()?;
            }
        }
        Ok(found)
    }
}

/// Tells of each member whether its key comes again later. Usually none does.
pub struct Repeated(Option<Vec<bool>>);

impl Repeated {
    /// Looks at all keys.
    pub fn among(members: &[Member<'_>]) -> Repeated {
        let few_and_different = members.len() <= FEW_KEYS
            && members.iter().enumerate().all(|(position, member)| {
                members[position + 1..].iter().all(|later| later.key != member.key)
            });
        if few_and_different {
            return Repeated(None);
        }
        let mut later = HashSet::with_capacity(members.len());
        let from_the_end = members.iter().rev().map(|member| !later.insert(&member.key));
        let mut repeated: Vec<bool> = from_the_end.collect();
        repeated.reverse();
        Repeated(Some(repeated))
    }

    /// Whether the key of the member at this position comes again.
    pub fn at(&self, position: usize) -> bool {
        self.0.as_ref().is_some_and(|repeated| repeated[position])
    }
}

/// Finds the elements of a JSON array; `None` for any other text.
pub fn elements(array: &str) -> Option<Vec<&str>> {
    let elements: Vec<&RawValue> = serde_json::from_str(array).ok()?;
    Some(elements.into_iter().map(RawValue::get).collect())
}

/// The first elements of a JSON array and the count of all; `None` for any other text. As many are
/// found as together have `limit` bytes, of each of which at most `each` count: the rest of a huge
/// array takes no memory.
pub fn elements_within(array: &str, limit: usize, each: usize) -> Option<(Vec<&str>, usize)> {
    let mut reader = serde_json::Deserializer::from_str(array);
    let found = reader.deserialize_seq(FirstElements { limit, each }).ok()?;
    reader.end().is_ok().then_some(found)
}

struct FirstElements {
    limit: usize,
    each: usize,
}

impl<'de> Visitor<'de> for FirstElements {
    type Value = (Vec<&'de str>, usize);

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON array")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut array: A) -> Result<Self::Value, A::Error> {
        let mut first = Vec::new();
        let mut bytes = 0;
        while bytes <= self.limit {
            let Some(element) = array.next_element::<&RawValue>()? else {
                let count = first.len();
                return Ok((first, count));
            };
            bytes += element.get().len().min(self.each) + ",".len();
            first.push(element.get());
        }
        let mut count = first.len();
        while array.next_element::<IgnoredAny>()?.is_some() {
            count += 1;
        }
        Ok((first, count))
    }
}

struct Members<'a>(Vec<Member<'a>>);

impl<'de> Deserialize<'de> for Members<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(MembersVisitor)
    }
}

struct MembersVisitor;

impl<'de> Visitor<'de> for MembersVisitor {
    type Value = Members<'de>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Members<'de>, A::Error> {
        let mut members = Vec::with_capacity(12);
        while let Some(Key(key)) = map.next_key()? {
            let value: &RawValue = map.next_value()?;
            members.push(Member { key, value: value.get(), span: None });
        }
        Ok(Members(members))
    }
}

/// A key that borrows from the event unless it has escapes. `Cow`'s own `Deserialize` never borrows.
struct Key<'a>(Cow<'a, str>);

impl<'de> Deserialize<'de> for Key<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_str(KeyVisitor)
    }
}

struct KeyVisitor;

impl<'de> Visitor<'de> for KeyVisitor {
    type Value = Key<'de>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a key")
    }

    fn visit_borrowed_str<E>(self, key: &'de str) -> Result<Key<'de>, E> {
        Ok(Key(Cow::Borrowed(key)))
    }

    fn visit_str<E>(self, key: &str) -> Result<Key<'de>, E> {
        Ok(Key(Cow::Owned(key.to_owned())))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn values_are_the_bytes_as_they_came() {
        let found = members(
            r#" {"a" : 1.0 ,"b":{"x":[1, 2]},"a":18446744073709551616,"\u0063":"\ud83d\ude00"} "#,
        )
        .unwrap();
        let found: Vec<_> = found.iter().map(|m| (m.key.as_ref(), m.value)).collect();
        assert_eq!(
            found,
            [
                ("a", "1.0"),
                ("b", r#"{"x":[1, 2]}"#),
                ("a", "18446744073709551616"),
                ("c", r#""\ud83d\ude00""#)
            ]
        );
    }

    #[test]
    fn anything_but_one_object_is_malformed() {
        for text in
            ["", "null", "[]", "{", r#"{"a":1"#, r#"{"a":1} x"#, r#"{"a":1}{"a":1}"#, "\"x\""]
        {
            assert!(members(text).is_err(), "{text}");
        }
    }

    proptest! {
        #[test]
        fn a_key_is_repeated_where_it_comes_again(
            keys in prop_oneof![
                prop::collection::vec("[a-z]{1,2}", 0..3 * FEW_KEYS),
                prop::collection::vec("[a-c]{1,3}", 0..9),
            ],
        ) {
            let member = |key: &String| Member { key: Cow::Owned(key.clone()), value: "1", span: None };
            let members: Vec<_> = keys.iter().map(member).collect();
            let again = |(n, key)| keys.iter().rposition(|other| other == key) > Some(n);
            let expected: Vec<bool> = keys.iter().enumerate().map(again).collect();
            let repeated = Repeated::among(&members);
            let found: Vec<bool> = (0..keys.len()).map(|position| repeated.at(position)).collect();
            prop_assert_eq!(found, expected);
        }
    }
}
