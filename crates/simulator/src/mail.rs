//! Believable mail traffic: the events that a Proofpoint cluster would log for it.
//!
//! A [`Traffic`] gives the same events for the same seed, cluster, type and hour, however often
//! and in whatever order it is asked. The lines of the maillog belong to the messages: both are
//! written from the same mail and share its queue id.

mod audit;
mod bulk;
mod drawn;
mod maillog;
mod message;
mod modules;
mod numbering;
mod ordered;
mod parts;
mod people;

use jiff::Timestamp;

pub use ordered::Ordered;

use drawn::Mail;
use numbering::{Numbering, Salt};
use proofpoint_sentinel_core::feed::EventType;
use proofpoint_sentinel_core::hour::Hour;

/// The mail of one cluster.
#[derive(Clone, Debug)]
pub struct Traffic {
    seed: u64,
    cluster_id: String,
    domain: String,
    big: Option<BigParts>,
}

/// Now and then a mail with much extracted text.
#[derive(Clone, Copy, Debug)]
struct BigParts {
    one_in: u64,
    bytes: usize,
}

/// An event as the cluster logs it. Ordered by time, then by number.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Logged {
    /// When it happened.
    pub at: Timestamp,
    /// Rises within the hour, with gaps.
    pub number: u64,
    /// Nothing that is logged after it happened before this.
    pub floor: Timestamp,
    /// Its JSON.
    pub bytes: Vec<u8>,
}

/// An event with what is needed to renumber it.
struct Event {
    bytes: Vec<u8>,
    id: String,
    at: Timestamp,
}

impl Traffic {
    /// The traffic of the cluster `cluster_id` whose people are at a domain named after it.
    pub fn new(seed: u64, cluster_id: &str) -> Traffic {
        let name = cluster_id.trim_end_matches("_hosted").to_lowercase().replace('_', "-");
        let domain = format!("{name}.example");
        Traffic { seed, cluster_id: cluster_id.to_owned(), domain, big: None }
    }

    /// Lets one in `one_in` messages carry about `bytes` bytes of extracted text (in base64).
    pub fn with_big_parts(mut self, one_in: u64, bytes: usize) -> Traffic {
        self.big = (one_in > 0).then_some(BigParts { one_in, bytes });
        self
    }

    /// The events of an hour in which `count` messages pass, or `count` deeds are audited: for
    /// messages and audit one event each, for the maillog the lines of those messages.
    pub fn events(
        &self,
        event_type: EventType,
        hour: Hour,
        count: u64,
    ) -> impl Iterator<Item = Vec<u8>> + Send + use<> {
        self.since(event_type, hour, count, hour.start()).map(|logged| logged.bytes)
    }

    /// As [`events`](Self::events), but those of before `since` may be left out, so that a late
    /// part of a full hour is reached at once.
    pub fn since(
        &self,
        event_type: EventType,
        hour: Hour,
        count: u64,
        since: Timestamp,
    ) -> impl Iterator<Item = Logged> + Send + use<> {
        let numbering = self.numbering(hour, count);
        let traffic = self.clone();
        (numbering.first_since(since)..count).flat_map(move |message| {
            let events = traffic.events_of(event_type, &numbering, message);
            let floor = numbering.earliest(message);
            (0..).zip(events).map(move |(line, Event { bytes, at, .. })| Logged {
                at,
                number: numbered(message, line),
                floor,
                bytes,
            })
        })
    }

    /// As [`events`](Self::events), many times faster and less varied: the same few hundred
    /// messages over and over, each time with ids and times of their own.
    pub fn bulk(
        &self,
        event_type: EventType,
        hour: Hour,
        count: u64,
    ) -> impl Iterator<Item = Vec<u8>> + Send + use<> {
        self.bulk_since(event_type, hour, count, hour.start()).map(|logged| logged.bytes)
    }

    /// As [`bulk`](Self::bulk), but those of before `since` may be left out.
    pub fn bulk_since(
        &self,
        event_type: EventType,
        hour: Hour,
        count: u64,
        since: Timestamp,
    ) -> impl Iterator<Item = Logged> + Send + use<> {
        bulk::Bulk::new(self, event_type, self.numbering(hour, count), count, since)
    }

    fn numbering(&self, hour: Hour, count: u64) -> Numbering {
        Numbering::new(self.seed, &self.cluster_id, hour, count)
    }

    fn events_of(&self, event_type: EventType, numbering: &Numbering, number: u64) -> Vec<Event> {
        let event =
            |value: serde_json::Value, id, at| Event { bytes: value.to_string().into(), id, at };
        match event_type {
            EventType::Message => {
                let mail = Mail::draw(numbering, &self.domain, number);
                let mut rng = numbering.rng(Salt::Message, number);
                let filler = self.filler(number);
                let value = message::message(&mail, &self.cluster_id, filler, &mut rng);
                vec![event(value, mail.guid, mail.at)]
            }
            EventType::Maillog => {
                let mail = Mail::draw(numbering, &self.domain, number);
                let mut rng = numbering.rng(Salt::Log, number);
                maillog::lines(&mail, numbering, &self.cluster_id, &mut rng)
                    .into_iter()
                    .map(|line| event(line.event, line.id, line.at))
                    .collect()
            }
            EventType::Audit => {
                let (value, guid) = audit::audit(numbering, &self.cluster_id, &self.domain, number);
                vec![event(value, guid, numbering.at(number))]
            }
        }
    }

    fn filler(&self, number: u64) -> usize {
        match self.big {
            Some(big) if (number + 1).is_multiple_of(big.one_in) => big.bytes,
            _ => 0,
        }
    }
}

/// The number of a message's `line`-th event.
fn numbered(message: u64, line: u64) -> u64 {
    /// More than a mail to everybody has.
    const LINES: u64 = 1 << 8;
    message * LINES + line
}

#[cfg(test)]
mod tests;
