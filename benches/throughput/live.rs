//! How long a run takes that reads the live stream, by how busy the stream is and by `ProofpointLive`.

use std::path::Path;
use std::time::Duration;

use proofpoint_sentinel_simulator::host::{FunctionsHost, InvocationOutcome, TimerTrigger};
use tokio::time::sleep;

use super::Failure;
use super::programs::{feed_reports, unpack};
use super::simulation::Simulation;

/// So much arrives between the two runs of a scene.
const BETWEEN_RUNS: Duration = Duration::from_mins(1);

/// `functionTimeout`: as long as `continuous` has, of which it reads for three quarters.
const TIME_OUT: &str = "00:02:00";

struct Scene {
    name: &'static str,
    messages_an_hour: u64,
    /// `ProofpointLive`.
    live: &'static str,
}

const SCENES: [Scene; 5] = [
    Scene { name: "1 an hour, catch-up", messages_an_hour: 1, live: "catch-up" },
    Scene { name: "1 a second, catch-up", messages_an_hour: 3_600, live: "catch-up" },
    Scene { name: "20 a second, catch-up", messages_an_hour: 72_000, live: "catch-up" },
    Scene { name: "1 a second, continuous", messages_an_hour: 3_600, live: "continuous" },
    Scene { name: "20 a second, continuous", messages_an_hour: 72_000, live: "continuous" },
];

/// Runs the binary of the package over all scenes at once, and prints a line for each.
pub(crate) async fn measure(connector: &Path) -> Result<(), Failure> {
    println!("{:24} {:>8} {:>8}", "", "events", "seconds");
    let runs = SCENES.iter().map(|scene| run(connector, scene));
    for (scene, outcome) in SCENES.iter().zip(futures_util::future::join_all(runs).await) {
        let (events, seconds) = outcome?;
        println!("{:24} {events:>8} {seconds:>8.1}", scene.name);
    }
    Ok(())
}

/// The events and seconds of the second of two runs: the first finds the place in the stream.
async fn run(connector: &Path, scene: &Scene) -> Result<(u64, f64), Failure> {
    let directory = tempfile::tempdir()?;
    let simulation = Simulation::start(1, scene.messages_an_hour, directory.path())?;
    let app = directory.path().join("app");
    unpack(connector, &app, TIME_OUT)?;
    let own = [
        ("ProofpointEventTypes", "message".to_owned()),
        ("ProofpointMode", "hybrid".to_owned()),
        ("ProofpointLive", scene.live.to_owned()),
        ("ProofpointSchedule", "0 */5 * * * *".to_owned()),
        ("ProofpointInitialLookbackHours", "1".to_owned()),
        ("StateStorage", format!("file://{}", directory.path().join("state").display())),
    ];
    let settings = simulation.settings.clone().into_iter();
    let settings = settings.chain(own.map(|(name, value)| (name.to_owned(), value)));
    let host = FunctionsHost::start(&app, settings).await?;
    tick(&host).await?;
    sleep(BETWEEN_RUNS).await;
    tick(&host).await?;
    let reports = feed_reports(&host);
    let last = reports.last().ok_or("the run has no report")?;
    Ok((last["events"].as_u64().unwrap_or(0), last["seconds"].as_f64().unwrap_or(f64::NAN)))
}

async fn tick(host: &FunctionsHost) -> Result<(), Failure> {
    match host.fire("ProofpointPOD", &TimerTrigger::default()).await? {
        InvocationOutcome::Success { .. } => Ok(()),
        outcome => Err(format!("a run failed: {outcome:?}").into()),
    }
}
