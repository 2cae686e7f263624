//! `demo`: the whole connector at work, with nothing configured.
//!
//! The demo simulates Proofpoint, the workspace, the token service and the Functions host. Everything
//! else is real: the host starts this program as `serve`, with Function App settings as its
//! environment, and fires its timer.
#![expect(clippy::disallowed_methods, reason = "the demo has its thread for itself")]

mod connector;
mod directory;
mod failure;
mod feed;
mod rows;
mod show;
mod tap;

use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use clap::Args;
use jiff::{SignedDuration, Timestamp};
use proofpoint_sentinel::host::FUNCTION;
use proofpoint_sentinel_core::clock::Clock;
use proofpoint_sentinel_core::feed::{EventType, Feed, FeedType};
use proofpoint_sentinel_core::hour::Hour;
use proofpoint_sentinel_simulator::host::{FunctionsHost, InvocationOutcome, TimerTrigger};
use proofpoint_sentinel_simulator::pod::{EventSource, GeneratedEvents, MailVolume, Position};
use proofpoint_sentinel_simulator::workspace::RowStorage;
use proofpoint_sentinel_simulator::{
    DestinationApi, Simulation, SimulationSettings, mail::MailTraffic,
};
use tokio::time::timeout;

use super::{exit_code, logging};
use directory::DemoDirectory;
use failure::Failure;
use feed::DemoFeed;
use show::ProgressBars;

const CLUSTER: &str = "acme_hosted";

/// An hour is read from the archive when it ended at least this long ago.
const ARCHIVE_DELAY: SignedDuration = SignedDuration::from_mins(45);

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
    avoid_hour_change().await;
    let now = Timestamp::now();
    let newest = Hour::newest_due(now, ARCHIVE_DELAY);
    let oldest = newest.plus(1 - i64::from(arguments.hours));
    let directory = DemoDirectory::create(arguments.keep.as_deref())?;
    let (source, volume) = source(arguments);
    let settings =
        SimulationSettings::new(&directory.root, Clock::system(), &[CLUSTER], source.clone())
            .with_generated_tap(arguments.seed, volume);
    let row_storage = RowStorage::Directory(directory.workspace());
    let simulation = Simulation::start(SimulationSettings { row_storage, ..settings }).await?;

    let (feeds, first) = feeds(&directory, &simulation, source.as_ref(), oldest, now).await?;
    if first > newest {
        println!("Every closed hour up to {newest} UTC was delivered by an earlier demo.");
    } else {
        println!(
            "Traffic of the simulated cluster {CLUSTER}: closed hours {first} to {newest} UTC, and live."
        );
    }
    let lookback = Hour::containing(now).hours_since(oldest);
    let app_settings = app_settings(arguments, &simulation, &directory, lookback);
    let host = FunctionsHost::start(&directory.app(), app_settings).await?;
    println!("The handler answered {} ms after its start.", host.ready_after().as_millis());

    let outcomes = run_twice(&host, &feeds, &simulation).await?;
    host.terminate().await?;
    directory.write_log(&host.lines())?;

    println!("Rows:  {}", directory.workspace().display());
    println!("State: {}", directory.state().display());
    println!("Log:   {}", directory.log().display());
    let (newer, mut faults) = check_rows(&directory, &simulation, source.as_ref(), &feeds).await?;
    println!("{}", connector::told(&directory)?);
    for outcome in &outcomes {
        if !matches!(outcome, InvocationOutcome::Success { .. }) {
            faults.push(format!("the host did not take the run for a success: {outcome:?}"));
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

/// The feeds, and the first hour that one of the Log API reads.
async fn feeds(
    directory: &DemoDirectory,
    simulation: &Simulation,
    source: &dyn EventSource,
    oldest: Hour,
    now: Timestamp,
) -> Result<(Vec<DemoFeed>, Hour), Failure> {
    let newest = Hour::newest_due(now, ARCHIVE_DELAY);
    let mut feeds = Vec::new();
    for event_type in EventType::ALL {
        let feed = Feed::log(CLUSTER, event_type);
        let first = directory.next_hour(&feed).await?.unwrap_or(oldest);
        let closed = first.through(newest).flat_map(|hour| source.events(&feed, hour)).count();
        let live = count_live(source, &feed, now);
        feeds.push(DemoFeed { feed, first, expected: closed as u64 + live });
    }
    let first = feeds.iter().map(|part| part.first).min().unwrap_or(oldest);
    let this_hour = Hour::containing(now);
    let oldest = oldest.max(this_hour.plus(-tap::MAX_LOOKBACK));
    let first_of_tap = tap::next_hour(directory)?.unwrap_or(oldest);
    let expected = tap::records(simulation, first_of_tap, this_hour).len() as u64;
    feeds.push(DemoFeed { feed: tap::feed(), first: first_of_tap, expected });
    Ok((feeds, first))
}

/// Fires the timer, shows what the run does and did, and fires once more.
async fn run_twice(
    host: &FunctionsHost,
    feeds: &[DemoFeed],
    simulation: &Simulation,
) -> Result<[InvocationOutcome; 2], Failure> {
    let bars = ProgressBars::new(feeds);
    let tick = TimerTrigger::default();
    let first = tokio::select! {
        outcome = host.fire(FUNCTION, &tick) => outcome?,
        never = bars.follow(simulation) => match never {},
    };
    bars.finish(simulation);
    // The answer may overtake what the handler wrote before, and a run that failed may have written
    // no summary.
    let _ = timeout(Duration::from_secs(5), wait_for_summaries(host, feeds)).await;
    let log: Vec<String> = host.lines().into_iter().map(|line| line.text).collect();
    show::table(feeds, &log, simulation);
    let second = host.fire(FUNCTION, &tick).await?;
    Ok([first, second])
}

/// Checks that what was to arrive is in the workspace once. Gives how many rows are newer, and the
/// faults.
async fn check_rows(
    directory: &DemoDirectory,
    simulation: &Simulation,
    source: &dyn EventSource,
    feeds: &[DemoFeed],
) -> Result<(usize, Vec<String>), Failure> {
    let (mut newer, mut faults) = (0, Vec::new());
    for part in feeds {
        let DemoFeed { feed, first, .. } = part;
        // Another hour may have become due meanwhile.
        let next = match feed.feed_type {
            FeedType::Log(_) => directory.next_hour(feed).await?,
            FeedType::Tap => tap::next_hour(directory)?,
        };
        let last = next.unwrap_or(*first).plus(-1);
        let closed: Vec<Bytes> = match feed.feed_type {
            _ if last < *first => Vec::new(),
            FeedType::Log(_) => {
                first.through(last).flat_map(|hour| source.events(feed, hour)).collect()
            }
            FeedType::Tap => {
                let records = tap::records(simulation, *first, last);
                records.into_iter().map(|record| record.body).collect()
            }
        };
        let rows = directory.rows(&part.tables())?;
        match rows::check(feed.feed_type, &rows, closed) {
            Ok(others) => newer += others,
            Err(fault) => faults.push(format!("{feed}: {fault}")),
        }
    }
    Ok((newer, faults))
}

/// Waits until the log has the summary of each feed's run.
async fn wait_for_summaries(host: &FunctionsHost, feeds: &[DemoFeed]) {
    for DemoFeed { feed, .. } in feeds {
        host.wait_for_line(|line| show::is_summary_of(&line.text, feed)).await;
    }
}

/// Waits for the next hour where it is near: the look-back counts from the current hour, which must
/// be the same for the handler.
async fn avoid_hour_change() {
    let now = Timestamp::now();
    let left = Hour::containing(now).end().duration_since(now);
    if left < SignedDuration::from_secs(10) {
        tokio::time::sleep(left.unsigned_abs()).await;
    }
}

/// How many events the first live session has to send: those of the last hour.
fn count_live(source: &dyn EventSource, feed: &Feed, now: Timestamp) -> u64 {
    let hour_ago = Position::start_of(now - SignedDuration::from_hours(1));
    let mut arrivals = source.arrivals(feed, hour_ago);
    std::iter::from_fn(|| arrivals.next(now)).count() as u64
}

fn app_settings(
    arguments: &Arguments,
    simulation: &Simulation,
    directory: &DemoDirectory,
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
        // The traffic goes on, so a long gap never comes.
        ("ProofpointLiveQuietSeconds", "1".to_owned()),
        ("ProofpointInitialLookbackHours", lookback.to_string()),
        ("TapInitialLookbackHours", lookback.min(tap::MAX_LOOKBACK).to_string()),
        ("StateStorage", directory.state_url()),
    ];
    let own = own.into_iter().map(|(name, value)| (name.to_owned(), value));
    simulation.app_settings(destination).into_iter().chain(own).collect()
}

fn source(arguments: &Arguments) -> (Arc<dyn EventSource>, MailVolume) {
    let volume = MailVolume {
        messages: u64::from(arguments.rate),
        audits: u64::from(arguments.rate / 50).max(10),
        daily: true,
        bulk: false,
    };
    let traffic = MailTraffic::new(arguments.seed, CLUSTER);
    let events = GeneratedEvents::new([(CLUSTER.to_owned(), traffic)], volume);
    (Arc::new(events), volume)
}
