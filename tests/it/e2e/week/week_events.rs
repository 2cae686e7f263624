//! The events of a week: a daily curve, late events, and all the variations of the service.

use jiff::tz::{Offset, TimeZone};
use jiff::{SignedDuration, Timestamp};
use proofpoint_sentinel_core::hour::Hour;
use proofpoint_sentinel_simulator::pod::SourceEvent;
use rand::RngExt;
use rand::rngs::SmallRng;
use rand::seq::{IndexedRandom, SliceRandom};

use super::plan::Tick;

/// The number of events in an hour at night. Some hours have none.
const FEWEST: f64 = 12.0;

/// The additional events at noon.
const PEAK: f64 = 60.0;
const WEEKEND_PEAK: f64 = 15.0;

/// How late an event can reach the archive for the second read to find it: six hours after the end
/// of its hour, less the archive delay of half an hour.
const SECOND_REACH: SignedDuration = SignedDuration::from_mins(5 * 60 + 30);

/// Offsets in hours, each with a way to write it.
const OFFSETS: [(i8, &str); 6] =
    [(0, "+0000"), (0, "Z"), (0, ""), (-7, "-0700"), (-8, "-08:00"), (2, "+0200")];

/// The hour under which the archive stores an event. The documentation allows both.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Filing {
    /// The hour of its time. At the edge of an hour, it can be the adjacent hour.
    ByTime,
    /// The hour of its arrival.
    ByArrival,
}

/// One event, in all the variants that the service has.
#[derive(Clone, Debug)]
pub(super) struct WeekEvent {
    pub guid: String,
    pub given: Vec<SourceEvent>,
}

/// The events from the start of `first` until shortly before the last tick, in random order. From
/// `calm` on, they are prompt and have one variant.
pub(super) fn week_events(
    first: Hour,
    calm: Timestamp,
    filing: Filing,
    ticks: &[Tick],
    rng: &mut SmallRng,
) -> Vec<WeekEvent> {
    // More than one tick follows the last events, in case a live session is slow.
    let end = ticks[ticks.len() - 3].at;
    let mut events = Vec::new();
    for hour in first.through(Hour::containing(end)) {
        let is_calm = hour.end() > calm;
        for _ in 0..count(hour, is_calm, rng) {
            let guid = format!("{hour}-{}", events.len());
            let mut post = EventGenerator { first, filing, ticks, rng: &mut *rng };
            let event = if is_calm { post.prompt(guid, hour) } else { post.odd(guid, hour) };
            if event.given.iter().all(|given| given.arrives_at <= end) {
                events.push(event);
            }
        }
    }
    events.shuffle(rng);
    events
}

/// Many events by day, few at night and on weekends. Some hours have none.
fn count(hour: Hour, is_calm: bool, rng: &mut SmallRng) -> usize {
    if !is_calm && rng.random_bool(0.08) {
        return 0;
    }
    let start = hour.start().to_zoned(TimeZone::UTC);
    let is_weekend = start.weekday().to_monday_zero_offset() >= 5;
    let peak = if is_weekend { WEEKEND_PEAK } else { PEAK };
    let from_noon = (f64::from(start.hour()) - 12.0) / 4.0;
    let rate = FEWEST + peak * (-from_noon * from_noon).exp();
    (rate * rng.random_range(1.0..1.3)) as usize
}

/// Generates events.
struct EventGenerator<'a> {
    first: Hour,
    filing: Filing,
    ticks: &'a [Tick],
    rng: &'a mut SmallRng,
}

impl EventGenerator<'_> {
    /// An event with one variant that arrives within seconds.
    fn prompt(&mut self, guid: String, hour: Hour) -> WeekEvent {
        let at = self.time(hour);
        let arrives = at + self.seconds(0, 20);
        let event = self.form(&guid, at).into();
        let hour = self.filed(at, arrives);
        WeekEvent {
            guid,
            given: vec![SourceEvent {
                event,
                hour,
                arrives_at: arrives,
                live: true,
                archived: true,
            }],
        }
    }

    /// An event with random variations.
    fn odd(&mut self, guid: String, hour: Hour) -> WeekEvent {
        let at = if self.rng.random_bool(0.04) { self.edge(hour) } else { self.time(hour) };
        if self.rng.random_bool(0.01) {
            return self.undated(guid, at);
        }
        let (arrives, live) = self.arrival(at, hour);
        let event = self.form(&guid, at);
        let given = SourceEvent {
            event: event.into(),
            hour: self.filed(at, arrives),
            arrives_at: arrives,
            live,
            archived: true,
        };
        WeekEvent { given: self.copies(&guid, at, given), guid }
    }

    /// An event without a time. Live sessions and the archive have it within the hour; later the
    /// connector would not recognise the two as the same event.
    fn undated(&mut self, guid: String, arrives: Timestamp) -> WeekEvent {
        let event = format!(r#"{{"guid":"{guid}","msgParts":[]}}"#).into();
        let (hour, live) = (self.filed(arrives, arrives), self.is_covered(arrives));
        WeekEvent {
            guid,
            given: vec![SourceEvent { event, hour, arrives_at: arrives, live, archived: true }],
        }
    }

    /// The event, sometimes in another format for the archive, and sometimes repeated.
    fn copies(&mut self, guid: &str, at: Timestamp, given: SourceEvent) -> Vec<SourceEvent> {
        let mut copies = vec![given.clone()];
        if self.rng.random_bool(0.1) {
            let event = self.form(guid, at).into();
            copies[0].archived = false;
            copies.push(SourceEvent { event, live: false, ..given.clone() });
        }
        if self.rng.random_bool(0.03) {
            let (event, arrives) =
                (self.form(guid, at).into(), given.arrives_at + self.seconds(0, 9_000));
            copies.push(SourceEvent {
                event,
                arrives_at: arrives,
                live: true,
                archived: false,
                ..given
            });
        }
        if self.rng.random_bool(0.03) {
            let again = copies.iter().rfind(|copy| copy.archived).cloned();
            copies.extend(again.map(|again| SourceEvent { live: false, ..again }));
        }
        copies
    }

    fn seconds(&mut self, from: i64, to: i64) -> SignedDuration {
        SignedDuration::from_millis(self.rng.random_range(from * 1_000..to * 1_000))
    }

    fn time(&mut self, hour: Hour) -> Timestamp {
        hour.start() + SignedDuration::from_micros(self.rng.random_range(0..3_600_000_000))
    }

    /// The first or last instant of the hour that a `ts` can express.
    fn edge(&mut self, hour: Hour) -> Timestamp {
        let is_first = self.rng.random_bool(0.5);
        if is_first { hour.start() } else { hour.end() - SignedDuration::from_micros(1) }
    }

    fn filed(&mut self, at: Timestamp, arrives: Timestamp) -> Hour {
        let by = match self.filing {
            Filing::ByTime => at + SignedDuration::from_millis(self.rng.random_range(-1..=1)),
            Filing::ByArrival => arrives,
        };
        Hour::containing(by).max(self.first)
    }

    /// When the event reaches the service, and whether the live stream has it. An event later than
    /// the second read of its hour can only come from live sessions, so it arrives while these work.
    fn arrival(&mut self, at: Timestamp, hour: Hour) -> (Timestamp, bool) {
        // The archive may store it under the hour before.
        let in_reach = hour.start() + SECOND_REACH;
        match self.rng.random_range(0..100) {
            0..3 => (at + self.seconds(60, 40 * 60), self.rng.random_bool(0.8)),
            3..6 => {
                let late = at + self.seconds(1_800, 7 * 3_600);
                (late.min(in_reach), self.rng.random_bool(0.8))
            }
            6 => match at + self.seconds(6 * 3_600, 40 * 3_600) {
                late if self.is_covered(late) => (late, true),
                _ => (at, true),
            },
            7..10 => (at, false),
            _ => (at + self.seconds(0, 20), true),
        }
    }

    /// Whether live sessions bring an event that arrives at that time, even if one of them is slow.
    fn is_covered(&self, at: Timestamp) -> bool {
        let next = self.ticks.partition_point(|tick| tick.at < at);
        self.ticks.get(next..next + 3).is_some_and(|ticks| {
            let is_soon = ticks[2].at < at + SignedDuration::from_mins(55);
            is_soon && ticks.iter().all(Tick::is_faultless)
        })
    }

    /// The event's text, with its time in a random format. All formats give the same second.
    fn form(&mut self, guid: &str, at: Timestamp) -> String {
        let (hours, offset) = *OFFSETS.choose(self.rng).expect("there are some");
        let digits = *["%.6f", "%.3f", ""].choose(self.rng).expect("there are some");
        let local = at.to_zoned(TimeZone::fixed(Offset::constant(hours)));
        let ts = local.strftime(&format!("%Y-%m-%dT%H:%M:%S{digits}")).to_string() + offset;
        if self.rng.random_bool(0.5) {
            format!(r#"{{"guid":"{guid}","ts":"{ts}","msgParts":[],"msg":{{"sizeBytes":1}}}}"#)
        } else {
            format!(r#"{{"msg":{{"sizeBytes":1}},"ts":"{ts}","msgParts":[],"guid":"{guid}"}}"#)
        }
    }
}
