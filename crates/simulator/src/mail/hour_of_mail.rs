//! The mails of an hour one by one, for a service that looks at the same mail later.

use jiff::Timestamp;
use proofpoint_sentinel_core::feed::EventType;

use super::MailTraffic;
use super::bulk::{BulkEvents, POOL};
use super::correspondents::Threat;
use super::sample::{Direction, Disposition, Mail};
use super::sequence::{HourSequence, Salt};

/// The mails of one hour of one cluster, by number.
pub(crate) struct HourOfMail<'a> {
    traffic: &'a MailTraffic,
    sequence: HourSequence,
    bulk: bool,
}

/// What the gateway did with a mail.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Treatment {
    /// It kept an inbound mail from its recipients.
    Quarantined(Threat),
    /// It delivered an inbound mail, whatever it had found.
    Delivered(Option<Threat>),
    /// Anything else.
    Other,
}

impl<'a> HourOfMail<'a> {
    pub(super) fn new(
        traffic: &'a MailTraffic,
        sequence: HourSequence,
        bulk: bool,
    ) -> HourOfMail<'a> {
        HourOfMail { traffic, sequence, bulk }
    }

    /// 64 bits derived from the mail's number. The gateway uses none of them.
    pub(crate) fn bits(&self, number: u64) -> u64 {
        self.sequence.bits(Salt::Later, number)
    }

    /// When the gateway processed the mail.
    pub(crate) fn at(&self, number: u64) -> Timestamp {
        self.sequence.at(number)
    }

    /// What the gateway did with the mail.
    pub(crate) fn treatment(&self, number: u64) -> Treatment {
        let number = if self.bulk { number % POOL } else { number };
        let mail = Mail::sample(&self.sequence, &self.traffic.domain, number);
        match (mail.direction, mail.disposition) {
            (Direction::Inbound, Disposition::Quarantined(threat)) => {
                Treatment::Quarantined(threat)
            }
            (Direction::Inbound, Disposition::Allowed(threat)) => {
                Treatment::Delivered(Some(threat))
            }
            (Direction::Inbound, Disposition::Clean | Disposition::Bulk) => {
                Treatment::Delivered(None)
            }
            _ => Treatment::Other,
        }
    }

    /// The message event that the gateway logged, byte for byte.
    pub(crate) fn event(&self, number: u64) -> Vec<u8> {
        let event_type = EventType::Message;
        let events_of = |number| self.traffic.events_of(event_type, &self.sequence, number);
        let event = match self.bulk {
            true => BulkEvents::first_of(event_type, self.sequence, number, events_of)
                .map(|logged| logged.bytes),
            false => events_of(number).into_iter().next().map(|event| event.bytes),
        };
        event.expect("each message has an event")
    }
}
