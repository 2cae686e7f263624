//! Events by the hundred thousand: a pool of finished events whose ids and times are overwritten
//! in place. All of them have fixed widths, so nothing is serialised again.

use jiff::{SignedDuration, Timestamp};
use proofpoint_sentinel_core::feed::EventType;

use super::numbering::{Numbering, Stamp};
use super::{Event, Logged, Traffic, numbered};

/// How many messages the pool is made of.
const POOL: u64 = 256;

/// Endless variations on the pool's events, ended by the count of messages.
pub(super) struct Bulk {
    numbering: Numbering,
    event_type: EventType,
    templates: Vec<Template>,
    count: u64,
    round: u64,
    next: usize,
}

struct Template {
    bytes: Vec<u8>,
    /// Which message of the pool, and which line of its log.
    number: u64,
    line: u64,
    later: SignedDuration,
    patches: Vec<(usize, Field)>,
}

#[derive(Clone, Copy)]
enum Field {
    Id,
    Qid,
    Time(Stamp),
}

impl Bulk {
    pub(super) fn new(
        traffic: &Traffic,
        event_type: EventType,
        numbering: Numbering,
        count: u64,
        since: Timestamp,
    ) -> Bulk {
        let templates: Vec<Template> = (0..POOL.min(count))
            .flat_map(|number| {
                let events = traffic.events_of(event_type, &numbering, number);
                (0..).zip(events).map(move |(line, event)| (number, line, event))
            })
            .map(|(number, line, event)| Template::new(&numbering, number, line, event))
            .collect();
        let first = numbering.first_since(since);
        let next = templates.partition_point(|template| template.number < first % POOL);
        Bulk { numbering, event_type, templates, count, round: first / POOL, next }
    }

    fn id(&self, template: &Template, number: u64) -> String {
        match self.event_type {
            EventType::Message => self.numbering.guid(number),
            EventType::Maillog => self.numbering.log_id(number, template.line),
            EventType::Audit => self.numbering.audit_guid(number),
        }
    }

    fn renumbered(&self, template: &Template, number: u64) -> Logged {
        let mut bytes = template.bytes.clone();
        let at = self.at(template, number);
        for (start, field) in &template.patches {
            let text = match field {
                Field::Id => self.id(template, number),
                Field::Qid => self.numbering.qid(number),
                Field::Time(stamp) => stamp.write(at),
            };
            bytes[*start..start + text.len()].copy_from_slice(text.as_bytes());
        }
        let floor = self.numbering.earliest(number);
        Logged { at, number: numbered(number, template.line), floor, bytes }
    }

    fn at(&self, template: &Template, number: u64) -> Timestamp {
        let later = self.numbering.at(number) + template.later;
        self.numbering.clamp(later.duration_since(self.numbering.hour().start()))
    }
}

impl Iterator for Bulk {
    type Item = Logged;

    fn next(&mut self) -> Option<Logged> {
        if self.next == self.templates.len() {
            self.next = 0;
            self.round += 1;
        }
        let template = self.templates.get(self.next)?;
        let number = self.round * POOL + template.number;
        if number >= self.count {
            return None;
        }
        self.next += 1;
        Some(self.renumbered(template, number))
    }
}

impl Template {
    fn new(numbering: &Numbering, number: u64, line: u64, event: Event) -> Template {
        let qid = numbering.qid(number);
        let times = Stamp::ALL.map(|stamp| (stamp.write(event.at), Field::Time(stamp)));
        let texts = [(event.id, Field::Id), (qid, Field::Qid)].into_iter().chain(times);
        let patches = texts
            .flat_map(|(text, field)| {
                occurrences(&event.bytes, text.as_bytes()).into_iter().map(move |at| (at, field))
            })
            .collect();
        let later = event.at.duration_since(numbering.at(number));
        Template { bytes: event.bytes, number, line, later, patches }
    }
}

fn occurrences(bytes: &[u8], text: &[u8]) -> Vec<usize> {
    bytes
        .windows(text.len())
        .enumerate()
        .filter(|(_, window)| *window == text)
        .map(|(at, _)| at)
        .collect()
}
