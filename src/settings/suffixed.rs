//! Settings that may be there several times, with a suffix for each.

use std::collections::BTreeSet;

use super::reader::SettingsReader;

/// The suffixes with which one of `names` has a value, with their underscore. The names alone have
/// an empty one.
pub(super) fn suffixes<'a>(
    reader: &SettingsReader<'a>,
    names: [&'static str; 2],
) -> BTreeSet<&'a str> {
    names
        .into_iter()
        .flat_map(|prefix| {
            reader.names_with_value(prefix).filter_map(move |name| {
                let suffix = &name[prefix.len()..];
                (suffix.is_empty() || (suffix.starts_with('_') && suffix.len() > 1))
                    .then_some(suffix)
            })
        })
        .collect()
}

/// What settings with this suffix are called: `emea` for `_emea`, and `default` without one.
pub(super) fn name_of(suffix: &str) -> String {
    suffix.strip_prefix('_').unwrap_or("default").to_owned()
}
