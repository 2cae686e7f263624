//! `collect`: chosen hours, now, from a terminal.

use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use clap::Args;
use indicatif::{ProgressBar, ProgressStyle};
use jiff::SignedDuration;
use proofpoint_sentinel::collect::{
    Deliver, HourReport, RunCounters, SessionReader, backfill, export,
};
use proofpoint_sentinel::error_code;
use proofpoint_sentinel::net::Net;
use proofpoint_sentinel::pod::{ClusterSessions, SessionTimeouts};
use proofpoint_sentinel::settings::{
    Cluster, Settings, SourceSettings, UnusableCluster, environment,
};
use proofpoint_sentinel_core::clock::Clock;
use proofpoint_sentinel_core::feed::EventType;
use proofpoint_sentinel_core::hour::Hour;
use serde::Serialize;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use super::failure::Failure;
use super::{UNLIMITED, exit_code, logging, signals, unlimited_run};

/// How long after its end all events of an hour are in the archive.
const ARCHIVE_DELAY: SignedDuration = SignedDuration::from_mins(45);

#[derive(Args)]
pub(crate) struct Arguments {
    /// First hour, in UTC, such as 2026-11-20T06
    #[arg(long)]
    from: Hour,
    /// The hour at which to stop, in UTC; it is not read any more
    #[arg(long)]
    to: Hour,
    /// message, maillog or audit
    #[arg(long = "type")]
    event_type: EventType,
    /// The cluster's name (the suffix of its settings) or id; needed only where there are several
    #[arg(long)]
    cluster: Option<String>,
    /// Append the events to this file, one a line, as they come, and post nothing
    #[arg(long)]
    out: Option<PathBuf>,
    /// Deliver every event, also what was delivered before: for rows that the workspace has lost
    #[arg(long, conflicts_with = "out")]
    again: bool,
    /// Print an object of JSON for each hour, one a line
    #[arg(long)]
    json: bool,
}

/// What became of an hour, for scripts.
#[derive(Serialize)]
struct HourLine {
    hour: Hour,
    events: u64,
    delivered: u64,
    duplicates: u64,
    dead_letters: u64,
    end: String,
    /// Whether Proofpoint said that this was all.
    complete: bool,
}

pub(crate) async fn run(arguments: Arguments) -> ExitCode {
    logging::for_terminal();
    exit_code(collect(&arguments).await)
}

async fn collect(arguments: &Arguments) -> Result<bool, Failure> {
    if arguments.from >= arguments.to {
        return Err(Failure::new(error_code::HOURS_INVALID, "--to must be later than --from"));
    }
    let now = Clock::system().now();
    let current = Hour::containing(now);
    if arguments.to > current {
        let message = format!("only hours that are over can be read: --to is at most {current}");
        return Err(Failure::new(error_code::HOURS_INVALID, message));
    }
    if Hour::newest_due(now, ARCHIVE_DELAY) < arguments.to.plus(-1) {
        eprintln!(
            "warning: {}: Proofpoint fills the archive up to 45 minutes late; the last hour may lack events",
            error_code::ARCHIVE_FILLING
        );
    }
    let vars = environment();
    let stop = signals::stop_token();
    let counters = Arc::new(RunCounters::default());
    let hours = arguments.from.through(arguments.to.plus(-1));
    let count = arguments.to.hours_since(arguments.from);
    let mut display = ProgressDisplay::new(arguments, count as u64, counters.clone(), stop.clone());
    let result: Result<(), Failure> = match &arguments.out {
        Some(path) => {
            let source = SourceSettings::read(&vars)?;
            let cluster = choose_cluster(&source, arguments.cluster.as_deref())?;
            let net = Net::of(&source.net)?;
            let reader = SessionReader {
                net: &net,
                log_stream_uri: &source.log_stream_uri,
                cluster,
                sessions: &ClusterSessions::default(),
                place: None,
                event_type: arguments.event_type,
                timeouts: SessionTimeouts::default(),
                stop: &stop,
                reading_ends: Instant::now() + UNLIMITED,
            };
            let done = |report: &HourReport| display.show_hour(report);
            export(reader, path, hours, &counters, done).await.map_err(Into::into)
        }
        None => {
            let settings = Settings::read(&vars)?;
            logging::warn_of_settings(&settings);
            let cluster = choose_cluster(&settings.source, arguments.cluster.as_deref())?.clone();
            let id = format!("collect {} to {}", arguments.from, arguments.to);
            let run = unlimited_run(id, settings, stop.clone(), counters.clone());
            let deliver = if arguments.again { Deliver::Everything } else { Deliver::Missing };
            let done = |report: &HourReport| display.show_hour(report);
            backfill(&run, &cluster, arguments.event_type, hours, deliver, done)
                .await
                .map_err(Into::into)
        }
    };
    let is_complete = display.finish();
    result?;
    Ok(is_complete)
}

fn unclear(message: String) -> Failure {
    Failure::new(error_code::CLUSTER_UNKNOWN, message)
}

fn choose_cluster<'a>(
    source: &'a SourceSettings,
    wanted: Option<&str>,
) -> Result<&'a Cluster, Failure> {
    let (clusters, unusable) = (&source.clusters[..], &source.unusable_clusters[..]);
    let names = || {
        let names = clusters.iter().map(|cluster| cluster.name.as_str());
        names.chain(unusable.iter().map(|cluster| cluster.name.as_str())).collect::<Vec<_>>()
    };
    let Some(wanted) = wanted else {
        return match (clusters, unusable) {
            ([only], []) => Ok(only),
            _ => Err(unclear(format!("--cluster is needed: one of {}", names().join(", ")))),
        };
    };
    if let Some(cluster) = clusters.iter().find(|known| known.name == wanted || known.id == wanted)
    {
        return Ok(cluster);
    }
    let is_wanted = |known: &&UnusableCluster| {
        known.name == wanted || known.id.as_deref().is_some_and(|id| id == wanted)
    };
    Err(match unusable.iter().find(is_wanted) {
        Some(known) => Failure::new(known.code(), known.to_string()),
        None => unclear(format!("there is no cluster `{wanted}`, only {}", names().join(", "))),
    })
}

/// The progress bar, a line for each hour, and what the user reads at the end.
struct ProgressDisplay<'a> {
    arguments: &'a Arguments,
    bar: ProgressBar,
    /// Cancelled when the bar is to be drawn no more.
    finished: CancellationToken,
    /// The first hour that is not complete.
    next: Hour,
    /// Whether any hour was read.
    begun: bool,
}

impl<'a> ProgressDisplay<'a> {
    fn new(
        arguments: &'a Arguments,
        hours: u64,
        counters: Arc<RunCounters>,
        stop: CancellationToken,
    ) -> ProgressDisplay<'a> {
        let style = ProgressStyle::with_template("{bar:30} {pos}/{len} hours  {msg}  {elapsed}")
            .unwrap_or_else(|_| ProgressStyle::default_bar());
        let bar = ProgressBar::new(hours).with_style(style);
        let finished = CancellationToken::new();
        tokio::spawn({
            let (bar, finished, posts) = (bar.clone(), finished.clone(), arguments.out.is_none());
            async move {
                let mut tick = tokio::time::interval(Duration::from_millis(200));
                while !finished.is_cancelled() {
                    tick.tick().await;
                    let stopping = if stop.is_cancelled() { ", finishing" } else { "" };
                    let delivered = if posts {
                        format!(", {} delivered", counters.rows())
                    } else {
                        String::new()
                    };
                    bar.set_message(format!(
                        "{} events read{delivered}{stopping}",
                        counters.events()
                    ));
                }
            }
        });
        ProgressDisplay { arguments, bar, finished, next: arguments.from, begun: false }
    }

    fn show_hour(&mut self, report: &HourReport) {
        let HourReport { hour, end, counts } = report;
        self.bar.inc(1);
        self.begun = true;
        if report.is_complete() && self.next == *hour {
            self.next = hour.plus(1);
        }
        if self.arguments.json {
            let line = HourLine {
                hour: *hour,
                events: counts.events,
                delivered: counts.delivered,
                duplicates: counts.duplicates,
                dead_letters: counts.dead_letters(),
                end: end.to_string(),
                complete: report.is_complete(),
            };
            let line = serde_json::to_string(&line).expect("texts are valid as JSON");
            return self.bar.suspend(|| println!("{line}"));
        }
        let rows = match self.arguments.out {
            Some(_) => String::new(),
            None => format!(
                "  {:>9} rows delivered  {} duplicates  {} dead letters",
                counts.delivered,
                counts.duplicates,
                counts.dead_letters()
            ),
        };
        let line = format!("{hour}  {:>9} events{rows}  {end}", counts.events);
        // Where standard error is no terminal the bar would swallow the line.
        self.bar.suspend(|| println!("{line}"));
    }

    /// Says whether every hour is complete. If not, tells the user how to go on.
    fn finish(self) -> bool {
        self.finished.cancel();
        self.bar.finish_and_clear();
        let to = self.arguments.to;
        let is_complete = self.next == to;
        if self.begun && !is_complete {
            let twice = match self.arguments.out {
                Some(_) => "what the file has of them is then in it twice",
                None => {
                    "what was delivered of them is not delivered again, if they are under 72 hours old"
                }
            };
            let message = format!(
                "Not every hour was read to its end. Hours that are not `closed with 1000` must be read again, for example with --from {} --to {to}; {twice}.",
                self.next
            );
            if self.arguments.json {
                eprintln!("{message}");
            } else {
                println!("{message}");
            }
        }
        is_complete
    }
}
