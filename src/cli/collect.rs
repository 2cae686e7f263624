//! `collect`: chosen hours, now, from a terminal.

use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use clap::Args;
use indicatif::{ProgressBar, ProgressStyle};
use proofpoint_sentinel::clock::Clock;
use proofpoint_sentinel::collect::read::HourReader;
use proofpoint_sentinel::collect::{HourResult, Progress, Run, backfill, save};
use proofpoint_sentinel::feed::{EventType, Feed};
use proofpoint_sentinel::hour::Hour;
use proofpoint_sentinel::net::Net;
use proofpoint_sentinel::pod::Patience;
use proofpoint_sentinel::settings::{Cluster, Settings, SourceSettings, environment};
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use super::{Failure, logging, signals};

/// A terminal has no time-out; this stands for none.
const UNLIMITED: Duration = Duration::from_secs(30 * 24 * 3600);

#[derive(Args)]
pub struct Arguments {
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

pub async fn run(arguments: Arguments) -> ExitCode {
    logging::for_terminal();
    match collect(&arguments).await {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::FAILURE
        }
    }
}

async fn collect(arguments: &Arguments) -> Result<bool, Failure> {
    if arguments.from >= arguments.to {
        return Err("--to has to be later than --from".into());
    }
    let vars = environment();
    let stop = signals::stop_token();
    let progress = Arc::new(Progress::default());
    let hours = arguments.from.through(arguments.to.plus(-1));
    let count = arguments.to.hours_since(arguments.from);
    let mut outcome = Watched::new(count as u64, progress.clone(), stop.clone());
    let ends = Instant::now() + UNLIMITED;
    let result: Result<(), Failure> = match &arguments.out {
        Some(path) => {
            let source = SourceSettings::read(&vars)?;
            let cluster = choose(&source.clusters, arguments.cluster.as_deref())?;
            let feed = feed(cluster, arguments.event_type);
            let net = Net::new(source.extra_roots.as_deref())?;
            let reader = HourReader {
                net: &net,
                log_stream_uri: &source.log_stream_uri,
                cluster,
                feed: &feed,
                patience: Patience::default(),
                stop: &stop,
                reading_ends: ends,
            };
            let done = |result: &HourResult| outcome.hour(result);
            save(reader, path, hours, &progress, done).await.map_err(Into::into)
        }
        None => {
            let settings = Settings::read(&vars)?;
            let cluster = choose(&settings.source.clusters, arguments.cluster.as_deref())?.clone();
            let feed = feed(&cluster, arguments.event_type);
            let run = Run {
                id: format!("collect {} to {}", arguments.from, arguments.to),
                settings,
                clock: Clock::system(),
                patience: Patience::default(),
                reading_ends: ends,
                all_ends: ends,
                stop: stop.clone(),
                progress: progress.clone(),
            };
            let done = |result: &HourResult| outcome.hour(result);
            backfill(&run, &cluster, &feed, hours, done).await.map_err(Into::into)
        }
    };
    let whole = outcome.finish(arguments);
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
                format!("there is no cluster `{wanted}`: {}", names().join(", ")).into()
            }),
    }
}

/// The bar, and what the user is told at the end.
struct Watched {
    bar: ProgressBar,
    shown: CancellationToken,
    next: Option<Hour>,
    whole: bool,
}

impl Watched {
    fn new(hours: u64, progress: Arc<Progress>, stop: CancellationToken) -> Watched {
        let style = ProgressStyle::with_template("{bar:30} {pos}/{len} hours  {msg}  {elapsed}")
            .unwrap_or_else(|_| ProgressStyle::default_bar());
        let bar = ProgressBar::new(hours).with_style(style);
        let shown = CancellationToken::new();
        tokio::spawn({
            let (bar, shown) = (bar.clone(), shown.clone());
            async move {
                let mut tick = tokio::time::interval(Duration::from_millis(200));
                while !shown.is_cancelled() {
                    tick.tick().await;
                    let stopping = if stop.is_cancelled() { ", finishing" } else { "" };
                    let (events, rows) = (progress.events(), progress.rows());
                    bar.set_message(format!("{events} events read, {rows} delivered{stopping}"));
                }
            }
        });
        Watched { bar, shown, next: None, whole: true }
    }

    fn hour(&mut self, result: &HourResult) {
        let tally = &result.tally;
        let line = format!(
            "{}  {:>9} events  {:>9} rows delivered  {} dead letters  {}",
            result.hour,
            tally.events,
            tally.delivered,
            tally.dead_letters(),
            result.end
        );
        // Where standard error is no terminal the bar would swallow the line.
        self.bar.suspend(|| println!("{line}"));
        self.bar.inc(1);
        if result.is_whole() && self.whole {
            self.next = Some(result.hour.plus(1));
        } else {
            self.whole = false;
        }
    }

    /// Whether all of it is there; if not, how to go on.
    fn finish(self, arguments: &Arguments) -> bool {
        self.shown.cancel();
        self.bar.finish_and_clear();
        let next = self.next.unwrap_or(arguments.from);
        let whole = self.whole && next == arguments.to;
        if !whole {
            println!(
                "Not every hour was read to its end. Hours that are not `closed with 1000` have to be read again, for example with --from {next} --to {}; what was delivered of them arrives twice.",
                arguments.to
            );
        }
        whole
    }
}
