//! Texts in JSON.

use std::borrow::Cow;

/// The text of a JSON string; `None` for any other value.
pub(super) fn string_value(value: &str) -> Option<Cow<'_, str>> {
    let inner = value.strip_prefix('"')?.strip_suffix('"')?;
    if inner.contains('\\') {
        return serde_json::from_str(value).ok().map(Cow::Owned);
    }
    Some(Cow::Borrowed(inner))
}

/// The event with the keys of its objects in order, so that the same event has the same text
/// however it was written. An event that is nested too deeply stays as it is.
pub(super) fn canonical_json(event: &str) -> String {
    match serde_json::from_str::<serde_json::Value>(event) {
        Ok(value) => value.to_string(),
        Err(_) => event.to_owned(),
    }
}
