//! `demo`: the main job, with nothing configured.
//!
//! Simulated are Proofpoint, the workspace, the issuer of tokens and the Functions host. Real is
//! everything else: the host starts this very program as `serve`, with Function App settings as its
//! environment, and fires its timer.

mod app;
mod rows;
mod show;

use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use clap::Args;
use jiff::{SignedDuration, Timestamp};
use proofpoint_sentinel::host::FUNCTION;
use proofpoint_sentinel_core::clock::Clock;
use proofpoint_sentinel_core::feed::{EventType, Feed};
use proofpoint_sentinel_core::hour::Hour;
use proofpoint_sentinel_core::tables::table;
use proofpoint_sentinel_simulator::host::{FunctionsHost, InvocationOutcome, TimerTrigger};
use proofpoint_sentinel_simulator::pod::{EventSource, GeneratedEvents, MailVolume, Position};
use proofpoint_sentinel_simulator::workspace::RowStorage;
use proofpoint_sentinel_simulator::{
    DestinationApi, Simulation, SimulationSettings, mail::MailTraffic,
};
use tokio::time::timeout;

use super::{Failure, exit_code, logging};
use app::Workplace;
use show::Bars;

const CLUSTER: &str = "acme_hosted";

/// Read from the archive are hours that ended at least so long ago.
const DELAY: SignedDuration = SignedDuration::from_mins(45);

#[derive(Args)]
pub(crate) struct Arguments {
    /// Hours of traffic
    #[arg(long, default_value_t = 3, value_parser = clap::value_parser!(u32).range(1..=700))]
    hours: u32,
    /// Messages in the busiest hour of a working day; other hours have fewer
    #[arg(long, default_value_t = 3_000)]
    rate: u32,
    /// The same seed gives the same traffic
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// Deliver by the legacy HTTP Data Collector API
    #[arg(long)]
    legacy: bool,
    /// Work in this directory and go on from what an earlier demo left there
    #[arg(long, value_name = "DIRECTORY")]
    keep: Option<PathBuf>,
}

pub(crate) async fn run(arguments: Arguments) -> ExitCode {
    logging::for_terminal();
    exit_code(demo(&arguments).await)
}

async fn demo(arguments: &Arguments) -> Result<bool, Failure> {
    wait_out_the_turn_of_the_hour().await;
    let now = Timestamp::now();
    let newest = Hour::newest_due(now, DELAY);
    let oldest = newest.plus(1 - i64::from(arguments.hours));
    let place = Workplace::make(arguments.keep.as_deref())?;
    let source = source(arguments);
    let settings =
        SimulationSettings::new(&place.root, Clock::system(), &[CLUSTER], source.clone());
    let row_storage = RowStorage::Directory(place.workspace());
    let simulation = Simulation::start(SimulationSettings { row_storage, ..settings }).await?;

    let mut feeds = Vec::new();
    for event_type in EventType::ALL {
        let feed = Feed { cluster_id: CLUSTER.to_owned(), event_type };
        let first = place.next_hour(&feed).await?.unwrap_or(oldest);
        let closed = first.through(newest).flat_map(|hour| source.events(&feed, hour)).count();
        let live = count_live(source.as_ref(), &feed, now);
        feeds.push(FeedOfDemo { feed, first, to_come: closed as u64 + live });
    }
    let first = feeds.iter().map(|part| part.first).min().unwrap_or(oldest);
    if first > newest {
        println!("Every closed hour up to {newest} UTC was delivered by an earlier demo.");
    } else {
        println!(
            "MailTraffic of the simulated cluster {CLUSTER}: closed hours {first} to {newest} UTC, and live."
        );
    }
    let lookback = Hour::containing(now).hours_since(oldest);
    let app_settings = app_settings(arguments, &simulation, &place, lookback);
    let host = FunctionsHost::start(&place.app(), app_settings).await?;
    println!("The handler answered {} ms after its start.", host.ready_after().as_millis());

    let bars = Bars::new(&feeds);
    let tick = TimerTrigger::default();
    let first = tokio::select! {
        outcome = host.fire(FUNCTION, &tick) => outcome?,
        never = bars.follow(&simulation) => match never {},
    };
    bars.finish(&simulation);
    // The answer may overtake what the handler wrote before; a run that failed may not have summed
    // up anything.
    let _ = timeout(Duration::from_secs(5), summed_up(&host, &feeds)).await;
    let log: Vec<String> = host.lines().into_iter().map(|line| line.text).collect();
    show::table(&feeds, &log, &simulation);
    let second = host.fire(FUNCTION, &tick).await?;
    host.terminate().await?;
    place.write_log(&host.lines())?;

    println!("Rows:  {}", place.workspace().display());
    println!("State: {}", place.state().display());
    println!("Log:   {}", place.log().display());
    let mut faults = Vec::new();
    for outcome in [&first, &second] {
        if !matches!(outcome, InvocationOutcome::Success { .. }) {
            faults.push(format!("the host did not take the run for a success: {outcome:?}"));
        }
    }
    let mut newer = 0;
    for part in &feeds {
        // Another hour may have become due meanwhile.
        let last = place.next_hour(&part.feed).await?.unwrap_or(part.first).plus(-1);
        let closed = part.first.through(last).flat_map(|hour| source.events(&part.feed, hour));
        let rows = place.rows(&part.tables())?;
        match rows::check(&rows, closed) {
            Ok(others) => newer += others,
            Err(fault) => faults.push(format!("{}: {fault}", part.feed)),
        }
    }
    for violation in simulation.workspace.violations() {
        faults.push(format!("Azure would have cut a value without a word: {violation:?}"));
    }
    for fault in &faults {
        eprintln!("FAILED: {fault}");
    }
    if faults.is_empty() {
        println!(
            "Every event of the closed hours arrived once, and none of the {newer} newer ones twice."
        );
    }
    Ok(faults.is_empty())
}

/// Waits until the handler has summed up the run of each feed.
async fn summed_up(host: &FunctionsHost, feeds: &[FeedOfDemo]) {
    for FeedOfDemo { feed, .. } in feeds {
        host.wait_for_line(|line| show::sums_up(&line.text, feed)).await;
    }
}

/// The look-back is counted from the hour of now, which the handler must find unchanged.
async fn wait_out_the_turn_of_the_hour() {
    let now = Timestamp::now();
    let left = Hour::containing(now).end().duration_since(now);
    if left < SignedDuration::from_secs(10) {
        tokio::time::sleep(left.unsigned_abs()).await;
    }
}

/// A feed and what the demo expects of it.
struct FeedOfDemo {
    feed: Feed,
    /// The first hour that this demo reads.
    first: Hour,
    /// How many events there are from then on, and for the live stream.
    to_come: u64,
}

impl FeedOfDemo {
    /// Where its rows lie, by either API.
    fn tables(&self) -> [String; 2] {
        let table = table(self.feed.event_type);
        [table.name.to_owned(), format!("{}_CL", table.log_type)]
    }

    fn rows(&self, simulation: &Simulation) -> u64 {
        let counters = simulation.workspace.counters();
        self.tables().iter().filter_map(|name| counters.tables.get(name)).sum()
    }
}

/// How many events the first live session has to send: what came in the last hour.
fn count_live(source: &dyn EventSource, feed: &Feed, now: Timestamp) -> u64 {
    let hour_ago = Position::start_of(now - SignedDuration::from_hours(1));
    let mut arrivals = source.arrivals(feed, hour_ago);
    std::iter::from_fn(|| arrivals.next(now)).count() as u64
}

fn app_settings(
    arguments: &Arguments,
    simulation: &Simulation,
    place: &Workplace,
    lookback: i64,
) -> Vec<(String, String)> {
    let destination = if arguments.legacy {
        DestinationApi::DataCollector
    } else {
        DestinationApi::LogsIngestion
    };
    let own = [
        ("ProofpointEventTypes", "message,maillog,audit".to_owned()),
        ("ProofpointSchedule", "0 */5 * * * *".to_owned()),
        // The traffic goes on: nobody waits long for a gap in it.
        ("ProofpointLiveQuietSeconds", "1".to_owned()),
        ("ProofpointInitialLookbackHours", lookback.to_string()),
        ("StateStorage", place.state_url()),
    ];
    let own = own.into_iter().map(|(name, value)| (name.to_owned(), value));
    simulation.app_settings(destination).into_iter().chain(own).collect()
}

fn source(arguments: &Arguments) -> Arc<dyn EventSource> {
    let volume = MailVolume {
        messages: u64::from(arguments.rate),
        audits: u64::from(arguments.rate / 50).max(10),
        daily: true,
        bulk: false,
    };
    let traffic = MailTraffic::new(arguments.seed, CLUSTER);
    Arc::new(GeneratedEvents::new([(CLUSTER.to_owned(), traffic)], volume))
}
