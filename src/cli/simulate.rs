//! `simulate`: everything that the connector talks to, for trying it out and for benchmarks.
#![expect(clippy::disallowed_methods, reason = "nothing else runs at its start")]

use std::io::Write;
use std::path::PathBuf;
use std::process::ExitCode;

use clap::Args;
use proofpoint_sentinel_core::clock::Clock;
use proofpoint_sentinel_simulator::pod::MailVolume;
use proofpoint_sentinel_simulator::tap::Tap;
use proofpoint_sentinel_simulator::workspace::RowStorage;
use proofpoint_sentinel_simulator::{DestinationApi, Simulation, SimulationSettings};

use super::{exit_code, logging, signals};

/// Any error, for the terminal. The stand-ins have no codes.
type Failure = Box<dyn std::error::Error + Send + Sync>;

#[derive(Args)]
pub(crate) struct Arguments {
    /// Messages an hour
    #[arg(long, default_value_t = 2_000)]
    rate: u64,
    /// How many clusters have so many messages each
    #[arg(long, default_value_t = 1, value_parser = clap::value_parser!(u16).range(1..=500))]
    clusters: u16,
    /// The same seed gives the same traffic
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// Repeat a pool of events under new ids: fast, with little variety
    #[arg(long)]
    bulk: bool,
    /// Count rows instead of checking and keeping them
    #[arg(long)]
    count_only: bool,
    /// Print the settings of the legacy HTTP Data Collector API
    #[arg(long)]
    legacy: bool,
    /// Where the authority's certificate and the rows go
    #[arg(long, default_value = "simulation")]
    directory: PathBuf,
}

pub(crate) async fn run(arguments: Arguments) -> ExitCode {
    logging::for_terminal();
    exit_code(simulate(&arguments).await.map(|()| true))
}

async fn simulate(arguments: &Arguments) -> Result<(), Failure> {
    let stop = signals::stop_token();
    let directory = std::path::absolute(&arguments.directory)?;
    std::fs::create_dir_all(&directory)?;
    let volume = MailVolume {
        messages: arguments.rate,
        audits: (arguments.rate / 50).max(10),
        daily: false,
        bulk: arguments.bulk,
    };
    let row_storage = if arguments.count_only {
        RowStorage::CountOnly
    } else {
        RowStorage::Directory(directory.clone())
    };
    let clusters = (1..=arguments.clusters).map(|number| match number {
        1 => "acme_hosted".to_owned(),
        _ => format!("acme_{number}_hosted"),
    });
    let clusters: Vec<String> = clusters.collect();
    let clusters: Vec<&str> = clusters.iter().map(String::as_str).collect();
    let clock = Clock::system();
    let settings =
        SimulationSettings::generated(directory, clock, &clusters, arguments.seed, volume)
            .with_generated_tap(arguments.seed, volume);
    let simulation = Simulation::start(SimulationSettings { row_storage, ..settings }).await?;
    let destination = if arguments.legacy {
        DestinationApi::DataCollector
    } else {
        DestinationApi::LogsIngestion
    };
    // Function App settings as lines for a shell; the empty line says that all of it listens.
    let mut out = std::io::stdout().lock();
    for (name, value) in simulation.app_settings(destination) {
        writeln!(out, "{name}={value}")?;
    }
    writeln!(out)?;
    out.flush()?;
    drop(out);
    stop.cancelled().await;
    print_counters(&simulation);
    Ok(())
}

/// What the servers have counted.
fn print_counters(simulation: &Simulation) {
    let (pod, workspace) = (simulation.pod.counters(), simulation.workspace.counters());
    for (feed, counters) in &pod.feeds {
        eprintln!(
            "{feed}: {} events sent in {} sessions, {} of them in {} live ones",
            counters.events_sent, counters.opened, counters.live_events_sent, counters.live_opened
        );
    }
    if let Some(tap) = simulation.tap.as_ref().map(Tap::counters) {
        eprintln!("tap: {} records sent in {} calls", tap.all_records(), tap.all_calls());
    }
    for (table, rows) in &workspace.tables {
        eprintln!("{table}: {rows} rows");
    }
    eprintln!(
        "{} posts, {} bytes sent, {} before compression, {} values that Azure would have cut",
        workspace.posts, workspace.wire_bytes, workspace.raw_bytes, workspace.violations
    );
}
