//! Version 1 of the format, which release 0.1.0 wrote. It gave the end of a reading as a text.

use jiff::Timestamp;
use proofpoint_sentinel_core::hour::Hour;
use serde::{Deserialize, Deserializer};

use crate::state::recorded_end::RecordedEnd;

/// What release 0.1.0 wrote. The fields have the meaning that they have today.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct CheckpointV1 {
    #[serde(rename = "version")]
    _version: u32,
    pub feed: String,
    pub writer: String,
    pub sequence: u64,
    pub updated: Timestamp,
    pub next_hour: Hour,
    pub retry: Vec<HourAttemptV1>,
    pub lost: Vec<Hour>,
    pub second: Vec<Hour>,
    #[serde(deserialize_with = "Option::deserialize")]
    pub live: Option<LiveMarkV1>,
    #[serde(deserialize_with = "Option::deserialize")]
    pub newest: Option<Timestamp>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct LiveMarkV1 {
    pub ended: Timestamp,
    #[serde(deserialize_with = "end")]
    pub end: RecordedEnd,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct HourAttemptV1 {
    pub hour: Hour,
    pub attempts: u32,
    pub empty_reads: u32,
    pub not_before: Timestamp,
    pub last_events: u64,
    #[serde(deserialize_with = "end")]
    pub last_end: RecordedEnd,
}

fn end<'de, D: Deserializer<'de>>(deserializer: D) -> Result<RecordedEnd, D::Error> {
    String::deserialize(deserializer).map(from_text)
}

/// The end that the text stands for. No two texts stand for the same one.
fn from_text(text: String) -> RecordedEnd {
    match text.as_str() {
        "closed without a code" => return RecordedEnd::Closed(None),
        "cut" => return RecordedEnd::Cut,
        "stalled" => return RecordedEnd::Stalled,
        "stopped" => return RecordedEnd::Stopped,
        "out of time" => return RecordedEnd::OutOfTime,
        "quiet" => return RecordedEnd::Quiet,
        _ => {}
    }
    if let Some(reason) = text.strip_prefix("invalid data: ") {
        return RecordedEnd::InvalidData(reason.to_owned());
    }
    match text.strip_prefix("closed with ").and_then(close_code) {
        Some(code) => RecordedEnd::Closed(Some(code)),
        None => RecordedEnd::Unknown(text),
    }
}

/// The code, where it is written as a number is printed.
fn close_code(digits: &str) -> Option<u16> {
    digits.parse().ok().filter(|code: &u16| code.to_string() == digits)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn ends() -> Vec<(&'static str, RecordedEnd)> {
        vec![
            ("closed with 1000", RecordedEnd::Closed(Some(1000))),
            ("closed with 1011", RecordedEnd::Closed(Some(1011))),
            ("closed with 65535", RecordedEnd::Closed(Some(65535))),
            ("closed without a code", RecordedEnd::Closed(None)),
            ("cut", RecordedEnd::Cut),
            ("stalled", RecordedEnd::Stalled),
            (
                "invalid data: a message of 5 bytes, over the limit of 4",
                RecordedEnd::InvalidData("a message of 5 bytes, over the limit of 4".to_owned()),
            ),
            ("invalid data: ", RecordedEnd::InvalidData(String::new())),
            ("stopped", RecordedEnd::Stopped),
            ("out of time", RecordedEnd::OutOfTime),
            ("quiet", RecordedEnd::Quiet),
        ]
    }

    #[test]
    fn every_text_of_release_0_1_0_has_its_end() {
        for (text, end) in ends() {
            assert_eq!(from_text(text.to_owned()), end);
        }
    }

    #[test]
    fn other_texts_stand_for_no_known_end() {
        for text in [
            "",
            "Cut",
            "cut ",
            "out_of_time",
            "closed",
            "closed with ",
            "closed with 01000",
            "closed with +1000",
            "closed with 65536",
            "invalid data",
        ] {
            assert_eq!(from_text(text.to_owned()), RecordedEnd::Unknown(text.to_owned()));
        }
    }

    proptest! {
        /// So that ends are equal where texts are, and different where texts are.
        #[test]
        fn an_end_has_the_text_that_it_was_read_from(
            text in prop_oneof![
                "\\PC{0,20}",
                "(closed with |invalid data: )\\PC{0,8}",
                "closed with [0-9]{1,6}",
                prop::sample::select(ends()).prop_map(|(text, _)| text.to_owned()),
            ],
        ) {
            prop_assert_eq!(from_text(text.clone()).to_string(), text);
        }
    }
}
