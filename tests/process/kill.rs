//! Kills the handler: at each step of a run, and at random moments. No event may be lost, and only
//! batches that were in flight at a kill may be delivered twice.
//!
//! Only Proofpoint and Azure are simulated. The rest is what is shipped: the program under a
//! Functions host, with its state in Azurite. Scenarios run side by side;
//! `scripts/killtest` sets the number of kills and the first seed.

mod events;
mod hours;
mod kill_point;
mod options;
mod phases;
mod scenario;
mod state_container;
mod summary;

use std::collections::BTreeSet;
use std::time::Instant;

use futures_util::{StreamExt as _, stream};

use kill_point::Step;
use options::{KillOptions, ScenarioOptions};
use phases::PhaseCounts;
use scenario::Scenario;
use summary::KillSummary;

/// How many scenarios run at once.
const SIDE_BY_SIDE: usize = 4;

/// As many kills as the scenarios need to hit every step.
const ENOUGH: usize = 25;

#[tokio::test(flavor = "multi_thread")]
async fn kills_at_any_moment_lose_no_event() {
    let options = KillOptions::from_environment();
    println!("{options}");
    let began = Instant::now();
    let mut scenarios =
        stream::iter(options.scenarios()).map(run_with_kills).buffer_unordered(SIDE_BY_SIDE);
    let (mut summary, mut phases) = (KillSummary::default(), PhaseCounts::default());
    let mut steps = BTreeSet::new();
    while let Some((summary_of_one, phases_of_one, steps_of_one)) = scenarios.next().await {
        summary.add(&summary_of_one);
        phases.add(&phases_of_one);
        steps.extend(steps_of_one);
    }
    println!("{summary} in {:.0} s\n{phases}", began.elapsed().as_secs_f64());
    if options.kills >= ENOUGH {
        assert!(Step::ALL.iter().all(|step| steps.contains(step)), "only {steps:?} were hit");
        phases.assert_covered();
        assert!(summary.costly_kills > 0, "no kill hit between an answer and the ledger");
    }
}

/// Runs one scenario in a task of its own, so that a failure can say how to repeat it.
async fn run_with_kills(options: ScenarioOptions) -> (KillSummary, PhaseCounts, BTreeSet<Step>) {
    let task = tokio::spawn(async move {
        let mut scenario = Scenario::new(options.seed, options.kills).await;
        for round in 0..options.kills {
            match step_of(options.seed, round) {
                Some(step) => scenario.round_with_kill_at(step).await,
                None => scenario.round_with_random_kill().await,
            }
        }
        scenario.finish().await;
        let summary = scenario.summary();
        println!("{options}: {summary}");
        (summary, scenario.phases, scenario.steps)
    });
    task.await.unwrap_or_else(|error| panic!("{error}; to repeat it: {}", options.command()))
}

/// Every other kill hits a chosen step, where each scenario begins two steps behind the one
/// before it; the others come at random.
fn step_of(seed: u64, round: usize) -> Option<Step> {
    let nth = seed as usize % Step::ALL.len() * 2 + round / 2;
    round.is_multiple_of(2).then(|| Step::ALL[nth % Step::ALL.len()])
}

/// Shows that the duplicates of the test above come from the kills.
#[tokio::test(flavor = "multi_thread")]
async fn without_kills_no_event_is_delivered_twice() {
    let rounds = 5;
    let mut scenario = Scenario::new(KillOptions::from_environment().seed, rounds).await;
    for _ in 0..rounds {
        scenario.round_without_kill().await;
    }
    scenario.finish().await;
    let summary = scenario.summary();
    println!("without kills: {summary}");
    assert_eq!(summary.duplicates, 0);
}
