//! Where the archive's events come from.

use std::collections::HashMap;
use std::sync::Mutex;

use bytes::Bytes;

use crate::feed::{EventType, Feed};
use crate::hour::Hour;
use crate::simulator::mail::Traffic;

/// Knows the events of every hour of every feed.
pub trait EventSource: Send + Sync {
    /// The events of `feed` in `hour`, in the order in which they are sent.
    fn events(&self, feed: &Feed, hour: Hour) -> Box<dyn Iterator<Item = Bytes> + Send>;
}

/// Events that a test has laid down; hours without any are empty.
#[derive(Debug, Default)]
pub struct GivenEvents(Mutex<HashMap<(Feed, Hour), Vec<Bytes>>>);

impl GivenEvents {
    /// Adds `events` to those of `feed` in `hour`.
    pub fn add<E: Into<Bytes>>(
        &self,
        feed: &Feed,
        hour: Hour,
        events: impl IntoIterator<Item = E>,
    ) {
        let mut given = self.0.lock().expect("no holder of the events panics");
        let held = given.entry((feed.clone(), hour)).or_default();
        held.extend(events.into_iter().map(Into::into));
    }
}

impl EventSource for GivenEvents {
    fn events(&self, feed: &Feed, hour: Hour) -> Box<dyn Iterator<Item = Bytes> + Send> {
        let given = self.0.lock().expect("no holder of the events panics");
        let events = given.get(&(feed.clone(), hour)).cloned().unwrap_or_default();
        Box::new(events.into_iter())
    }
}

/// How much generated mail there is.
#[derive(Clone, Copy, Debug)]
pub struct Volume {
    /// Messages in an hour; with [`daily`](Self::daily), in the busiest hour of a working day.
    pub messages: u64,
    /// Audited deeds in an hour, likewise.
    pub audits: u64,
    /// Nights and week-ends are quieter, and no two hours are alike.
    pub daily: bool,
    /// Events come from a small pool, renumbered: fast, with little variety.
    pub bulk: bool,
}

impl Volume {
    /// How many messages, or audited deeds, `hour` has.
    pub fn count(&self, event_type: EventType, hour: Hour) -> u64 {
        let most = match event_type {
            EventType::Message | EventType::Maillog => self.messages,
            EventType::Audit => self.audits,
        };
        if self.daily { most * percent(hour) / 100 } else { most }
    }
}

/// How busy an hour is, against the busiest.
fn percent(hour: Hour) -> u64 {
    /// By the hour of the day in UTC; office hours are those of North America.
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

/// Generated mail traffic, one [`Traffic`] for each cluster.
#[derive(Clone, Debug)]
pub struct GeneratedEvents {
    traffic: HashMap<String, Traffic>,
    volume: Volume,
}

impl GeneratedEvents {
    /// Traffic for the clusters named; others have none.
    pub fn new(traffic: impl IntoIterator<Item = (String, Traffic)>, volume: Volume) -> Self {
        GeneratedEvents { traffic: traffic.into_iter().collect(), volume }
    }
}

impl EventSource for GeneratedEvents {
    fn events(&self, feed: &Feed, hour: Hour) -> Box<dyn Iterator<Item = Bytes> + Send> {
        let Some(traffic) = self.traffic.get(&feed.cluster_id) else {
            return Box::new(std::iter::empty());
        };
        let count = self.volume.count(feed.event_type, hour);
        if self.volume.bulk {
            Box::new(traffic.bulk(feed.event_type, hour, count).map(Bytes::from))
        } else {
            Box::new(traffic.events(feed.event_type, hour, count).map(Bytes::from))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn working_days_are_busier_than_nights_and_weekends() {
        let volume = Volume { messages: 1000, audits: 10, daily: true, bulk: false };
        let count = |hour: &str| volume.count(EventType::Message, hour.parse().unwrap());
        let friday_noon = count("2026-11-20T17");
        assert!(friday_noon > 3 * count("2026-11-20T07"), "against the night");
        assert!(friday_noon > 3 * count("2026-11-21T17"), "against Saturday");
        assert!(friday_noon > 3 * count("2026-11-22T17"), "against Sunday");
        assert!(count("2026-11-22T07") > 0);
    }

    #[test]
    fn a_flat_volume_is_exact() {
        let volume = Volume { messages: 700, audits: 10, daily: false, bulk: true };
        let hour: Hour = "2026-11-22T07".parse().unwrap();
        let traffic = Traffic::new(1, "acme_hosted");
        let source = GeneratedEvents::new([("acme_hosted".to_owned(), traffic)], volume);
        let feed = Feed { cluster_id: "acme_hosted".to_owned(), event_type: EventType::Message };
        assert_eq!(source.events(&feed, hour).count(), 700);
        let other = Feed { cluster_id: "other_hosted".to_owned(), ..feed };
        assert_eq!(source.events(&other, hour).count(), 0);
    }
}
