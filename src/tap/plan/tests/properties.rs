//! Any outage, any lateness, any jitter, any failing calls: every record is read or lost by name, and
//! the service has nothing to refuse.

use std::collections::BTreeSet;

use super::*;

/// One run of the connector.
#[derive(Clone, Debug)]
struct Tick {
    /// Seconds since the last one.
    pause: i64,
    /// Seconds that each call takes.
    call: i64,
    /// How its calls end, in turns; none for all well.
    outcomes: Vec<Outcome>,
}

/// How long a tick may ask.
const TICK: i64 = 240;

/// A service with a record every few minutes, which checks what is asked of it.
struct Service {
    start: Timestamp,
    /// How late the records are found, in turns.
    lateness: Vec<i64>,
    /// The records that were read after they could be found, by their number.
    read: BTreeSet<i64>,
    /// Those that a settled read gave.
    settled: BTreeSet<i64>,
    calls: VecDeque<Timestamp>,
    turns: usize,
    /// Windows of so many seconds are never too long.
    answers_within: i64,
}

impl Service {
    /// A quarter of an hour is short enough for any answer.
    fn since(start: Timestamp, lateness: Vec<i64>) -> Service {
        Service {
            start,
            lateness,
            read: BTreeSet::new(),
            settled: BTreeSet::new(),
            calls: VecDeque::new(),
            turns: 0,
            answers_within: 900,
        }
    }

    const EVERY: i64 = 421;

    fn created(&self, number: i64) -> Timestamp {
        self.start + seconds(number * Service::EVERY)
    }

    fn found_from(&self, number: i64) -> Timestamp {
        let lateness = self.lateness[number as usize % self.lateness.len()];
        self.created(number) + seconds(lateness)
    }

    fn count(&mut self, now: Timestamp) {
        let day = SignedDuration::from_hours(24);
        self.calls.retain(|call| *call > now - day);
        self.calls.push_back(now);
        assert!(self.calls.len() <= CALLS_A_DAY as usize, "the budget is exceeded at {now}");
    }

    fn check(call: Call, now: Timestamp) {
        let (start, end) = (call.interval.start(), call.interval.end());
        let length = end.duration_since(start).as_secs();
        assert!((30..=3_600).contains(&length), "{call:?}");
        assert!(end <= now - seconds(60), "{call:?} at {now}");
        assert!(start >= now - seconds(7 * 86_400 - 15 * 60), "{call:?} at {now}");
        assert_eq!((start.subsec_nanosecond(), end.subsec_nanosecond()), (0, 0));
    }

    fn give(&mut self, call: Call, now: Timestamp) {
        let (start, end) = (call.interval.start(), call.interval.end());
        let number =
            |at: Timestamp| at.duration_since(self.start).as_secs().div_euclid(Service::EVERY);
        for number in number(start).max(0)..=number(end) {
            let is_within = start <= self.created(number) && self.created(number) < end;
            if is_within && self.found_from(number) <= now {
                match call.purpose {
                    Purpose::FalsePositives(_) => {}
                    Purpose::Settle(_) => {
                        self.settled.insert(number);
                        self.read.insert(number);
                    }
                    Purpose::Current | Purpose::Gap => {
                        self.read.insert(number);
                    }
                }
            }
        }
    }

    /// Runs a tick. Gives the time at its end.
    fn tick(
        &mut self,
        progress: &mut TapProgress,
        timing: TapTiming,
        tick: &Tick,
        begin: Timestamp,
    ) -> Timestamp {
        let mut now = begin;
        let turn = self.turns % tick.outcomes.len().max(1);
        let mut outcomes = tick.outcomes.iter().cycle().skip(turn);
        while now < begin + seconds(TICK) {
            let Next::Ask(call) = progress.next(timing, now) else { break };
            self.turns += 1;
            Service::check(call, now);
            self.count(now);
            let outcome = match outcomes.next().copied().unwrap_or(Outcome::Read) {
                Outcome::TooLong if length(call) <= seconds(self.answers_within) => Outcome::Read,
                outcome => outcome,
            };
            if outcome == Outcome::Read {
                self.give(call, now);
            }
            now += seconds(tick.call);
            progress.record(call, outcome, now);
            if outcome == Outcome::Abandoned {
                break;
            }
        }
        let json = serde_json::to_vec(progress).unwrap();
        assert_eq!(serde_json::from_slice::<TapProgress>(&json).unwrap().check(), Ok(()));
        now
    }
}

fn length(call: Call) -> SignedDuration {
    call.interval.end().duration_since(call.interval.start())
}

fn outcome() -> impl Strategy<Value = Outcome> {
    prop_oneof![
        6 => Just(Outcome::Read),
        1 => Just(Outcome::TooLong),
        1 => Just(Outcome::Refused),
        1 => Just(Outcome::Throttled),
        1 => Just(Outcome::Abandoned),
    ]
}

fn ticks() -> impl Strategy<Value = Vec<Tick>> {
    let pause = prop_oneof![
        12 => 295i64..306,
        3 => 1i64..900,
        1 => 900i64..40 * HOUR,
    ];
    let outcomes = prop_oneof![
        3 => Just(Vec::new()),
        1 => prop::collection::vec(outcome(), 1..6),
    ];
    let tick = (pause, 0i64..20, outcomes).prop_map(|(pause, call, outcomes)| Tick {
        pause,
        call,
        outcomes,
    });
    prop::collection::vec(tick, 1..250)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(16))]

    #[test]
    fn every_record_is_read_within_its_settled_read(
        ticks in ticks(),
        interval in prop_oneof![Just(60i64), Just(300), 60i64..3_600],
        lookback in prop_oneof![Just(12i64), 1i64..168],
        lateness in prop::collection::vec(0i64..=1_800, 1..9),
        start in 1_790_000_000i64..1_790_200_000,
    ) {
        let start = Timestamp::new(start, 123_456_789).unwrap();
        let timing = timing(interval);
        let mut progress = TapProgress::starting(start, lookback);
        let first = progress.settled.next;
        let mut service = Service::since(first.start(), lateness);
        let mut now = start;
        for tick in &ticks {
            now = service.tick(&mut progress, timing, tick, now + seconds(tick.pause));
        }
        // Then all is well for two days: catching up of a week may need the room of a second one.
        let well = Tick { pause: 300, call: 1, outcomes: Vec::new() };
        let end = now + seconds(48 * HOUR);
        let mut last = now;
        while now < end {
            last = now + seconds(well.pause);
            now = service.tick(&mut progress, timing, &well, now + seconds(well.pause));
        }
        let is_lost = |hour: Hour| {
            progress.lost().iter().any(|lost| (lost.first..=lost.last).contains(&hour))
        };
        // Hours wait until a current window has confirmed the time.
        let confirmed = last - seconds(interval + 300);
        prop_assert_eq!(progress.open_hours(confirmed), 0);
        prop_assert!(Hour::newest_due(confirmed, SETTLED_AFTER) < progress.settled_before());
        for number in 0.. {
            let hour = Hour::containing(service.created(number));
            if hour >= progress.settled_before() {
                break;
            }
            let is_settled = service.settled.contains(&number);
            prop_assert!(is_settled || is_lost(hour), "{} of {hour}", service.created(number));
        }
        // What is new is read at once: all that could be found when the last window was asked for. With
        // longer intervals a window of an hour can't reach back as far.
        let newest = now - seconds(interval + 2 * 360 + 1_800);
        for number in (0..).take_while(|_| interval <= 1_500) {
            if service.created(number) > newest {
                break;
            }
            let hour = Hour::containing(service.created(number));
            prop_assert!(service.read.contains(&number) || is_lost(hour), "{}", service.created(number));
        }
    }

    #[test]
    fn no_hour_is_lost_in_an_outage_of_six_days(
        outage in 1i64..6 * 24 * HOUR,
        interval in 60i64..3_600,
        outcomes in prop::collection::vec(
            prop_oneof![4 => Just(Outcome::Read), 1 => Just(Outcome::TooLong), 1 => Just(Outcome::Refused)],
            97..98,
        ),
    ) {
        let start = at("2026-11-20T12:40:17Z");
        let mut progress = TapProgress::starting(start, 12);
        let mut service = Service::since(progress.settled.next.start(), vec![0, 1_800]);
        let tick = Tick { pause: 300, call: 1, outcomes };
        let mut now = service.tick(&mut progress, timing(interval), &tick, start);
        now += seconds(outage);
        let end = now + seconds(24 * HOUR);
        while now < end {
            now = service.tick(&mut progress, timing(interval), &tick, now + seconds(300));
        }
        prop_assert_eq!(progress.lost(), []);
    }

    #[test]
    fn calls_that_fail_at_random_leave_room_to_catch_up(
        outage in 1i64..6 * 24 * HOUR,
        failures in prop::collection::vec(prop::bool::weighted(0.25), 1_009..1_010),
    ) {
        let start = at("2026-11-20T12:40:17Z");
        let mut progress = TapProgress::starting(start, 1);
        let mut service = Service::since(progress.settled.next.start(), vec![0, 1_800]);
        service.answers_within = 0;
        let outcome = |fails| if fails { Outcome::TooLong } else { Outcome::Read };
        let outcomes = failures.into_iter().map(outcome).collect();
        let tick = Tick { pause: 300, call: 1, outcomes };
        let mut now = service.tick(&mut progress, timing(300), &tick, start);
        now += seconds(outage);
        let end = now + seconds(24 * HOUR);
        while now < end {
            now = service.tick(&mut progress, timing(300), &tick, now + seconds(300));
        }
        // The newest hours may still be read in parts.
        let newest = Hour::newest_due(now - seconds(6 * HOUR), SETTLED_AFTER);
        prop_assert!(progress.unfinished_from() > newest, "{} {newest}", progress.unfinished_from());
        prop_assert_eq!(progress.lost(), []);
    }
}
