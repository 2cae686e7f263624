//! Many feeds in one process: how much memory they take together, and how long the last one waits.

use std::path::Path;

use proofpoint_sentinel_simulator::host::FunctionsHost;

use super::Failure;
use super::programs::{feed_reports, measured_run, unpack};
use super::simulation::Simulation;

/// What is read by how many clusters.
struct Scene {
    name: &'static str,
    clusters: u16,
    /// Messages of an hour; each has about five lines of the mail log.
    messages: u64,
    feeds: &'static str,
    hours: i64,
    /// `ProofpointMemoryMB`.
    megabytes: u32,
}

const SCENES: [Scene; 4] = [
    Scene {
        name: "1 feed, 500,000 ids",
        clusters: 1,
        messages: 230_000,
        feeds: "maillog",
        hours: 1,
        megabytes: 64,
    },
    Scene {
        name: "100 clusters, 6 hours",
        clusters: 100,
        messages: 400,
        feeds: "message,maillog",
        hours: 6,
        megabytes: 64,
    },
    Scene {
        name: "20, 500,000 ids each",
        clusters: 20,
        messages: 230_000,
        feeds: "maillog",
        hours: 1,
        megabytes: 256,
    },
    Scene {
        name: "1 feed, 5 million ids",
        clusters: 1,
        messages: 2_290_000,
        feeds: "maillog",
        hours: 1,
        megabytes: 256,
    },
];

/// What came of a scene.
struct Outcome {
    events: u64,
    peak_bytes: u64,
}

/// Runs the binary of the package over each scene, and prints a line for it.
pub(crate) async fn measure(connector: &Path) -> Result<(), Failure> {
    println!(
        "{:22} {:>6} {:>9} {:>7} {:>8} {:>8} {:>8} {:>8} {:>14}",
        "", "feeds", "events", "MB", "seconds", "CPU s", "pool MB", "peak MB", "slowest feed s"
    );
    let mut outcomes = Vec::new();
    for scene in &SCENES {
        outcomes.push(run(connector, scene).await?);
    }
    let (few, most) = (&outcomes[0], &outcomes[outcomes.len() - 1]);
    let bytes = most.peak_bytes.saturating_sub(few.peak_bytes) as f64;
    println!(
        "\nbytes of memory for each further id: at most {:.1}",
        bytes / (most.events - few.events) as f64
    );
    Ok(())
}

async fn run(connector: &Path, scene: &Scene) -> Result<Outcome, Failure> {
    let directory = tempfile::tempdir()?;
    let simulation = Simulation::start(scene.clusters, scene.messages, directory.path())?;
    let app = directory.path().join("app");
    unpack(connector, &app, "00:10:00")?;
    let own = [
        ("ProofpointEventTypes", scene.feeds.to_owned()),
        ("ProofpointMode", "archive".to_owned()),
        ("ProofpointSchedule", "0 */5 * * * *".to_owned()),
        ("ProofpointInitialLookbackHours", (scene.hours + 1).to_string()),
        ("ProofpointArchiveDelayMinutes", "60".to_owned()),
        ("ProofpointMemoryMB", scene.megabytes.to_string()),
        ("StateStorage", format!("file://{}", directory.path().join("state").display())),
    ];
    let settings = simulation.settings.clone().into_iter();
    let settings = settings.chain(own.map(|(name, value)| (name.to_owned(), value)));
    let host = FunctionsHost::start(&app, settings).await?;
    let run = measured_run(&host).await;
    let (took, usage) = run.map_err(|error| format!("{}: {error}", scene.name))?;
    let reports = feed_reports(&host);
    let total = |field: &str| reports.iter().filter_map(|line| line[field].as_u64()).sum::<u64>();
    let slowest = reports.iter().filter_map(|line| line["seconds"].as_f64()).fold(0.0, f64::max);
    let unfinished = reports.iter().filter(|line| line["hours_waiting"] != 0).count();
    println!(
        "{:22} {:>6} {:>9} {:>7.0} {:>8.1} {:>8.1} {:>8} {:>8.0} {:>14.1}",
        scene.name,
        reports.len(),
        total("events"),
        total("event_bytes") as f64 / 1e6,
        took.as_secs_f64(),
        usage.cpu.as_secs_f64(),
        scene.megabytes,
        usage.peak_bytes as f64 / 1e6,
        slowest,
    );
    if unfinished > 0 {
        println!("{:22} {unfinished} feeds have hours that wait for the next run", "");
    }
    Ok(Outcome { events: total("events"), peak_bytes: usage.peak_bytes })
}
