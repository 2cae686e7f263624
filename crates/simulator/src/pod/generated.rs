//! Generated mail traffic as an event source.

use std::collections::HashMap;
use std::iter::Peekable;

use bytes::Bytes;
use jiff::Timestamp;
use proofpoint_sentinel_core::feed::{EventType, Feed};
use proofpoint_sentinel_core::hour::Hour;

use crate::mail::{LoggedEvent, MailTraffic, TimeOrdered};

use super::event_source::{Arrival, Arrivals, EventSource, Events, Position};

/// The volume of generated mail.
#[derive(Clone, Copy, Debug)]
pub struct MailVolume {
    /// Messages per hour. With [`daily`](Self::daily): in the busiest hour of a working day.
    pub messages: u64,
    /// Audited actions per hour, likewise.
    pub audits: u64,
    /// Whether the volume varies: nights and weekends are quieter, and no two hours are alike.
    pub daily: bool,
    /// Whether events come from a small pool and are renumbered: fast, with little variety.
    pub bulk: bool,
}

impl MailVolume {
    /// The number of messages or audited actions in `hour`. The quietest hour still has one.
    pub fn count(&self, event_type: EventType, hour: Hour) -> u64 {
        let most = match event_type {
            EventType::Message | EventType::Maillog => self.messages,
            EventType::Audit => self.audits,
        };
        if self.daily { (most * percent(hour) / 100).max(most.min(1)) } else { most }
    }
}

/// The volume of an hour, in percent of the busiest hour.
fn percent(hour: Hour) -> u64 {
    /// By hour of the day in UTC, with the office hours of North America.
    const DAY: [u64; 24] = [
        35, 28, 22, 18, 15, 13, 12, 12, 14, 16, 19, 24, 32, 45, 63, 82, 95, 93, 84, 86, 90, 80, 64,
        48,
    ];
    let hours = hour.start().as_second().div_euclid(3600);
    let of_day = DAY[hours.rem_euclid(24) as usize];
    // 1970-01-01 was a Thursday.
    let is_weekend = matches!(hours.div_euclid(24).rem_euclid(7), 2 | 3);
    let wobble = hours.wrapping_mul(2_654_435_761).rem_euclid(11).cast_unsigned();
    (if is_weekend { of_day / 4 } else { of_day }) + wobble / 2
}

/// Generated mail traffic, one [`MailTraffic`] for each cluster. Events arrive when they happen.
#[derive(Clone, Debug)]
pub struct GeneratedEvents {
    traffic: HashMap<String, MailTraffic>,
    volume: MailVolume,
}

impl GeneratedEvents {
    /// Traffic for these clusters. Other clusters have none.
    pub fn new(
        traffic: impl IntoIterator<Item = (String, MailTraffic)>,
        volume: MailVolume,
    ) -> Self {
        GeneratedEvents { traffic: traffic.into_iter().collect(), volume }
    }
}

impl EventSource for GeneratedEvents {
    /// An hour is complete when it is over.
    fn archived(&self, feed: &Feed, hour: Hour, by: Timestamp) -> Events {
        let traffic = self.traffic.get(&feed.account).filter(|_| hour.end() <= by);
        let Some(traffic) = traffic else {
            return Box::new(std::iter::empty());
        };
        let log =
            ClusterLog::of(traffic, self.volume, feed.event_type().expect("a feed of the Log API"));
        Box::new(log.since(hour, hour.start()).map(|logged| Bytes::from(logged.bytes)))
    }

    fn arrivals(&self, feed: &Feed, start: Position) -> Box<dyn Arrivals> {
        match self.traffic.get(&feed.account) {
            Some(traffic) => {
                let log = ClusterLog::of(
                    traffic,
                    self.volume,
                    feed.event_type().expect("a feed of the Log API"),
                );
                Box::new(GeneratedArrivals::new(log, start))
            }
            None => Box::new(NoArrivals),
        }
    }
}

/// The events of one type that a cluster logs.
struct ClusterLog {
    traffic: MailTraffic,
    volume: MailVolume,
    event_type: EventType,
}

impl ClusterLog {
    fn of(traffic: &MailTraffic, volume: MailVolume, event_type: EventType) -> ClusterLog {
        ClusterLog { traffic: traffic.clone(), volume, event_type }
    }

    /// The events of `hour`. Events before `since` may be left out.
    fn since(&self, hour: Hour, since: Timestamp) -> Box<dyn Iterator<Item = LoggedEvent> + Send> {
        let count = self.volume.count(self.event_type, hour);
        if self.volume.bulk {
            Box::new(self.traffic.bulk_since(self.event_type, hour, count, since))
        } else {
            Box::new(self.traffic.since(self.event_type, hour, count, since))
        }
    }

    /// The arrivals in `hour` from `start` on.
    fn arrivals(&self, hour: Hour, start: Position) -> InHour {
        let arrivals = TimeOrdered::new(self.since(hour, start.at)).map(|logged| {
            let position = Position { at: logged.at, number: logged.number };
            (position, Bytes::from(logged.bytes))
        });
        let arrivals: Box<dyn Iterator<Item = _> + Send> =
            Box::new(arrivals.skip_while(move |(position, _)| *position < start));
        arrivals.peekable()
    }
}

type InHour = Peekable<Box<dyn Iterator<Item = (Position, Bytes)> + Send>>;

/// Arrivals, hour by hour.
struct GeneratedArrivals {
    log: ClusterLog,
    hour: Hour,
    in_hour: InHour,
}

impl GeneratedArrivals {
    fn new(log: ClusterLog, start: Position) -> GeneratedArrivals {
        let hour = Hour::containing(start.at);
        GeneratedArrivals { in_hour: log.arrivals(hour, start), log, hour }
    }
}

impl Arrivals for GeneratedArrivals {
    fn next(&mut self, now: Timestamp) -> Option<Arrival> {
        while self.in_hour.peek().is_none() && self.hour.end() <= now {
            self.hour = self.hour.plus(1);
            self.in_hour = self.log.arrivals(self.hour, Position::start_of(self.hour.start()));
        }
        let (position, event) = self.in_hour.next_if(|(position, _)| position.at <= now)?;
        Some(Arrival { next_position: position.next(), event })
    }
}

/// The arrivals of an unknown cluster.
struct NoArrivals;

impl Arrivals for NoArrivals {
    fn next(&mut self, _now: Timestamp) -> Option<Arrival> {
        None
    }
}

#[cfg(test)]
mod tests {
    use jiff::SignedDuration;
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn working_days_are_busier_than_nights_and_weekends() {
        let volume = MailVolume { messages: 1000, audits: 10, daily: true, bulk: false };
        let count = |hour: &str| volume.count(EventType::Message, hour.parse().unwrap());
        let friday_noon = count("2026-11-20T17");
        assert!(friday_noon > 3 * count("2026-11-20T07"), "against the night");
        assert!(friday_noon > 3 * count("2026-11-21T17"), "against Saturday");
        assert!(friday_noon > 3 * count("2026-11-22T17"), "against Sunday");
    }

    #[test]
    fn the_quietest_hour_has_one_event() {
        let volume = MailVolume { messages: 0, audits: 10, daily: true, bulk: false };
        let week = "2026-11-16T00".parse::<Hour>().unwrap();
        let counts =
            week.through(week.plus(7 * 24)).map(|hour| volume.count(EventType::Audit, hour));
        assert_eq!(counts.min(), Some(1));
        assert_eq!(volume.count(EventType::Message, week), 0);
    }

    #[test]
    fn a_flat_volume_is_exact() {
        let volume = MailVolume { messages: 700, audits: 10, daily: false, bulk: true };
        let hour: Hour = "2026-11-22T07".parse().unwrap();
        let traffic = MailTraffic::new(1, "acme_hosted");
        let source = GeneratedEvents::new([("acme_hosted".to_owned(), traffic)], volume);
        let feed = Feed::log("acme_hosted", EventType::Message);
        assert_eq!(source.events(&feed, hour).count(), 700);
        let other = Feed { account: "other_hosted".to_owned(), ..feed };
        assert_eq!(source.events(&other, hour).count(), 0);
        let start = Position::start_of(hour.start());
        assert_eq!(source.arrivals(&other, start).next(hour.end()), None);
    }

    fn feed(event_type: EventType) -> Feed {
        Feed::log("acme_hosted", event_type)
    }

    fn source(messages: u64, bulk: bool) -> GeneratedEvents {
        let volume = MailVolume { messages, audits: 30, daily: false, bulk };
        let traffic = MailTraffic::new(1, "acme_hosted");
        GeneratedEvents::new([("acme_hosted".to_owned(), traffic)], volume)
    }

    fn arrived(arrivals: &mut dyn Arrivals, now: Timestamp) -> Vec<Arrival> {
        std::iter::from_fn(|| arrivals.next(now)).collect()
    }

    #[test]
    fn live_sessions_and_archive_have_the_same_events() {
        let first: Hour = "2026-11-20T06".parse().unwrap();
        for (event_type, bulk) in [(EventType::Maillog, false), (EventType::Message, true)] {
            let (source, feed) = (source(60, bulk), feed(event_type));
            let mut archived: Vec<_> =
                first.through(first.plus(1)).flat_map(|hour| source.events(&feed, hour)).collect();
            let mut arrivals = source.arrivals(&feed, Position::start_of(first.start()));
            let mut live = Vec::new();
            for quarters in 0..=8 {
                let now = first.start() + SignedDuration::from_mins(15 * quarters);
                let arrived = arrived(&mut *arrivals, now);
                assert!(arrived.is_empty() == (quarters == 0), "{event_type} {quarters}");
                assert!(arrived.iter().all(|arrival| arrival.next_position.at <= now));
                live.extend(arrived);
            }
            assert!(live.is_sorted_by_key(|arrival| arrival.next_position));
            let mut live: Vec<_> = live.into_iter().map(|arrival| arrival.event).collect();
            live.sort();
            archived.sort();
            assert_eq!(live, archived);
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(12))]
        #[test]
        fn arrivals_can_resume_at_any_position(
            stop in any::<prop::sample::Index>(),
            bulk in any::<bool>(),
            event_type in prop::sample::select(EventType::ALL.to_vec()),
        ) {
            let hour: Hour = "2026-11-20T06".parse().unwrap();
            let (source, feed) = (source(40, bulk), feed(event_type));
            let from = |start| arrived(&mut *source.arrivals(&feed, start), hour.plus(1).end());
            let all = from(Position::start_of(hour.start()));
            let stop = stop.index(all.len());
            prop_assert_eq!(&from(all[stop].next_position), &all[stop + 1..]);
        }
    }
}
