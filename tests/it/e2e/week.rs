//! Simulates weeks in seconds: seven days of traffic with many faults, then a calm day. At the end
//! every event must be delivered exactly once.
//!
//! A seed determines the week. It leaves out faults that duplicate or lose events by design: a lost
//! answer of the workspace after it accepted the rows; an event that is later than the second read
//! of its hour while no live session works; an hour that ends early, or is falsely empty, so often
//! in the same way that the connector accepts it.

mod empty_reads;
mod plan;
mod run_fault;
mod week_events;
mod week_run;

use std::collections::{BTreeMap, BTreeSet};
use std::time::Instant;

use futures_util::{StreamExt as _, stream};
use jiff::SignedDuration;
use proofpoint_sentinel::report::FeedOutcome;
use proofpoint_sentinel::state::DeadLetterReason;
use proofpoint_sentinel_core::feed::EventType;
use proofpoint_sentinel_core::hour::Hour;

use self::plan::WeekPlan;
use self::week_run::{WeekRun, WeekTotals};
use crate::e2e::connector::{events_by_hour, newest_hours};
use crate::e2e::fixture::{Scene, last_hour, messages};
use crate::e2e::row_assertions::ObjectMembers;

/// How long after its end an hour is read for the first and for the second time.
const DELAY: SignedDuration = SignedDuration::from_mins(45);
const SECOND_READ: SignedDuration = SignedDuration::from_hours(6);

/// `WEEK_SEED` sets the seed (default: 1).
#[tokio::test]
async fn after_a_week_every_event_is_there_once() {
    check(number_from_environment("WEEK_SEED").unwrap_or(1)).await;
}

#[tokio::test]
async fn after_another_week_every_event_is_there_once() {
    check(2).await;
}

#[tokio::test]
async fn after_a_third_week_every_event_is_there_once() {
    check(3).await;
}

/// `WEEK_SEEDS` sets the number of weeks (default: 10).
#[tokio::test]
#[ignore = "takes minutes"]
async fn after_many_weeks_every_event_is_there_once() {
    let first = 1_000;
    let seeds = first..first + number_from_environment("WEEK_SEEDS").unwrap_or(10);
    stream::iter(seeds).for_each_concurrent(4, check).await;
}

fn number_from_environment(variable: &str) -> Option<u64> {
    let text = std::env::var(variable).ok()?;
    Some(text.parse().unwrap_or_else(|_| panic!("{variable} is no number: {text}")))
}

async fn check(seed: u64) {
    let began = Instant::now();
    let week = WeekPlan::of(seed);
    println!("{week}");
    let mut week_run = WeekRun::of(&week).await;
    let mut last = None;
    for tick in &week.ticks {
        let report = week_run.tick(tick).await;
        println!("week {seed}: {:.0} {report} {:?}", tick.at, report.ends);
        println!(
            "  done {:?}, checked {:?}",
            texts(&report.hours_done),
            texts(&report.hours_checked)
        );
        last = Some(report.outcome);
    }
    print_figures(&week, &week_run, began);
    assert_eq!(last, Some(FeedOutcome::UpToDate), "week {seed}");
    assert_every_event_once(&week, &week_run.scene);
    assert_all_hours_done(&week_run).await;
    assert_all_hours_told(&week_run).await;
    assert_ledger_pruned(&week_run);
    assert_many_faults(&week_run.totals);
}

fn texts(hours: &[Hour]) -> Vec<String> {
    hours.iter().map(Hour::to_string).collect()
}

fn print_figures(week: &WeekPlan, week_run: &WeekRun, began: Instant) {
    let WeekTotals { ticks, failed, unfinished, events, duplicates, repaired, .. } =
        week_run.totals;
    let sessions = week_run.sessions().opened;
    let hours = week_run.totals.hours_done.len();
    println!(
        "week {}: {hours} hours, {ticks} ticks ({failed} failed, {unfinished} unfinished), \
         {sessions} sessions, {} events ({events} read, {duplicates} duplicates, {repaired} \
         repaired), {:.1} s",
        week.seed,
        week.events.len(),
        began.elapsed().as_secs_f64(),
    );
}

fn assert_every_event_once(week: &WeekPlan, scene: &Scene) {
    let mut arrivals: BTreeMap<String, usize> = BTreeMap::new();
    for row in scene.rows(EventType::Message) {
        let guid = ObjectMembers::of(&row).text("guid").expect("a row has the event's id");
        *arrivals.entry(guid).or_default() += 1;
    }
    let mut wrong = Vec::new();
    for event in &week.events {
        let times = arrivals.remove(&event.guid).unwrap_or(0);
        if times != 1 {
            wrong.push((times, event));
        }
    }
    assert!(
        wrong.is_empty(),
        "week {}, events and how often they are there: {wrong:#?}",
        week.seed
    );
    assert_eq!(arrivals, BTreeMap::new(), "Proofpoint never sent these");
    for reason in [DeadLetterReason::Refused, DeadLetterReason::Oversize] {
        assert_eq!(scene.dead_letters(reason, &messages()), []);
    }
}

/// Asserts that every due hour is done, and that exactly the recent ones wait for their second read.
async fn assert_all_hours_done(week_run: &WeekRun) {
    let now = week_run.scene.now();
    let checkpoint = week_run.scene.checkpoint(&messages()).await.expect("there is one");
    assert_eq!((&checkpoint.retry, &checkpoint.lost), (&vec![], &vec![]));
    let newest = Hour::newest_due(now, DELAY);
    assert_eq!(checkpoint.next_hour, newest.plus(1));
    let done: Vec<Hour> = week_run.totals.hours_done.iter().copied().collect();
    assert_eq!(done, last_hour().through(newest).collect::<Vec<_>>());
    let fresh = done.into_iter().filter(|hour| hour.end() + SECOND_READ > now);
    let is_looked_at = |hour: &Hour| checkpoint.believed.iter().any(|it| it.hour == *hour);
    let fresh: Vec<Hour> = fresh.filter(|hour| !is_looked_at(hour)).collect();
    assert_eq!(checkpoint.second, fresh);
}

/// Asserts that the connector's table says of every hour that it is done, with exactly the events that
/// the workspace holds.
async fn assert_all_hours_told(week_run: &WeekRun) {
    let checkpoint = week_run.scene.checkpoint(&messages()).await.expect("there is one");
    assert_eq!(checkpoint.hour_rows, [], "the table was told of all");
    let believed: BTreeSet<Hour> = checkpoint.believed.iter().map(|it| it.hour).collect();
    let told = newest_hours(&week_run.scene);
    let held = events_by_hour(&week_run.scene, EventType::Message);
    for hour in &week_run.totals.hours_done {
        let start = hour.start().to_string();
        let word = if believed.contains(hour) { "believed" } else { "proved" };
        let count = held.get(&start).map_or(0, BTreeSet::len) as u64;
        let expected = Some((word, count));
        let found = told.get(&start).map(|(word, count)| (word.as_str(), *count));
        assert_eq!(found, expected, "{hour}");
    }
}

/// Asserts that the ledger has only segments of the 72 hours before it was pruned, and all of them.
fn assert_ledger_pruned(week_run: &WeekRun) {
    let pruned = week_run.totals.pruned.expect("hours were done");
    let mut written = BTreeSet::new();
    let ledger = week_run.scene.state_path(&format!("ledger/{}", messages()));
    for hour in std::fs::read_dir(ledger).expect("there is a ledger") {
        for segment in std::fs::read_dir(hour.unwrap().path()).unwrap() {
            let segment = segment.unwrap();
            // One that holds no id was opened to see whether ids can be recorded.
            if segment.metadata().unwrap().len() <= "PODLDG01".len() as u64 {
                continue;
            }
            let name = segment.file_name().into_string().unwrap();
            let (hour, _) = name.split_at("2026-11-20T10".len());
            written.insert(hour.parse::<Hour>().expect("a segment's name begins with an hour"));
        }
    }
    let since = |hours: i64| -> BTreeSet<Hour> {
        week_run.totals.delivering.range(Hour::containing(pruned).plus(-hours)..).copied().collect()
    };
    // The newest event determines what is pruned. It is older than the last ticks.
    assert!(written.is_superset(&since(72)) && written.is_subset(&since(74)), "{written:?}");
}

/// Asserts that enough went wrong: a week without faults would prove nothing.
fn assert_many_faults(totals: &WeekTotals) {
    let WeekTotals { failed, unfinished, delivered, duplicates, repaired, hours_checked, .. } =
        totals;
    assert!(*failed > 10 && *unfinished > 3 && *hours_checked > 50, "{totals:?}");
    assert!(*repaired > 500 && *duplicates > *delivered, "{totals:?}");
}
