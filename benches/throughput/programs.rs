//! The two programs, each run over the same hour.

use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use jiff::Timestamp;
use proofpoint_sentinel_core::hour::Hour;
use proofpoint_sentinel_simulator::host::{FunctionsHost, InvocationOutcome, TimerTrigger};

use super::Failure;
use super::simulation::Simulation;
use super::usage::Usage;

/// `functionTimeout` of the runs: enough for the hour, and a third of three quarters of it for the
/// live stream.
const TIME_OUT: &str = "00:05:00";

/// What one program did.
pub(crate) struct Measured {
    /// Bytes of events that it read.
    pub read: u64,
    /// Bytes of bodies that it sent.
    pub sent: u64,
    pub took: Duration,
    pub usage: Usage,
}

impl Measured {
    /// Megabytes of events for each second of its own processor time.
    pub(crate) fn per_cpu_second(&self) -> f64 {
        self.read as f64 / 1e6 / self.usage.cpu.as_secs_f64()
    }

    pub(crate) fn print(&self, name: &str) {
        println!(
            "{name:22} {:>7.0} {:>8.1} {:>8.2} {:>9.0} {:>8.0} {:>10.4}",
            self.read as f64 / 1e6,
            self.took.as_secs_f64(),
            self.usage.cpu.as_secs_f64(),
            self.per_cpu_second(),
            self.usage.peak_bytes as f64 / 1e6,
            self.sent as f64 / self.read as f64,
        );
    }
}

/// The heads of the columns that [`Measured::print`] prints.
pub(crate) fn print_heads() {
    println!(
        "{:22} {:>7} {:>8} {:>8} {:>9} {:>8} {:>10}",
        "", "MB", "seconds", "CPU s", "MB/CPU s", "peak MB", "sent/read"
    );
}

/// The programs and what they run against.
pub(crate) struct Programs<'a> {
    /// The binary of the package.
    pub connector: PathBuf,
    pub bare: PathBuf,
    pub simulation: &'a Simulation,
    pub hour: Hour,
    /// For the connector's state.
    pub directory: &'a Path,
}

impl Programs<'_> {
    /// The bare program reads the hour of `feeds`, named as in the setting.
    pub(crate) fn run_bare(&self, feeds: &str) -> Result<Measured, Failure> {
        let started = Instant::now();
        let mut process = Command::new(&self.bare)
            .env_clear()
            .envs(&self.simulation.settings)
            .envs([("HOUR", self.hour.to_string().as_str()), ("FEEDS", feeds)])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()?;
        let mut line = String::new();
        let stdout = process.stdout.take().ok_or("the bare program has no output")?;
        BufReader::new(stdout).read_line(&mut line)?;
        let took = started.elapsed();
        let usage = Usage::of(process.id())?;
        drop(process.stdin.take());
        if !process.wait()?.success() {
            return Err("the bare program failed".into());
        }
        let (read, sent) = line.trim().split_once(' ').ok_or("the bare program said nothing")?;
        Ok(Measured { read: read.parse()?, sent: sent.parse()?, took, usage })
    }

    /// The connector reads `feeds` in `mode`. Hybrid reads the last hour live and then the closed
    /// hour, of which it knows the part that came live.
    pub(crate) async fn run_connector(&self, feeds: &str, mode: &str) -> Result<Measured, Failure> {
        let app = self.app(feeds, mode)?;
        let host = FunctionsHost::start(&app.join("app"), self.settings(feeds, mode, &app)).await?;
        let (took, usage) = measured_run(&host).await?;
        let (mut read, mut sent, mut reports) = (0, 0, 0);
        for report in feed_reports(&host) {
            read += report["event_bytes"].as_u64().unwrap_or_default();
            sent += report["sent_bytes"].as_u64().unwrap_or_default();
            reports += 1;
        }
        if reports != feeds.split(',').count() {
            return Err("the handler's log does not say how much it read of each feed".into());
        }
        Ok(Measured { read, sent, took, usage })
    }

    /// The package, unpacked, with a time-out that fits the benchmark.
    fn app(&self, feeds: &str, mode: &str) -> Result<PathBuf, Failure> {
        let directory = self.directory.join(format!("{mode}-{feeds}"));
        unpack(&self.connector, &directory.join("app"), TIME_OUT)?;
        Ok(directory)
    }

    fn settings(
        &self,
        feeds: &str,
        mode: &str,
        directory: &Path,
    ) -> impl Iterator<Item = (String, String)> + use<> {
        let lookback = Hour::containing(Timestamp::now()).hours_since(self.hour);
        let own = [
            ("ProofpointEventTypes", feeds.to_owned()),
            ("ProofpointMode", mode.to_owned()),
            ("ProofpointSchedule", "0 */5 * * * *".to_owned()),
            ("ProofpointInitialLookbackHours", lookback.to_string()),
            ("StateStorage", format!("file://{}", directory.join("state").display())),
        ];
        let settings = self.simulation.settings.clone().into_iter();
        settings.chain(own.map(|(name, value)| (name.to_owned(), value)))
    }
}

/// Unpacks the package with `connector` into `app`, with `time_out` as `functionTimeout`.
pub(crate) fn unpack(connector: &Path, app: &Path, time_out: &str) -> Result<(), Failure> {
    std::fs::create_dir_all(app.join("ProofpointPOD"))?;
    let repository = Path::new(env!("CARGO_MANIFEST_DIR"));
    let function = "ProofpointPOD/function.json";
    std::fs::copy(repository.join(function), app.join(function))?;
    let host_json = std::fs::read_to_string(repository.join("host.json"))?;
    std::fs::write(app.join("host.json"), host_json.replace("00:10:00", time_out))?;
    std::fs::copy(connector, app.join("proofpoint-sentinel"))?;
    Ok(())
}

/// A run of the handler: how long it took, and what the process has used by its end.
pub(crate) async fn measured_run(host: &FunctionsHost) -> Result<(Duration, Usage), Failure> {
    let process = host.process_id().ok_or("the handler has ended")?;
    let started = Instant::now();
    let outcome = host.fire("ProofpointPOD", &TimerTrigger::default()).await?;
    let took = started.elapsed();
    let usage = Usage::of(process)?;
    match outcome {
        InvocationOutcome::Success { .. } => Ok((took, usage)),
        _ => Err(format!("the run failed: {outcome:?}").into()),
    }
}

/// The lines of the handler's log that sum up a feed's run.
pub(crate) fn feed_reports(host: &FunctionsHost) -> Vec<serde_json::Value> {
    let lines = host.lines().into_iter();
    let read = |text: &str| serde_json::from_str::<serde_json::Value>(text).ok();
    lines.filter_map(|line| read(&line.text)).filter(|line| line["event_bytes"].is_u64()).collect()
}
