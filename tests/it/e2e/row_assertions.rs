//! Checks that rows contain their events, byte for byte.
//!
//! The rules for rows are written here independently of the program.

use std::collections::BTreeMap;
use std::fmt;

use bytes::Bytes;
use jiff::fmt::strtime;
use jiff::{SignedDuration, Timestamp, tz::TimeZone};
use proofpoint_sentinel_core::feed::EventType;
use proofpoint_sentinel_simulator::DestinationApi;
use serde::de::{Deserialize, Deserializer, MapAccess, Visitor};
use serde_json::value::RawValue;

use crate::e2e::fixture::Scene;

/// The members of a JSON object in their order, including repeated ones. Values are raw JSON.
#[derive(Debug)]
pub(crate) struct ObjectMembers(pub Vec<(String, String)>);

impl ObjectMembers {
    pub(crate) fn of(object: &str) -> ObjectMembers {
        serde_json::from_str(object).unwrap_or_else(|error| panic!("{error}: {object}"))
    }

    /// The raw value of the last member with this name.
    pub(crate) fn get(&self, key: &str) -> Option<&str> {
        self.0.iter().rev().find(|(name, _)| name == key).map(|(_, value)| value.as_str())
    }

    /// The value of a string member.
    pub(crate) fn text(&self, key: &str) -> Option<String> {
        serde_json::from_str(self.get(key)?).ok()
    }

    /// The members of an object member.
    pub(crate) fn object(&self, key: &str) -> ObjectMembers {
        self.get(key).map_or_else(|| ObjectMembers(Vec::new()), ObjectMembers::of)
    }

    /// The members by name. No name may occur twice.
    fn once(self) -> BTreeMap<String, String> {
        let count = self.0.len();
        let map: BTreeMap<_, _> = self.0.into_iter().collect();
        assert_eq!(map.len(), count, "a key comes twice: {:?}", map.keys());
        map
    }
}

impl<'de> Deserialize<'de> for ObjectMembers {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<ObjectMembers, D::Error> {
        struct ObjectVisitor;

        impl<'de> Visitor<'de> for ObjectVisitor {
            type Value = ObjectMembers;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<ObjectMembers, A::Error> {
                let mut members = Vec::new();
                while let Some((key, value)) = map.next_entry::<String, &RawValue>()? {
                    members.push((key, value.get().to_owned()));
                }
                Ok(ObjectMembers(members))
            }
        }

        deserializer.deserialize_map(ObjectVisitor)
    }
}

/// The key of the event id.
pub(crate) fn id_key(event_type: EventType) -> &'static str {
    match event_type {
        EventType::Message | EventType::Audit => "guid",
        EventType::Maillog => "id",
    }
}

/// Asserts that the workspace has each of `events` once and unchanged, and nothing else.
pub(crate) fn assert_arrived(scene: &Scene, event_type: EventType, events: &[Bytes]) {
    for (event, times) in events.iter().zip(arrivals(scene, event_type, events)) {
        assert_eq!(times, 1, "arrivals of {}", String::from_utf8_lossy(event));
    }
}

/// How often the workspace has each of `events`. Every row must belong to one of them.
pub(crate) fn arrivals(scene: &Scene, event_type: EventType, events: &[Bytes]) -> Vec<usize> {
    let events: Vec<ObjectMembers> = events
        .iter()
        .map(|event| ObjectMembers::of(std::str::from_utf8(event).expect("the event is text")))
        .collect();
    let key = id_key(event_type);
    let mut positions = BTreeMap::new();
    for (position, event) in events.iter().enumerate() {
        let twin = positions.insert(event.text(key).expect("it has an id"), position);
        assert_eq!(twin, None, "the test's events have ids of their own");
    }
    let mut times = vec![0; events.len()];
    for row in scene.rows(event_type) {
        let row = ObjectMembers::of(&row);
        let id = row.text(key).expect("a row has the event's id");
        let position = *positions.get(&id).unwrap_or_else(|| panic!("Proofpoint never sent {id}"));
        times[position] += 1;
        match scene.destination {
            DestinationApi::LogsIngestion => {
                assert_is_columns_of(&events[position], row, event_type, scene.now());
            }
            DestinationApi::DataCollector => {
                assert_is_legacy_of(&events[position], row, event_type, scene.now());
            }
        }
    }
    times
}

/// The columns that take the event's key of the same name unchanged.
fn columns(event_type: EventType) -> &'static [&'static str] {
    match event_type {
        EventType::Message => {
            &["guid", "connection", "envelope", "msg", "pps", "metadata", "filter", "msgParts"]
        }
        EventType::Maillog => &["id", "data", "pps", "metadata", "sm", "tls"],
        EventType::Audit => &["guid", "audit", "metadata"],
    }
}

fn assert_is_columns_of(
    event: &ObjectMembers,
    row: ObjectMembers,
    event_type: EventType,
    now: Timestamp,
) {
    let mut row = row.once();
    let additional = row.remove("AdditionalFields").unwrap_or_else(|| "{}".to_owned());
    let mut rest = Rest::of(event, &additional);
    let at = time(event);
    let told = at.unwrap_or(now);
    assert_eq!(instant(row.remove("eventTime")), told, "eventTime");
    assert_is_seen(told, instant(row.remove("TimeGenerated")));
    assert_says_how_it_came(&mut row);
    rest.has_note_of_time(at.is_none());
    for (key, value) in rest.event.last() {
        if columns(event_type).contains(&key) {
            assert_eq!(row.remove(key).as_deref(), Some(value), "{key}");
        } else if key != "ts" || at.is_none() {
            rest.takes(key, value);
        }
    }
    rest.is_empty();
    assert_eq!(row, BTreeMap::new(), "columns that the event does not have");
}

fn assert_is_legacy_of(
    event: &ObjectMembers,
    row: ObjectMembers,
    event_type: EventType,
    now: Timestamp,
) {
    let mut row = row.once();
    let additional = row.remove("AdditionalFields").map(|text| unquoted(&text));
    let additional = additional.unwrap_or_else(|| "{}".to_owned());
    let mut rest = Rest::of(event, &additional);
    let at = time(event);
    assert_eq!(instant(row.remove("eventTime")), at.unwrap_or(now), "eventTime");
    assert_eq!(row.remove("event_type"), Some(format!("\"{event_type}\"")));
    row.remove("TimeGenerated").expect("the workspace sets it");
    assert_says_how_it_came(&mut row);
    rest.has_note_of_time(at.is_none());
    for (key, value) in rest.event.last() {
        if key == "msgParts" {
            assert_eq!(joined_parts(&mut row), value, "msgParts");
        } else if is_plain_name(key) {
            assert_eq!(row.remove(key).as_deref(), Some(value), "{key}");
        } else {
            rest.takes(key, value);
        }
    }
    rest.is_empty();
    assert_eq!(row, BTreeMap::new(), "columns that the event does not have");
}

/// A row has the time of its event. One of over 46 hours, or of a time that was yet to come, has the
/// time of its receipt instead.
fn assert_is_seen(at: Timestamp, generated: Timestamp) {
    let is_late = generated.duration_since(at) > SignedDuration::from_hours(46);
    assert!(generated <= at || is_late, "TimeGenerated of {at}: {generated}");
}

/// Which of them it was, other tests say.
fn assert_says_how_it_came(row: &mut BTreeMap<String, String>) {
    let by = unquoted(&row.remove("CollectedBy").expect("each row has it"));
    assert!(["live", "archive", "backfill", "resend"].contains(&&*by), "{by}");
}

/// The text of `msgParts`, from one column or from numbered columns.
fn joined_parts(row: &mut BTreeMap<String, String>) -> String {
    if let Some(whole) = row.remove("msgParts") {
        return unquoted(&whole);
    }
    let pieces = (1..).map_while(|number| row.remove(&format!("msgParts{number}")));
    pieces.map(|piece| unquoted(&piece)).collect()
}

/// Whether a key is a valid column name for the Data Collector API that rows do not use otherwise.
fn is_plain_name(key: &str) -> bool {
    const OWN: [&str; 7] = [
        "tenant",
        "timegenerated",
        "rawdata",
        "event_type",
        "eventtime",
        "additionalfields",
        "collectedby",
    ];
    let is_word = key.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
        && key.starts_with(|first: char| first.is_ascii_alphabetic());
    is_word && !OWN.contains(&key.to_lowercase().as_str()) && !key.starts_with("msgParts")
}

/// The content of `AdditionalFields`. Each check removes what it expects; the rest must be empty.
struct Rest<'a> {
    event: Last<'a>,
    fields: BTreeMap<String, String>,
    notes: BTreeMap<String, String>,
}

impl<'a> Rest<'a> {
    fn of(event: &'a ObjectMembers, additional: &str) -> Rest<'a> {
        let mut fields = ObjectMembers::of(additional).once();
        let notes = fields.remove("connectorNotes").unwrap_or_else(|| "{}".to_owned());
        let mut rest = Rest { event: Last(event), fields, notes: ObjectMembers::of(&notes).once() };
        rest.has_note_of_repeated();
        rest
    }

    fn has_note_of_time(&mut self, unreadable: bool) {
        let note = self.notes.remove("timestamp");
        assert_eq!(note.is_some(), unreadable, "a note that the time is that of receipt: {note:?}");
    }

    fn has_note_of_repeated(&mut self) {
        let noted = self.notes.remove("repeatedKeys").unwrap_or_else(|| "[]".to_owned());
        let noted: Vec<ObjectMembers> =
            serde_json::from_str(&noted).expect("it is a list of objects");
        let noted: Vec<_> = noted.iter().map(|one| (one.text("key"), one.get("value"))).collect();
        let members = &self.event.0.0;
        let repeated: Vec<_> = members
            .iter()
            .enumerate()
            .filter(|(at, (key, _))| members[at + 1..].iter().any(|(later, _)| later == key))
            .map(|(_, (key, value))| (Some(key.clone()), Some(value.as_str())))
            .collect();
        assert_eq!(noted, repeated, "values of keys that come again");
    }

    fn takes(&mut self, key: &str, value: &str) {
        let name = if key == "connectorNotes" { "connectorNotes_" } else { key };
        assert_eq!(self.fields.remove(name).as_deref(), Some(value), "{key} in AdditionalFields");
    }

    fn is_empty(&self) {
        assert_eq!(self.fields, BTreeMap::new(), "fields that the event does not have");
        assert_eq!(self.notes, BTreeMap::new(), "notes that don't hold");
    }
}

/// The last member of each name in an event.
#[derive(Clone, Copy)]
struct Last<'a>(&'a ObjectMembers);

impl<'a> Last<'a> {
    fn last(self) -> impl Iterator<Item = (&'a str, &'a str)> {
        let members = &self.0.0;
        members.iter().enumerate().filter_map(move |(at, (key, value))| {
            let hidden = members[at + 1..].iter().any(|(later, _)| later == key);
            (!hidden).then_some((key.as_str(), value.as_str()))
        })
    }
}

fn unquoted(text: &str) -> String {
    serde_json::from_str(text).unwrap_or_else(|_| panic!("no text: {text}"))
}

fn instant(column: Option<String>) -> Timestamp {
    let text = unquoted(&column.expect("the row has it"));
    assert!(text.ends_with('Z'), "{text} is not written in UTC");
    text.parse().expect("it is a time")
}

/// The event's own time, if its format is known.
fn time(event: &ObjectMembers) -> Option<Timestamp> {
    let text = event.text("ts")?.replace('Z', "+0000");
    let with_offset = ["%Y-%m-%dT%H:%M:%S%.f%z", "%Y-%m-%dT%H:%M:%S%.f%:z"]
        .iter()
        .find_map(|form| strtime::parse(form, &text).ok()?.to_timestamp().ok());
    with_offset.or_else(|| {
        let civil = strtime::parse("%Y-%m-%dT%H:%M:%S%.f", &text).ok()?.to_datetime().ok()?;
        Some(civil.to_zoned(TimeZone::UTC).ok()?.timestamp())
    })
}
