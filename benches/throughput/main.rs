//! A whole hour through the connector, and beside it the ceiling: a bare program that
//! reads the same stream, compresses the same bytes and posts them, with no other logic.
//!
//! Proofpoint and the workspace are simulated in another process. What counts is the work per byte
//! of events: megabytes in a second of the measured process's own processor time.
#![allow(clippy::disallowed_methods, reason = "tests may")]

mod ceiling;
mod usage;

use std::collections::HashMap;
use std::error::Error;
use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use jiff::{SignedDuration, Timestamp};
use proofpoint_sentinel_core::hour::Hour;
use proofpoint_sentinel_simulator::host::{FunctionsHost, InvocationOutcome, TimerTrigger};
use usage::Usage;

const PROGRAM: &str = env!("CARGO_BIN_EXE_proofpoint-sentinel");

/// `functionTimeout` of the runs: enough for the hour, and a third of three quarters of it for the
/// live stream.
const TIME_OUT: &str = "00:03:00";

type Failure = Box<dyn Error + Send + Sync>;

#[tokio::main]
async fn main() -> Result<(), Failure> {
    let mut arguments = std::env::args().skip(1).filter(|argument| argument != "--bench");
    match arguments.next().as_deref() {
        Some("ceiling") => ceiling::run().await,
        Some(messages) => compare(messages.parse()?).await,
        None => compare(700_000).await,
    }
}

async fn compare(messages: u64) -> Result<(), Failure> {
    let directory = tempfile::tempdir()?;
    let simulation = Simulation::start(messages, directory.path())?;
    // The hour that is due now stays the same for the whole benchmark, unless it runs over a
    // quarter to; then the connector reads another hour of the same size.
    let hour = Hour::newest_due(Timestamp::now(), SignedDuration::from_mins(45));
    println!("{messages} messages in one hour, over TLS, into a workspace in another process\n");
    println!(
        "{:10} {:>9} {:>9} {:>9} {:>13} {:>12} {:>9}",
        "", "MB", "seconds", "MB/s", "CPU seconds", "MB/CPU s", "peak MB"
    );
    let ceiling = ceiling_of(&simulation, hour)?;
    ceiling.print("ceiling");
    for mode in ["archive", "hybrid"] {
        let (connector, ready_after) =
            connector(&simulation, mode, hour, &directory.path().join(mode)).await?;
        connector.print(mode);
        let share = 100.0 * connector.per_cpu_second() / ceiling.per_cpu_second();
        println!(
            "{mode} / ceiling: {share:.0} % of the megabytes per CPU second; first answer to GET / \
             {} ms after the start",
            ready_after.as_millis()
        );
    }
    Ok(())
}

/// What one program did.
struct Measured {
    megabytes: f64,
    took: Duration,
    usage: Usage,
}

impl Measured {
    fn per_cpu_second(&self) -> f64 {
        self.megabytes / self.usage.cpu.as_secs_f64()
    }

    fn print(&self, name: &str) {
        println!(
            "{name:10} {:>9.0} {:>9.1} {:>9.0} {:>13.1} {:>12.0} {:>9.0}",
            self.megabytes,
            self.took.as_secs_f64(),
            self.megabytes / self.took.as_secs_f64(),
            self.usage.cpu.as_secs_f64(),
            self.per_cpu_second(),
            self.usage.peak_bytes as f64 / 1e6,
        );
    }
}

fn ceiling_of(simulation: &Simulation, hour: Hour) -> Result<Measured, Failure> {
    let started = Instant::now();
    let output = Command::new(std::env::current_exe()?)
        .arg("ceiling")
        .envs(&simulation.settings)
        .env("HOUR", hour.to_string())
        .stderr(Stdio::inherit())
        .output()?;
    let took = started.elapsed();
    if !output.status.success() {
        return Err("the ceiling failed".into());
    }
    let line = String::from_utf8(output.stdout)?;
    let mut words = line.split_whitespace();
    let bytes: u64 = words.next().ok_or("the ceiling printed nothing")?.parse()?;
    let usage = Usage::from_words(words).ok_or("the ceiling printed no usage")?;
    Ok(Measured { megabytes: bytes as f64 / 1e6, took, usage })
}

/// The connector in its two main modes. Hybrid reads the last hour live, which takes the time that
/// the live stream gets in a run since that is never quiet, and then the closed hour, of which it
/// knows the part that came live.
async fn connector(
    simulation: &Simulation,
    mode: &str,
    hour: Hour,
    directory: &Path,
) -> Result<(Measured, Duration), Failure> {
    let app = directory.join("app");
    std::fs::create_dir_all(app.join("ProofpointPOD"))?;
    let repository = Path::new(env!("CARGO_MANIFEST_DIR"));
    let function = "ProofpointPOD/function.json";
    std::fs::copy(repository.join(function), app.join(function))?;
    let host_json = std::fs::read_to_string(repository.join("host.json"))?;
    std::fs::write(app.join("host.json"), host_json.replace("00:10:00", TIME_OUT))?;
    std::fs::copy(PROGRAM, app.join("proofpoint-sentinel"))?;
    let lookback = Hour::containing(Timestamp::now()).hours_since(hour);
    let own = [
        ("ProofpointEventTypes", "message".to_owned()),
        ("ProofpointMode", mode.to_owned()),
        ("ProofpointSchedule", "0 */5 * * * *".to_owned()),
        ("ProofpointInitialLookbackHours", lookback.to_string()),
        ("StateStorage", format!("file://{}", directory.join("state").display())),
    ];
    let settings = simulation.settings.clone().into_iter();
    let settings = settings.chain(own.map(|(name, value)| (name.to_owned(), value)));
    let host = FunctionsHost::start(&app, settings).await?;
    let ready_after = host.ready_after();
    let process = host.process_id().ok_or("the handler has ended")?;
    let started = Instant::now();
    let outcome = host.fire("ProofpointPOD", &TimerTrigger::default()).await?;
    let took = started.elapsed();
    let usage = Usage::of(process)?;
    let InvocationOutcome::Success { .. } = outcome else {
        return Err(format!("the run failed: {outcome:?}").into());
    };
    let bytes = host
        .lines()
        .iter()
        .filter_map(|line| serde_json::from_str::<serde_json::Value>(&line.text).ok())
        .find_map(|line| line["event_bytes"].as_u64())
        .ok_or("the handler's log does not say how much it read")?;
    Ok((Measured { megabytes: bytes as f64 / 1e6, took, usage }, ready_after))
}

/// The process that is Proofpoint and the workspace.
struct Simulation {
    process: Child,
    settings: HashMap<String, String>,
}

impl Simulation {
    fn start(messages: u64, directory: &Path) -> Result<Simulation, Failure> {
        let mut process = Command::new(PROGRAM)
            .args(["simulate", "--bulk", "--count-only", "--rate", &messages.to_string()])
            .arg("--directory")
            .arg(directory)
            .stdout(Stdio::piped())
            .spawn()?;
        let stdout = process.stdout.take().ok_or("the simulation has no output")?;
        let mut settings = HashMap::new();
        for line in BufReader::new(stdout).lines() {
            let line = line?;
            let Some((name, value)) = line.split_once('=') else { break };
            settings.insert(name.to_owned(), value.to_owned());
        }
        Ok(Simulation { process, settings })
    }
}

impl Drop for Simulation {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}
