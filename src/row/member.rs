//! A member of an event, as slices of the bytes that came.

use std::borrow::Cow;
use std::ops::Range;

/// One member of a JSON object: its key, and its value as it stands in the event.
#[derive(Clone, Debug)]
pub struct Member<'a> {
    /// The key, unescaped.
    pub key: Cow<'a, str>,
    /// The value's text, without surrounding white space.
    pub value: &'a str,
    /// Where `"key":value` stands in the object, if it is written like that: without white space
    /// within and without escapes in the key.
    pub span: Option<Range<usize>>,
}
