//! Records: what TAP knows of a message for one recipient, or of a click.

use bytes::Bytes;
use jiff::Timestamp;
use proofpoint_sentinel_core::tap_kind::TapKind;
use serde::Deserialize;

use crate::time_format;

/// The state of a threat, as the parameter `threatStatus` selects it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ThreatStatus {
    /// It is a threat.
    Active,
    /// It was one.
    Cleared,
    /// It never was one.
    FalsePositive,
}

impl ThreatStatus {
    /// All of them.
    pub const ALL: [ThreatStatus; 3] =
        [ThreatStatus::Active, ThreatStatus::Cleared, ThreatStatus::FalsePositive];

    /// Its name in the parameter `threatStatus`.
    pub fn as_parameter(self) -> &'static str {
        match self {
            ThreatStatus::Active => "active",
            ThreatStatus::Cleared => "cleared",
            ThreatStatus::FalsePositive => "falsePositive",
        }
    }

    /// Its name in a record.
    pub fn as_str(self) -> &'static str {
        match self {
            ThreatStatus::Active => "active",
            ThreatStatus::Cleared => "cleared",
            ThreatStatus::FalsePositive => "falsepositive",
        }
    }

    fn read(text: &str) -> Option<ThreatStatus> {
        ThreatStatus::ALL.into_iter().find(|status| text.eq_ignore_ascii_case(status.as_str()))
    }
}

/// Where a threat is, as the parameter `threatType` selects it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ThreatType {
    /// Behind a URL.
    Url,
    /// In an attached file.
    Attachment,
    /// In the text of the message.
    MessageText,
}

impl ThreatType {
    /// All of them.
    pub const ALL: [ThreatType; 3] =
        [ThreatType::Url, ThreatType::Attachment, ThreatType::MessageText];

    /// Its name, in the parameter `threatType` and in records.
    pub fn as_str(self) -> &'static str {
        match self {
            ThreatType::Url => "url",
            ThreatType::Attachment => "attachment",
            ThreatType::MessageText => "messageText",
        }
    }

    fn read(text: &str) -> Option<ThreatType> {
        ThreatType::ALL.into_iter().find(|kind| text.eq_ignore_ascii_case(kind.as_str()))
    }
}

/// A threat of a record. What the record does not say matches every filter.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct RecordThreat {
    /// Its status, if the record has a known one.
    pub status: Option<ThreatStatus>,
    /// Where it is, if the record has a known type.
    pub threat_type: Option<ThreatType>,
}

/// A record, with the times that decide which calls return it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TapRecord {
    /// Its kind.
    pub kind: TapKind,
    /// When it was created. The window of a call selects by this time.
    pub created_at: Timestamp,
    /// Calls return it from this time on.
    pub indexed_at: Timestamp,
    /// No call returns it from this time on.
    pub replaced_at: Option<Timestamp>,
    /// Its threats, for the filters of a call.
    pub threats: Vec<RecordThreat>,
    /// The record as it is sent.
    pub body: Bytes,
}

impl TapRecord {
    /// A record that is indexed when it is created.
    ///
    /// The body may be any JSON. Its threats are read from it, if it is an object that names some.
    pub fn new(kind: TapKind, created_at: Timestamp, body: impl Into<Bytes>) -> TapRecord {
        let body = body.into();
        let read = ReadRecord::of(&body);
        let threats = match kind.is_message() {
            true => read.threats.iter().flatten().map(ReadThreat::threat).collect(),
            false => vec![read.own_threat()],
        };
        TapRecord { kind, created_at, indexed_at: created_at, replaced_at: None, threats, body }
    }

    /// A record that is created when its own times say: at the latest of the time of its message or
    /// click and the times of its threats. `None` if it has no such time.
    pub fn dated(kind: TapKind, body: impl Into<Bytes>) -> Option<TapRecord> {
        let body = body.into();
        let created_at = ReadRecord::of(&body).creation_time()?;
        Some(TapRecord::new(kind, created_at, body))
    }

    /// The same record, indexed at `indexed_at`.
    pub fn indexed_at(self, indexed_at: Timestamp) -> TapRecord {
        TapRecord { indexed_at, ..self }
    }

    /// Whether calls at `now` return it.
    pub fn exists_at(&self, now: Timestamp) -> bool {
        self.indexed_at <= now && self.replaced_at.is_none_or(|at| now < at)
    }

    /// Whether one of its threats has one of `statuses`, and one has one of `types`.
    pub(super) fn matches(&self, statuses: &[ThreatStatus], types: &[ThreatType]) -> bool {
        let some = |test: &dyn Fn(&RecordThreat) -> bool| {
            self.threats.is_empty() || self.threats.iter().any(test)
        };
        some(&|threat| threat.status.is_none_or(|status| statuses.contains(&status)))
            && some(&|threat| threat.threat_type.is_none_or(|kind| types.contains(&kind)))
    }
}

/// The members of a record that decide when and to whom it is sent.
#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct ReadRecord {
    message_time: Option<String>,
    click_time: Option<String>,
    threat_time: Option<String>,
    threat_status: Option<String>,
    #[serde(rename = "threatsInfoMap")]
    threats: Option<Vec<ReadThreat>>,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct ReadThreat {
    threat_time: Option<String>,
    threat_status: Option<String>,
    threat_type: Option<String>,
}

impl ReadRecord {
    /// What can be read of `body`. Nothing, if it is no such object.
    fn of(body: &[u8]) -> ReadRecord {
        serde_json::from_slice(body).unwrap_or_default()
    }

    fn creation_time(&self) -> Option<Timestamp> {
        let own = [&self.message_time, &self.click_time, &self.threat_time];
        let threats = self.threats.iter().flatten().map(|threat| &threat.threat_time);
        own.into_iter().chain(threats).flatten().filter_map(|text| time_format::parse(text)).max()
    }

    /// The threat of a click. Clicks lead to URLs.
    fn own_threat(&self) -> RecordThreat {
        let status = self.threat_status.as_deref().and_then(ThreatStatus::read);
        RecordThreat { status, threat_type: Some(ThreatType::Url) }
    }
}

impl ReadThreat {
    fn threat(&self) -> RecordThreat {
        RecordThreat {
            status: self.threat_status.as_deref().and_then(ThreatStatus::read),
            threat_type: self.threat_type.as_deref().and_then(ThreatType::read),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn message(body: &'static str) -> TapRecord {
        TapRecord::dated(TapKind::MessagesDelivered, body).unwrap()
    }

    #[test]
    fn a_record_is_created_at_its_latest_time() {
        let late = r#"{"messageTime":"2025-04-23T21:05:55.000Z","threatsInfoMap":[
            {"threatTime":"2025-04-28T04:27:24.000Z"},{"threatTime":"2025-04-24T00:00:00.000Z"}]}"#;
        assert_eq!(message(late).created_at.to_string(), "2025-04-28T04:27:24Z");
        let known = r#"{"messageTime":"2022-01-05T10:05:56.020Z","threatsInfoMap":[
            {"threatTime":"2021-11-25T13:02:58.640Z"}]}"#;
        assert_eq!(message(known).created_at.to_string(), "2022-01-05T10:05:56.02Z");
        let click = r#"{"clickTime":"2022-03-30T10:51:53.000Z",
            "threatTime":"2022-02-26T00:36:25.000Z"}"#;
        let click = TapRecord::dated(TapKind::ClicksPermitted, click).unwrap();
        assert_eq!(click.created_at.to_string(), "2022-03-30T10:51:53Z");
        for undated in ["{}", "7", "[]", "{oops", r#"{"messageTime":"yesterday"}"#] {
            assert_eq!(TapRecord::dated(TapKind::MessagesBlocked, undated), None, "{undated}");
        }
    }

    #[test]
    fn a_record_exists_from_its_index_to_its_successor() {
        let at = |second| Timestamp::from_second(second).unwrap();
        let record = TapRecord::new(TapKind::ClicksBlocked, at(10), "{}");
        assert!(record.exists_at(at(10)) && !record.exists_at(at(9)));
        let late = TapRecord { replaced_at: Some(at(30)), ..record.indexed_at(at(20)) };
        assert!(!late.exists_at(at(19)) && late.exists_at(at(20)));
        assert!(late.exists_at(at(29)) && !late.exists_at(at(30)));
    }

    #[test]
    fn filters_look_at_every_threat() {
        use ThreatStatus::{Active, Cleared, FalsePositive};
        let two = message(
            r#"{"messageTime":"2022-01-05T10:05:56Z","threatsInfoMap":[
                {"threatStatus":"Active","threatType":"ATTACHMENT"},
                {"threatStatus":"falsePositive","threatType":"messageText"}]}"#,
        );
        assert!(two.matches(&[Active], &ThreatType::ALL));
        assert!(two.matches(&[FalsePositive], &ThreatType::ALL));
        assert!(!two.matches(&[Cleared], &ThreatType::ALL));
        assert!(two.matches(&[Active], &[ThreatType::MessageText]));
        assert!(!two.matches(&[Active], &[ThreatType::Url]));
        let silent = message(r#"{"messageTime":"2022-01-05T10:05:56Z"}"#);
        assert!(silent.matches(&[Cleared], &[ThreatType::Url]));
    }

    #[test]
    fn clicks_are_threats_by_url() {
        let body = r#"{"clickTime":"2022-03-30T10:51:53Z","threatStatus":"cleared"}"#;
        let click = TapRecord::dated(TapKind::ClicksBlocked, body).unwrap();
        assert!(click.matches(&[ThreatStatus::Cleared], &[ThreatType::Url]));
        assert!(!click.matches(&[ThreatStatus::Active], &[ThreatType::Url]));
        assert!(!click.matches(&[ThreatStatus::Cleared], &[ThreatType::Attachment]));
    }
}
