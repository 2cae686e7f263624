//! Realistic mail traffic: the events that a Proofpoint cluster logs for it.
//!
//! A [`MailTraffic`] returns the same events for the same seed, cluster, event type and hour,
//! regardless of earlier calls. Message and maillog events match: both are written from the same
//! mail and share its queue id.

mod audit;
mod bulk;
mod correspondents;
mod event;
mod filter_modules;
pub(crate) mod hash;
mod hour_of_mail;
mod maillog;
mod message;
mod message_parts;
mod sample;
mod sequence;
mod time_order;
mod timestamp_format;

use jiff::Timestamp;

pub(crate) use correspondents::Threat;
pub use event::LoggedEvent;
pub(crate) use hour_of_mail::{HourOfMail, Treatment};
pub use time_order::TimeOrdered;

use bulk::BulkEvents;
use event::{NewEvent, event_number};
use proofpoint_sentinel_core::feed::EventType;
use proofpoint_sentinel_core::hour::Hour;
use sample::Mail;
use sequence::{HourSequence, Salt};

/// The mail of one cluster.
#[derive(Clone, Debug)]
pub struct MailTraffic {
    seed: u64,
    cluster_id: String,
    domain: String,
    big_messages: Option<BigMessages>,
}

/// Some messages have much extracted text.
#[derive(Clone, Copy, Debug)]
struct BigMessages {
    one_in: u64,
    bytes: usize,
}

impl MailTraffic {
    /// The traffic of the cluster `cluster_id`. The domain of its staff is named after it.
    pub fn new(seed: u64, cluster_id: &str) -> MailTraffic {
        let name = cluster_id.trim_end_matches("_hosted").to_lowercase().replace('_', "-");
        let domain = format!("{name}.example");
        MailTraffic { seed, cluster_id: cluster_id.to_owned(), domain, big_messages: None }
    }

    /// Gives one in `one_in` messages about `bytes` bytes of extracted text (in base64).
    pub fn with_big_messages(mut self, one_in: u64, bytes: usize) -> MailTraffic {
        self.big_messages = (one_in > 0).then_some(BigMessages { one_in, bytes });
        self
    }

    /// The events of an hour with `count` messages or audited actions. A message or an action is one
    /// event; in the maillog, a message is several lines.
    pub fn events(
        &self,
        event_type: EventType,
        hour: Hour,
        count: u64,
    ) -> impl Iterator<Item = Vec<u8>> + Send + use<> {
        self.since(event_type, hour, count, hour.start()).map(|logged| logged.bytes)
    }

    /// As [`events`](Self::events), but events before `since` may be left out. So the later part of
    /// a busy hour is reached at once.
    pub fn since(
        &self,
        event_type: EventType,
        hour: Hour,
        count: u64,
        since: Timestamp,
    ) -> impl Iterator<Item = LoggedEvent> + Send + use<> {
        let sequence = self.sequence(hour, count);
        let traffic = self.clone();
        (sequence.first_since(since)..count).flat_map(move |message| {
            let events = traffic.events_of(event_type, &sequence, message);
            let floor = sequence.earliest(message);
            (0..).zip(events).map(move |(line, NewEvent { bytes, at, .. })| LoggedEvent {
                at,
                number: event_number(message, line),
                floor,
                bytes,
            })
        })
    }

    /// As [`events`](Self::events), but many times faster and less varied: a few hundred messages
    /// that repeat with new ids and times.
    pub fn bulk(
        &self,
        event_type: EventType,
        hour: Hour,
        count: u64,
    ) -> impl Iterator<Item = Vec<u8>> + Send + use<> {
        self.bulk_since(event_type, hour, count, hour.start()).map(|logged| logged.bytes)
    }

    /// As [`bulk`](Self::bulk), but events before `since` may be left out.
    pub fn bulk_since(
        &self,
        event_type: EventType,
        hour: Hour,
        count: u64,
        since: Timestamp,
    ) -> impl Iterator<Item = LoggedEvent> + Send + use<> {
        let sequence = self.sequence(hour, count);
        let events_of = |number| self.events_of(event_type, &sequence, number);
        BulkEvents::new(event_type, sequence, count, since, events_of)
    }

    /// The cluster's id.
    pub fn cluster_id(&self) -> &str {
        &self.cluster_id
    }

    /// The mails of an hour with `count` messages one by one: those of [`bulk`](Self::bulk) or of
    /// [`events`](Self::events).
    pub(crate) fn hour_of_mail(&self, hour: Hour, count: u64, bulk: bool) -> HourOfMail<'_> {
        HourOfMail::new(self, self.sequence(hour, count), bulk)
    }

    fn sequence(&self, hour: Hour, count: u64) -> HourSequence {
        HourSequence::new(self.seed, &self.cluster_id, hour, count)
    }

    fn events_of(
        &self,
        event_type: EventType,
        sequence: &HourSequence,
        number: u64,
    ) -> Vec<NewEvent> {
        let event =
            |value: serde_json::Value, id, at| NewEvent { bytes: value.to_string().into(), id, at };
        match event_type {
            EventType::Message => {
                let mail = Mail::sample(sequence, &self.domain, number);
                let mut rng = sequence.rng(Salt::Message, number);
                let filler = self.filler(number);
                let value = message::message_event(&mail, &self.cluster_id, filler, &mut rng);
                vec![event(value, mail.guid, mail.at)]
            }
            EventType::Maillog => {
                let mail = Mail::sample(sequence, &self.domain, number);
                let mut rng = sequence.rng(Salt::Log, number);
                maillog::lines(&mail, sequence, &self.cluster_id, &mut rng)
                    .into_iter()
                    .map(|line| event(line.event, line.id, line.at))
                    .collect()
            }
            EventType::Audit => {
                let (value, guid) =
                    audit::audit_event(sequence, &self.cluster_id, &self.domain, number);
                vec![event(value, guid, sequence.at(number))]
            }
        }
    }

    fn filler(&self, number: u64) -> usize {
        match self.big_messages {
            Some(big) if (number + 1).is_multiple_of(big.one_in) => big.bytes,
            _ => 0,
        }
    }
}

#[cfg(test)]
mod tests;
