//! Fast generation of many events: the ids and times of a pool of finished events are overwritten
//! in place. They have fixed widths, so nothing has to be serialised again.

use jiff::{SignedDuration, Timestamp};
use proofpoint_sentinel_core::feed::EventType;

use super::event::{LoggedEvent, NewEvent, event_number};
use super::sequence::HourSequence;
use super::timestamp_format::TimestampFormat;

/// How many messages the pool has.
pub(super) const POOL: u64 = 256;

/// The pool's events again and again, renumbered, until the hour has its count of messages.
pub(super) struct BulkEvents {
    sequence: HourSequence,
    event_type: EventType,
    templates: Vec<Template>,
    count: u64,
    round: u64,
    next: usize,
}

struct Template {
    bytes: Vec<u8>,
    /// The message in the pool.
    number: u64,
    /// The index of the event among those of its message.
    line: u64,
    /// How long after its message the event happens.
    delay: SignedDuration,
    patches: Vec<(usize, Field)>,
}

#[derive(Clone, Copy)]
enum Field {
    Id,
    Qid,
    Time(TimestampFormat),
}

impl BulkEvents {
    /// The events of `count` messages. `events_of` makes those of one message; events before `since`
    /// may be left out.
    pub(super) fn new(
        event_type: EventType,
        sequence: HourSequence,
        count: u64,
        since: Timestamp,
        events_of: impl Fn(u64) -> Vec<NewEvent>,
    ) -> BulkEvents {
        let templates: Vec<Template> = (0..POOL.min(count))
            .flat_map(|number| {
                (0..).zip(events_of(number)).map(move |(line, event)| (number, line, event))
            })
            .map(|(number, line, event)| Template::new(&sequence, number, line, event))
            .collect();
        let first = sequence.first_since(since);
        let next = templates.partition_point(|template| template.number < first % POOL);
        BulkEvents { sequence, event_type, templates, count, round: first / POOL, next }
    }

    /// The first event of the message `number`, as the iterator returns it.
    pub(super) fn first_of(
        event_type: EventType,
        sequence: HourSequence,
        number: u64,
        events_of: impl FnOnce(u64) -> Vec<NewEvent>,
    ) -> Option<LoggedEvent> {
        let event = events_of(number % POOL).into_iter().next()?;
        let template = Template::new(&sequence, number % POOL, 0, event);
        let templates = Vec::new();
        let events = BulkEvents { sequence, event_type, templates, count: 0, round: 0, next: 0 };
        Some(events.renumbered(&template, number))
    }

    fn id(&self, template: &Template, number: u64) -> String {
        match self.event_type {
            EventType::Message => self.sequence.guid(number),
            EventType::Maillog => self.sequence.log_id(number, template.line),
            EventType::Audit => self.sequence.audit_guid(number),
        }
    }

    fn renumbered(&self, template: &Template, number: u64) -> LoggedEvent {
        let mut bytes = template.bytes.clone();
        let at = self.at(template, number);
        for (start, field) in &template.patches {
            let text = match field {
                Field::Id => self.id(template, number),
                Field::Qid => self.sequence.qid(number),
                Field::Time(timestamp_format) => timestamp_format.write(at),
            };
            bytes[*start..start + text.len()].copy_from_slice(text.as_bytes());
        }
        let floor = self.sequence.earliest(number);
        LoggedEvent { at, number: event_number(number, template.line), floor, bytes }
    }

    fn at(&self, template: &Template, number: u64) -> Timestamp {
        let at = self.sequence.at(number) + template.delay;
        self.sequence.clamp(at.duration_since(self.sequence.hour().start()))
    }
}

impl Iterator for BulkEvents {
    type Item = LoggedEvent;

    fn next(&mut self) -> Option<LoggedEvent> {
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
    fn new(sequence: &HourSequence, number: u64, line: u64, event: NewEvent) -> Template {
        let qid = sequence.qid(number);
        let times = TimestampFormat::ALL.map(|timestamp_format| {
            (timestamp_format.write(event.at), Field::Time(timestamp_format))
        });
        let texts = [(event.id, Field::Id), (qid, Field::Qid)].into_iter().chain(times);
        let patches = texts
            .flat_map(|(text, field)| {
                occurrences(&event.bytes, text.as_bytes()).into_iter().map(move |at| (at, field))
            })
            .collect();
        let delay = event.at.duration_since(sequence.at(number));
        Template { bytes: event.bytes, number, line, delay, patches }
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
