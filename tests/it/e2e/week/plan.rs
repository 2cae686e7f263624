//! The plan of a week, determined by a seed: when the function runs, the faults of each run, the
//! events, and which reads of the archive are falsely empty.

use std::collections::BTreeMap;
use std::fmt;

use jiff::{SignedDuration, Timestamp};
use proofpoint_sentinel_core::hour::Hour;
use proofpoint_sentinel_simulator::DestinationApi;
use proofpoint_sentinel_simulator::pod::{RefusedHandshake, SessionFault};
use rand::rngs::SmallRng;
use rand::seq::IndexedRandom;
use rand::{RngExt, SeedableRng};

use super::run_fault::{RunFault, RunFaultGenerator};
use super::week_events::{Filing, WeekEvent, week_events};
use crate::e2e::fixture::{START, last_hour};

const WEEK: SignedDuration = SignedDuration::from_hours(7 * 24);

/// How long nothing goes wrong after the week. In this time every hour of the week becomes due and
/// has its second read.
const CALM: SignedDuration = SignedDuration::from_hours(24);

/// The outages of the function, in hours.
const OUTAGES: [i64; 4] = [1, 3, 20, 36];

/// How many hours can't be read for some time.
const BAD_HOURS: usize = 12;

/// How many single ticks are missed besides.
const MISSED_TICKS: usize = 4;

/// Minutes between ticks. Each rhythm lasts for some hours.
const RHYTHMS: [i64; 6] = [5, 15, 30, 30, 60, 60];

const CALM_RHYTHM: SignedDuration = SignedDuration::from_mins(30);

/// A week, and the calm day after it.
#[derive(Debug)]
pub(super) struct WeekPlan {
    pub seed: u64,
    pub destination: DestinationApi,
    pub filing: Filing,
    pub outages: Vec<Outage>,
    pub ticks: Vec<Tick>,
    pub events: Vec<WeekEvent>,
    /// Which of the first reads of an hour are falsely empty. At most two: the connector accepts the
    /// third.
    pub empty_reads: BTreeMap<Hour, Vec<bool>>,
    pub bad_hours: Vec<BadHour>,
}

/// An hour whose archive sessions fail for some time.
#[derive(Clone, Debug)]
pub(super) struct BadHour {
    pub hour: Hour,
    pub until: Timestamp,
    pub fault: SessionFault,
}

/// A time without ticks.
#[derive(Clone, Copy, Debug)]
pub(super) struct Outage {
    from: Timestamp,
    until: Timestamp,
}

/// A run of the function.
#[derive(Clone, Debug)]
pub(super) struct Tick {
    pub at: Timestamp,
    pub fault: Option<RunFault>,
    /// The fault of the next archive session.
    pub archive: Option<SessionFault>,
}

impl WeekPlan {
    /// The plan for this seed.
    pub(super) fn of(seed: u64) -> WeekPlan {
        let mut rng = SmallRng::seed_from_u64(seed);
        let start: Timestamp = START.parse().expect("it is a time");
        let calm = start + WEEK;
        let outages = OUTAGES.map(|hours| Outage::random(hours, start, calm, &mut rng)).to_vec();
        let mut ticks = ticks(start, calm, &outages, &mut rng);
        RunFaultGenerator::new(&mut rng).spread(&mut ticks);
        let calm_ticks = std::iter::successors(Some(calm), |at| Some(*at + CALM_RHYTHM));
        ticks.extend(calm_ticks.take_while(|at| *at <= calm + CALM).map(Tick::faultless));
        let filing = if seed.is_multiple_of(3) { Filing::ByArrival } else { Filing::ByTime };
        let first = last_hour();
        let events = week_events(first, calm, filing, &ticks, &mut rng);
        let hours = first.through(Hour::containing(calm).plus(-1));
        let bad_hours = (0..BAD_HOURS).map(|_| BadHour::random(start, calm, &mut rng)).collect();
        WeekPlan {
            seed,
            destination: match seed % 2 {
                0 => DestinationApi::DataCollector,
                _ => DestinationApi::LogsIngestion,
            },
            filing,
            outages,
            ticks,
            events,
            bad_hours,
            empty_reads: hours.filter_map(|hour| Some((hour, empty_reads(&mut rng)?))).collect(),
        }
    }
}

impl Outage {
    /// A random time in the week, but not right at its beginning.
    fn random(hours: i64, start: Timestamp, calm: Timestamp, rng: &mut SmallRng) -> Outage {
        let length = SignedDuration::from_hours(hours);
        let earliest = start + SignedDuration::from_hours(2);
        let room = calm.duration_since(earliest) - length;
        let from = earliest + SignedDuration::from_secs(rng.random_range(0..room.as_secs()));
        Outage { from, until: from + length }
    }

    fn covers(&self, at: Timestamp) -> bool {
        self.from <= at && at < self.until
    }
}

impl BadHour {
    /// A random hour of the week, refused for some hours, but not beyond the week.
    fn random(start: Timestamp, calm: Timestamp, rng: &mut SmallRng) -> BadHour {
        let last = Hour::containing(calm).plus(-2);
        let count = last.hours_since(Hour::containing(start));
        let hour = Hour::containing(start).plus(rng.random_range(0..count));
        let until = hour.end() + SignedDuration::from_hours(rng.random_range(1..=12));
        let statuses = [400, 404, 405, 500, 503];
        let status = *statuses.choose(rng).expect("there are some");
        // The wait is longer than a run, so that nothing is tried twice in it.
        let refusal = RefusedHandshake::new(status, "No").with_header("retry-after", "3600");
        BadHour { hour, until: until.min(calm), fault: SessionFault::Refuse(refusal) }
    }
}

impl Tick {
    fn faultless(at: Timestamp) -> Tick {
        Tick { at, fault: None, archive: None }
    }

    /// Whether the live stream of this run brings all events that have arrived.
    pub(super) fn is_faultless(&self) -> bool {
        self.fault.is_none()
    }
}

/// The ticks of the week. Each is some seconds late, like those of a real timer.
fn ticks(start: Timestamp, calm: Timestamp, outages: &[Outage], rng: &mut SmallRng) -> Vec<Tick> {
    let mut times = Vec::new();
    let mut at = start;
    while at < calm {
        let rhythm = SignedDuration::from_mins(*RHYTHMS.choose(rng).expect("there are some"));
        let until = calm.min(at + SignedDuration::from_hours(rng.random_range(2..=8)));
        while at < until {
            times.push(at + SignedDuration::from_millis(rng.random_range(0..3_000)));
            at += rhythm;
        }
    }
    times.retain(|at| !outages.iter().any(|outage| outage.covers(*at)));
    for _ in 0..MISSED_TICKS {
        times.remove(rng.random_range(1..times.len()));
    }
    times.into_iter().map(Tick::faultless).collect()
}

/// Which reads of an hour are falsely empty, if any.
fn empty_reads(rng: &mut SmallRng) -> Option<Vec<bool>> {
    let patterns: [&[bool]; 5] =
        [&[true], &[true, true], &[false, true], &[false, true, true], &[true, false, true]];
    rng.random_bool(0.3).then(|| patterns.choose(rng).expect("there are some").to_vec())
}

impl fmt::Display for WeekPlan {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let WeekPlan { seed, destination, filing, ticks, events, .. } = self;
        let (ticks_count, events) = (ticks.len(), events.len());
        writeln!(
            f,
            "week {seed}: {ticks_count} ticks, {events} events, {destination:?}, {filing:?}"
        )?;
        for Outage { from, until } in &self.outages {
            writeln!(f, "away from {from:.0} to {until:.0}")?;
        }
        for Tick { at, fault, archive } in ticks {
            if let Some(fault) = fault {
                writeln!(f, "{at:.0} {fault:?}")?;
            }
            if let Some(fault) = archive {
                writeln!(f, "{at:.0} archive: {fault:?}")?;
            }
        }
        for BadHour { hour, until, fault } in &self.bad_hours {
            writeln!(f, "{hour} until {until:.0}: {fault:?}")?;
        }
        for (hour, reads) in &self.empty_reads {
            writeln!(f, "{hour} falsely empty: {reads:?}")?;
        }
        Ok(())
    }
}
