use proofpoint_sentinel_core::tables::{ADDITIONAL_FIELDS, COLLECTED_BY, MESSAGE_PARTS};

use super::{Seen, text_of};
use crate::row::event::members;
use crate::row::legacy::{MAX_PIECES, MAX_VALUE_BYTES};

/// A column's name may have 45 characters, two of which are its type.
const LONGEST_NAME: usize = 43;

/// Whether the connector fills the column itself.
pub(super) fn is_own(column: &str) -> bool {
    ["event_type", "eventTime", ADDITIONAL_FIELDS, COLLECTED_BY].contains(&column)
        || is_piece(column)
}

/// A column of `msgParts` that is cut into several: `msgParts1` and so on.
fn is_piece(column: &str) -> bool {
    let number = column.strip_prefix(MESSAGE_PARTS[0]).unwrap_or_default();
    !number.is_empty() && number.bytes().all(|byte| byte.is_ascii_digit())
}

impl Seen<'_> {
    /// Every column has a name that the service takes, and is short enough.
    pub(super) fn legacy_holds(&self) {
        assert_eq!(text_of(self.row["event_type"]).as_deref(), Some(self.event_type.as_str()));
        for (name, value) in &self.row {
            assert!(
                name.len() <= LONGEST_NAME && name.starts_with(|c: char| c.is_ascii_alphabetic())
            );
            assert!(name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_'));
            assert!(!["tenant", "timegenerated", "rawdata"].contains(&&*name.to_ascii_lowercase()));
            assert_leaves_fit(name, value);
        }
        let pieces = self.row.keys().filter(|name| is_piece(name)).count();
        assert!(pieces <= MAX_PIECES);
        assert!((1..=pieces).all(|n| self.row.contains_key(&format!("{}{n}", MESSAGE_PARTS[0]))));
    }

    /// `msgParts` as the row has it, in one column or in pieces.
    pub(super) fn joined(&self) -> Option<String> {
        let text = |name: &str| self.row.get(name).map(|text| text_of(text).expect("a text"));
        text(MESSAGE_PARTS[0]).or_else(|| {
            let pieces = (1..).map_while(|n| text(&format!("{}{n}", MESSAGE_PARTS[0])));
            Some(pieces.collect::<String>()).filter(|joined| !joined.is_empty())
        })
    }
}

/// What becomes a column, a text, a number or an array, is short enough.
fn assert_leaves_fit(path: &str, value: &str) {
    if value.len() <= MAX_VALUE_BYTES {
        return;
    }
    match members(value) {
        Ok(object) => object.iter().for_each(|member| assert_leaves_fit(path, member.value)),
        Err(_) => {
            let length = text_of(value).map_or(value.len(), |text| text.len());
            assert!(length <= MAX_VALUE_BYTES, "{path} has {length} bytes");
        }
    }
}
