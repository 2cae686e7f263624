//! `collect`: chosen hours, now, from a terminal.

use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use clap::Args;
use indicatif::{ProgressBar, ProgressStyle};
use jiff::{SignedDuration, Timestamp};
use proofpoint_sentinel::collect::read::Reader;
use proofpoint_sentinel::collect::{HourResult, Progress, backfill, save};
use proofpoint_sentinel::net::Net;
use proofpoint_sentinel::pod::SessionTimeouts;
use proofpoint_sentinel::settings::{Cluster, Settings, SourceSettings, environment};
use proofpoint_sentinel_core::feed::{EventType, Feed};
use proofpoint_sentinel_core::hour::Hour;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use super::{Failure, UNLIMITED, exit_code, logging, run_without_limit, signals};

/// So long after its end an hour's events are all in the archive.
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
}

pub(crate) async fn run(arguments: Arguments) -> ExitCode {
    logging::for_terminal();
    exit_code(collect(&arguments).await)
}

async fn collect(arguments: &Arguments) -> Result<bool, Failure> {
    if arguments.from >= arguments.to {
        return Err("--to has to be later than --from".into());
    }
    let now = Timestamp::now();
    let current = Hour::containing(now);
    if arguments.to > current {
        return Err(
            format!("only hours that are over can be read: --to is at most {current}").into()
        );
    }
    if Hour::newest_due(now, ARCHIVE_DELAY) < arguments.to.plus(-1) {
        eprintln!(
            "warning: Proofpoint fills the archive up to 45 minutes late; the last hour may lack events"
        );
    }
    let vars = environment();
    let stop = signals::stop_token();
    let progress = Arc::new(Progress::default());
    let hours = arguments.from.through(arguments.to.plus(-1));
    let count = arguments.to.hours_since(arguments.from);
    let mut outcome = Watched::new(arguments, count as u64, progress.clone(), stop.clone());
    let result: Result<(), Failure> = match &arguments.out {
        Some(path) => {
            let source = SourceSettings::read(&vars)?;
            let cluster = choose(&source.clusters, arguments.cluster.as_deref())?;
            let feed = feed(cluster, arguments.event_type);
            let net = Net::of(&source.net)?;
            let reader = Reader {
                net: &net,
                log_stream_uri: &source.log_stream_uri,
                cluster,
                feed: &feed,
                timeouts: SessionTimeouts::default(),
                stop: &stop,
                reading_ends: Instant::now() + UNLIMITED,
            };
            let done = |result: &HourResult| outcome.hour(result);
            save(reader, path, hours, &progress, done).await.map_err(Into::into)
        }
        None => {
            let settings = Settings::read(&vars)?;
            logging::unknown_settings(&settings);
            let cluster = choose(&settings.source.clusters, arguments.cluster.as_deref())?.clone();
            let feed = feed(&cluster, arguments.event_type);
            let id = format!("collect {} to {}", arguments.from, arguments.to);
            let run = run_without_limit(id, settings, stop.clone(), progress.clone());
            let done = |result: &HourResult| outcome.hour(result);
            backfill(&run, &cluster, &feed, hours, done).await.map_err(Into::into)
        }
    };
    let whole = outcome.finish();
    result?;
    Ok(whole)
}

fn feed(cluster: &Cluster, event_type: EventType) -> Feed {
    Feed { cluster_id: cluster.id.clone(), event_type }
}

fn choose<'a>(clusters: &'a [Cluster], wanted: Option<&str>) -> Result<&'a Cluster, Failure> {
    let names = || clusters.iter().map(|cluster| cluster.name.as_str()).collect::<Vec<_>>();
    match (clusters, wanted) {
        ([only], None) => Ok(only),
        (_, None) => Err(format!("--cluster is needed: one of {}", names().join(", ")).into()),
        (_, Some(wanted)) => clusters
            .iter()
            .find(|cluster| cluster.name == wanted || cluster.id == wanted)
            .ok_or_else(|| {
                format!("there is no cluster `{wanted}`, only {}", names().join(", ")).into()
            }),
    }
}

/// The bar, and what the user is told at the end.
struct Watched<'a> {
    arguments: &'a Arguments,
    bar: ProgressBar,
    shown: CancellationToken,
    /// The first hour that is not read to its end.
    next: Hour,
    /// Whether anything is known of any hour.
    begun: bool,
}

impl<'a> Watched<'a> {
    fn new(
        arguments: &'a Arguments,
        hours: u64,
        progress: Arc<Progress>,
        stop: CancellationToken,
    ) -> Watched<'a> {
        let style = ProgressStyle::with_template("{bar:30} {pos}/{len} hours  {msg}  {elapsed}")
            .unwrap_or_else(|_| ProgressStyle::default_bar());
        let bar = ProgressBar::new(hours).with_style(style);
        let shown = CancellationToken::new();
        tokio::spawn({
            let (bar, shown, posts) = (bar.clone(), shown.clone(), arguments.out.is_none());
            async move {
                let mut tick = tokio::time::interval(Duration::from_millis(200));
                while !shown.is_cancelled() {
                    tick.tick().await;
                    let stopping = if stop.is_cancelled() { ", finishing" } else { "" };
                    let delivered = if posts {
                        format!(", {} delivered", progress.rows())
                    } else {
                        String::new()
                    };
                    bar.set_message(format!(
                        "{} events read{delivered}{stopping}",
                        progress.events()
                    ));
                }
            }
        });
        Watched { arguments, bar, shown, next: arguments.from, begun: false }
    }

    fn hour(&mut self, result: &HourResult) {
        let HourResult { hour, end, counts } = result;
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
        self.bar.inc(1);
        self.begun = true;
        if result.is_whole() && self.next == *hour {
            self.next = hour.plus(1);
        }
    }

    /// Whether all of it is there; if not, how to go on.
    fn finish(self) -> bool {
        self.shown.cancel();
        self.bar.finish_and_clear();
        let to = self.arguments.to;
        let whole = self.next == to;
        if self.begun && !whole {
            let twice = match self.arguments.out {
                Some(_) => "what the file has of them is then in it twice",
                None => {
                    "what was delivered of them is not delivered again, if they are under 72 hours old"
                }
            };
            println!(
                "Not every hour was read to its end. Hours that are not `closed with 1000` have to be read again, for example with --from {} --to {to}; {twice}.",
                self.next
            );
        }
        whole
    }
}
