//! What the demo shows: progress bars while it runs, and a table at its end.

use std::convert::Infallible;
use std::time::Duration;

use indicatif::{HumanBytes, HumanCount, MultiProgress, ProgressBar, ProgressStyle};
use proofpoint_sentinel_core::feed::Feed;
use proofpoint_sentinel_simulator::Simulation;
use serde::Deserialize;

use super::feed::DemoFeed;

/// A bar for each feed: events that left Proofpoint, rows that reached the workspace.
pub(super) struct ProgressBars<'a> {
    feeds: Vec<(&'a DemoFeed, ProgressBar)>,
    all: MultiProgress,
}

impl<'a> ProgressBars<'a> {
    pub(super) fn new(feeds: &'a [DemoFeed]) -> ProgressBars<'a> {
        let style = ProgressStyle::with_template(
            "{prefix:20} {bar:30} {human_pos} of {human_len} events read, {msg} rows",
        )
        .unwrap_or_else(|_| ProgressStyle::default_bar());
        let all = MultiProgress::new();
        let bar = |part: &'a DemoFeed| {
            let bar = ProgressBar::new(part.expected).with_prefix(part.feed.to_string());
            (part, all.add(bar.with_style(style.clone())))
        };
        ProgressBars { feeds: feeds.iter().map(bar).collect(), all }
    }

    /// Keeps the bars up to date until it is dropped.
    pub(super) async fn follow(&self, simulation: &Simulation) -> Infallible {
        let mut tick = tokio::time::interval(Duration::from_millis(100));
        loop {
            tick.tick().await;
            self.show(simulation);
        }
    }

    fn show(&self, simulation: &Simulation) {
        for (part, bar) in &self.feeds {
            bar.set_position(part.sent(simulation));
            bar.set_message(HumanCount(part.rows(simulation)).to_string());
        }
    }

    /// Leaves the bars as they stand at the end.
    pub(super) fn finish(self, simulation: &Simulation) {
        self.show(simulation);
        for (_, bar) in &self.feeds {
            bar.abandon();
        }
        // The last bar's line is not ended.
        if !self.all.is_hidden() {
            eprintln!();
        }
    }
}

/// The line of the handler's log that summarises a feed's run.
#[derive(Deserialize)]
struct Summary {
    feed: String,
    events: u64,
    delivered: u64,
    repaired: u64,
    duplicates: u64,
    hours_done: u64,
    posts: u64,
    sent_bytes: u64,
    lag_seconds: Option<u64>,
    seconds: f64,
}

/// Whether a line of the handler's log is the summary of a run of `feed`.
pub(super) fn is_summary_of(line: &str, feed: &Feed) -> bool {
    serde_json::from_str(line).is_ok_and(|summary: Summary| summary.feed == feed.to_string())
}

/// Prints what the handler's log says of each feed, and what the workspace says.
pub(super) fn table(feeds: &[DemoFeed], log: &[String], simulation: &Simulation) {
    println!(
        "\n{:20} {:>5} {:>11} {:>9} {:>12} {:>10} {:>9} {:>5} {:>10} {:>7} {:>7}",
        "feed",
        "hours",
        "events read",
        "live rows",
        "archive rows",
        "known rows",
        "received",
        "posts",
        "sent",
        "lag",
        "time"
    );
    for line in log {
        let Ok(summary) = serde_json::from_str::<Summary>(line) else { continue };
        let part = feeds.iter().find(|part| part.feed.to_string() == summary.feed);
        let count = |number: u64| HumanCount(number).to_string();
        println!(
            "{:20} {:>5} {:>11} {:>9} {:>12} {:>10} {:>9} {:>5} {:>10} {:>7} {:>7}",
            summary.feed,
            summary.hours_done,
            count(summary.events),
            count(summary.delivered - summary.repaired),
            count(summary.repaired),
            count(summary.duplicates),
            part.map_or_else(String::new, |part| count(part.rows(simulation))),
            summary.posts,
            HumanBytes(summary.sent_bytes).to_string(),
            summary.lag_seconds.map_or_else(String::new, |lag| format!("{lag} s")),
            format!("{:.2} s", summary.seconds),
        );
    }
    println!();
}
